/** What the parts of a module have in common. */
import type { Program } from "../../3-lower/program.ts";
import { textAt, type SourceFile } from "../../source/source-file.ts";
import type { Span } from "../../source/span.ts";
import { keyInFile } from "../key-in-file.ts";
import type { Code } from "./code.ts";
import { statement as lineOf } from "./layout.ts";
import type { Names } from "./names.ts";
import { Scope } from "./scope.ts";
import { comment } from "./words.ts";

export interface Context {
  readonly program: Program;
  readonly names: Names;
  /** The attribute of the config class that holds each parameter. */
  readonly fields: ReadonlyMap<string, string>;
  /** The strategy's source, from which comments quote. */
  readonly source: SourceFile;
}

/** Spaces in front of the body of a method. */
const BODY = 8;

export const scopeOf = ({ program, names, fields }: Context): Scope => new Scope(program, names, fields);

export const line = (head: string, value: Code, shape = ""): string => lineOf(head, value, shape, BODY);

/** `# key: what the file says there` */
export function quote({ source }: Context, key: string, span: Span | null): string[] {
  if (span === null) return [];
  const text = textAt(source, span);
  if (!text.startsWith("- ")) return [comment(`${keyInFile(key, source, span)}: ${text}`, BODY)];
  // A list keeps its lines.
  return [
    comment(`${key}:`, BODY),
    ...text
      .trim()
      .split("\n")
      .map((item) => comment(item, BODY, 2)),
  ];
}

/** `[batch, token:video]` */
export const shapeOf = (axes: readonly string[]): string => (axes.length === 0 ? "" : `[${axes.join(", ")}]`);

/** Lines of variables that the code printed last asked for. */
export const demanded = (scope: Scope): string[] =>
  scope.demanded().map(({ head, value, shape }) => line(head, value, shape));

export const paramsLine = (scope: Scope): string[] =>
  scope.uses.has("params") ? ["        params = self.config"] : [];
