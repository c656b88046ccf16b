/** Where the sources of a strategy lie, for findings about their files. */
import type { TemplatePart } from "../1-parse/syntax.ts";
import type { Span } from "../source/span.ts";
import type { Analysis } from "./analysis.ts";

interface SourceDirectory {
  readonly name: string;
  /** Below the data root, or the path of one file; empty where that cannot be told. */
  readonly directory: string;
  /** Of the source's name, which may stand in a base. */
  readonly span: Span;
}

/** `given`: the value of a param that a run config sets; of others the default counts. */
export function sourceDirectories(
  { syntax }: Analysis,
  given: (param: string) => string | null,
): readonly SourceDirectory[] {
  const defaults = new Map(syntax?.params.map(({ name, schema }) => [name.text, schema["default"]]));
  const textOf = (part: TemplatePart): string | null => {
    if (part.kind === "text") return part.text;
    if (part.value.kind !== "name") return null;
    const value = given(part.value.name) ?? defaults.get(part.value.name);
    return typeof value === "string" ? value : null;
  };
  return (syntax?.sources ?? []).map(({ name, directory, file }) => {
    const parts = (directory ?? file)?.parts.map(textOf) ?? [];
    return { name: name.text, directory: parts.includes(null) ? "" : parts.join(""), span: name.span };
  });
}
