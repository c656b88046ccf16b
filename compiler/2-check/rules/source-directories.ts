import type { SourceSyntax, StrategySyntax, Template } from "../../1-parse/syntax.ts";
import type { CheckedSource } from "../checked.ts";
import type { Declarations, SourceDeclaration } from "../declarations.ts";
import type { Report } from "../report.ts";

/** Fills in the parameters that directories name, and refuses directories that lead out of the data root. */
export function checkSources(syntax: StrategySyntax, declarations: Declarations, report: Report): CheckedSource[] {
  const sources = [...declarations.byName.values()].filter((entry) => entry.kind === "source");
  checkDefaults(syntax, sources, report);
  sameForAll(sources, report);
  return sources.map(({ syntax: source, sourceKind, name }) => ({
    name: name.text,
    kind: sourceKind,
    directory: pathOf(source, declarations, report),
    shared: source.file !== null,
    optional: source.optional?.value === true,
    key: source.key?.value ?? null,
    axes: source.axes?.value.map((axis) => axis.text) ?? null,
    range: rangeOf(source, report),
    like: source.like?.text ?? null,
    span: name.span,
  }));
}

function rangeOf({ range }: SourceSyntax, report: Report): readonly [number, number] | null {
  if (range === null) return null;
  const [low, high] = range.value;
  if (low < high) return range.value;
  report.error("LTX4027", range.span, `no number lies between ${low} and ${high}`, {
    help: `write the smaller one first: \`range: [${Math.min(low, high)}, ${Math.max(low, high)}]\``,
  });
  return null;
}

/** Samples are the files of a directory: where every source is one file there are none. */
function sameForAll(sources: readonly SourceDeclaration[], report: Report): void {
  const [first] = sources;
  if (first === undefined || sources.some(({ syntax }) => syntax.file === null)) return;
  report.error("LTX5090", first.name.span, "every source is one file for all samples, so there are no samples", {
    help: "samples are the files of a directory: give at least the clips themselves as `directory:`",
  });
}

/** Of its directory, or of the one file that it is. */
function pathOf({ directory, file }: SourceSyntax, declarations: Declarations, report: Report): string {
  const template = file ?? directory;
  return template === null ? "" : pathIn(template, file !== null, declarations, report);
}

/** A path below the data root, with `${param}` for its parameters. */
export function pathIn(template: Template, isFile: boolean, declarations: Declarations, report: Report): string {
  const text = templateText(template, declarations, report);
  if (leavesRoot(text) && !report.hasErrorAt(template.span)) {
    const what = isFile ? "the file is" : "directories are";
    const give = isFile ? "a file" : "a folder";
    report.error("LTX5009", template.span, `\`${text}\` leads out of the data root`, {
      help: `${what} relative to \`data.preprocessed_data_root\`; give ${give} below it, without \`..\``,
    });
  }
  return text;
}

/** A path with `${param}` for its parameters. */
export function templateText(template: Template, declarations: Declarations, report: Report): string {
  placeholdersOfOthers(template, declarations, report);
  return template.parts
    .map((part) => (part.kind === "text" ? part.text : paramIn(part, declarations, report)))
    .join("");
}

/** `$name`, `{name}` and `%name%` are text, and look like a parameter where one has that name. */
function placeholdersOfOthers(
  { parts, span }: NonNullable<SourceSyntax["directory"]>,
  declarations: Declarations,
  report: Report,
): void {
  for (const part of parts) {
    const found = part.kind === "text" ? /[$%{<(]{1,2}(\w+)/.exec(part.text) : null;
    const name = found?.[1] ?? "";
    if (found === null || declarations.byName.get(name)?.kind !== "param") continue;
    report.error("LTX4006", span, `\`${found[0]}\` in a path is text, not the parameter \`${name}\``, {
      help: `write \`\${${name}}\`, the path in quotes: \`directory: "\${${name}}"\``,
    });
  }
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
    report.error("LTX4006", span, "`${…}` in a path names a parameter", {
      help: "write the name of a parameter of type string",
    });
  return "";
}

function checkDefaults(syntax: StrategySyntax, sources: readonly SourceDeclaration[], report: Report): void {
  const paths = [...sources.map(({ syntax: { directory, file } }) => file ?? directory), ...rootsOf(syntax)];
  const named = new Set(
    paths.flatMap((path) =>
      (path?.parts ?? []).flatMap((part) =>
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

const rootsOf = ({ datasets }: StrategySyntax): (Template | null)[] => datasets.map(({ root }) => root);

function leavesRoot(directory: string): boolean {
  return /^([/\\]|[A-Za-z]:)/.test(directory) || directory.split(/[/\\]/).includes("..");
}
