/** Where something is said: in the file itself, in one that it extends, or in one that it imports. */
import { entryOf, type YamlNode } from "../1-parse/tree.ts";
import { locate } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";
import type { Analysis } from "./analysis.ts";
import { symbolAt, type SymbolAt } from "./symbol.ts";

export type Target =
  /** In a strategy: `path` as the analysis has it, `span` in the text of that file. */
  | { readonly kind: "strategy"; readonly path: string; readonly span: Span }
  /** What a file exports; `reference` is relative to the strategy `from`. */
  | { readonly kind: "import"; readonly reference: string; readonly from: string; readonly name: string };

/** Nothing where nothing is known. */
export function definition(analysis: Analysis, offset: number): readonly Target[] {
  const symbol = symbolAt(analysis, offset);
  if (symbol === null) return [];
  switch (symbol.kind) {
    case "local": {
      const own = symbol.local.uses.find(({ isDeclaration }) => isDeclaration);
      return own === undefined ? [] : [inFile(analysis, own.span)];
    }
    case "declared":
      return declaredAt(analysis, symbol.name);
    case "field":
      return ofField(analysis, symbol);
    case "modality": {
      const span = analysis.syntax?.[symbol.name]?.keySpan;
      return span === undefined ? [] : [inFile(analysis, span)];
    }
    case "value":
      return ofValue(analysis, symbol);
    default:
      return [];
  }
}

function inFile(analysis: Analysis, { start, end }: Span): Target {
  const { file, begin } = locate(analysis.file, start);
  return { kind: "strategy", path: file.path, span: { start: start - begin, end: end - begin } };
}

/** Where a name is given; of an imported function first where its file has it. */
export function declaredAt(analysis: Analysis, name: string): readonly Target[] {
  const declaration = analysis.declarations?.byName.get(name);
  if (declaration === undefined) return [];
  const own = inFile(analysis, declaration.name.span);
  if (declaration.kind !== "import" || declaration.syntax.from === null) return [own];
  const { value, span } = declaration.syntax.from;
  return [{ kind: "import", reference: value, from: locate(analysis.file, span.start).file.path, name }, own];
}

/** Where the file writes a field; of one that follows from a rule, nothing. */
function ofField(analysis: Analysis, { owner, pass, name }: Extract<SymbolAt, { kind: "field" }>): Target[] {
  const declaration = analysis.declarations?.byName.get(owner);
  if (declaration !== undefined) return [inFile(analysis, declaration.name.span)];
  const key = `${owner}.${name}`;
  const binding = (pass === null ? undefined : analysis.bindings.get(`${pass}.${key}`)) ?? analysis.bindings.get(key);
  return binding?.span == null ? [] : [inFile(analysis, binding.span)];
}

function ofValue(analysis: Analysis, { path, text }: Extract<SymbolAt, { kind: "value" }>): Target[] {
  const [section, name, key] = path;
  const [base] = analysis.file.bases;
  if (section === "extends" && base !== undefined)
    return [{ kind: "strategy", path: base.path, span: { start: 0, end: 0 } }];
  if (section === "imports" && (key === "from" || key === "python"))
    return [{ kind: "import", reference: text, from: analysis.file.path, name: String(name) }];
  return [];
}

/** The name that a strategy has, where it says so; null where it does not. */
export function strategyName(tree: YamlNode): { readonly text: string; readonly span: Span } | null {
  const value = entryOf(tree, "strategy")?.value;
  return value?.kind === "scalar" && value.text !== "" ? { text: value.text, span: value.span } : null;
}
