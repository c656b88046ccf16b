import type { SourceSyntax, StrategySyntax } from "../../1-parse/syntax.ts";
import type { CheckedSource } from "../checked.ts";
import type { Declarations, SourceDeclaration } from "../declarations.ts";
import type { Report } from "../report.ts";

/** Fills in the parameters that directories name, and refuses directories that lead out of the data root. */
export function checkSources(syntax: StrategySyntax, declarations: Declarations, report: Report): CheckedSource[] {
  const sources = [...declarations.byName.values()].filter((entry) => entry.kind === "source");
  checkDefaults(syntax, sources, report);
  return sources.map(({ syntax: source, sourceKind, name }) => ({
    name: name.text,
    kind: sourceKind,
    directory: directoryOf(source, declarations, report),
    key: source.key?.value ?? null,
    axes: source.axes?.value.map((axis) => axis.text) ?? null,
  }));
}

function directoryOf({ directory }: SourceSyntax, declarations: Declarations, report: Report): string {
  if (directory === null) return "";
  const text = directory.parts
    .map((part) => (part.kind === "text" ? part.text : paramIn(part, declarations, report)))
    .join("");
  if (leavesRoot(text) && !report.hasErrorAt(directory.span)) {
    report.error("LTX5009", directory.span, `\`${text}\` leads out of the data root`, {
      help: "directories are relative to `data.preprocessed_data_root`; give a folder below it, without `..`",
    });
  }
  return text;
}

type Part = Extract<NonNullable<SourceSyntax["directory"]>["parts"][number], { kind: "expression" }>;

function paramIn({ value, span }: Part, declarations: Declarations, report: Report): string {
  if (value.kind === "error") return "";
  const name = value.kind === "name" ? value.name : "";
  const declaration = declarations.byName.get(name);
  if (declaration?.kind === "param") {
    declarations.used.add(name);
    return `\${${name}}`;
  }
  const params = [...declarations.byName.values()].flatMap((entry) =>
    entry.kind === "param" ? [entry.name.text] : [],
  );
  if (value.kind === "name" && declaration === undefined) report.unknownName(name, span, params);
  else
    report.error("LTX4006", span, "`${…}` in a directory names a parameter", {
      help: "write the name of a parameter of type string",
    });
  return "";
}

function checkDefaults(syntax: StrategySyntax, sources: readonly SourceDeclaration[], report: Report): void {
  const named = new Set(
    sources.flatMap(({ syntax: { directory } }) =>
      (directory?.parts ?? []).flatMap((part) =>
        part.kind === "expression" && part.value.kind === "name" ? [part.value.name] : [],
      ),
    ),
  );
  for (const { name, schema, node } of syntax.params) {
    const { default: value } = schema;
    if (typeof value !== "string" || !named.has(name.text) || !leavesRoot(value)) continue;
    report.error("LTX5009", node.span, `the default of \`${name.text}\` leads out of the data root`, {
      help: "give a folder below the data root, without `..`",
    });
  }
}

function leavesRoot(directory: string): boolean {
  return /^([/\\]|[A-Za-z]:)/.test(directory) || directory.split(/[/\\]/).includes("..");
}
