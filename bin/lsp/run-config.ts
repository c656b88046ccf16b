/** What an editor asks about a run config: its settings as the schema has them, and the params of the strategy that it names. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MarkupKind, type CompletionItem, type Hover, type Position } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { nodeAt, type YamlNode } from "../../compiler/1-parse/index.ts";
import {
  at,
  blankLine,
  declaredText,
  placeAt,
  schemaAt,
  type Completion,
  type Schema,
} from "../../compiler/service/index.ts";
import { positionAt, sourceFile } from "../../compiler/source/index.ts";
import { packageRoot } from "../shell/package-root.ts";
import { pointedAt, sharedName } from "./config-names.ts";
import { sourceOf, strategiesFor, strategyOf, treeOf, type ConfigStrategy } from "./config-strategy.ts";
import { completionOf, rangeOf } from "./convert.ts";
import { pathOf, type Documents } from "./documents.ts";

type Path = readonly (string | number)[];

let shipped: Schema | null = null;

function settings(): Schema {
  shipped ??= JSON.parse(readFileSync(join(packageRoot, "schemas/train.schema.json"), "utf8")) as Schema;
  return shipped;
}

/** The text with the line of the cursor blank where it cannot be read with it. */
function treeAt(document: TextDocument, offset: number): YamlNode | null {
  const file = sourceOf(document);
  return treeOf(file) ?? treeOf(sourceFile(file.path, blankLine(file, positionAt(file, offset).line)));
}

// -------------------------------------------------------------------------------------------------------------- completion

/** `isAlone`: whether no other server completes the settings of the schema. */
export function completionInConfig(
  documents: Documents,
  uri: string,
  position: Position,
  isAlone: boolean,
  withSnippets: boolean,
): CompletionItem[] {
  const document = documents.at(pathOf(uri));
  if (document === null) return [];
  const offset = document.offsetAt(position);
  const place = placeAt(document.getText(), offset);
  if (place.kind === "comment" || place.kind === "none") return [];
  const replace = { start: place.start, end: offset };
  const tree = treeAt(document, offset);
  const found =
    place.path[0] === "training_strategy"
      ? ofStrategy(documents, pathOf(uri), tree, place, offset)
      : place.kind === "key" && place.path.join(".") === "runtime.datasets"
        ? datasetsOf(documents, pathOf(uri), tree, offset)
        : isAlone
          ? ofSchema(tree, place, offset)
          : [];
  const client = { withSnippets, sharesRange: false };
  return found.map((each, rank) => completionOf(document, { ...each, replace, rank }, client, each.doc));
}

type Offered = Pick<Completion, "label" | "kind" | "insert" | "doc">;

function ofStrategy(
  documents: Documents,
  config: string,
  tree: YamlNode | null,
  { path, kind }: ReturnType<typeof placeAt>,
  offset: number,
): readonly Offered[] {
  if (kind === "value" && path[1] === "name")
    return strategiesFor(documents, config).map(({ name, path: file }) => ({
      label: name,
      kind: "value",
      doc: documents.heading(file)?.description ?? "",
    }));
  const analysis = strategyOf(documents, config, tree)?.analysis ?? null;
  const params = analysis?.syntax?.params ?? [];
  if (kind === "key" && path.length === 1) {
    const present = presentAt(tree, path, offset);
    const keys = params.map(({ name: { text: label } }): Offered => {
      const doc = analysis === null ? null : declaredText(analysis, label);
      return { label, kind: "key", insert: `${label}: $0`, doc: doc ?? "" };
    });
    return [{ label: "name", kind: "key" as const, insert: "name: $0" }, ...keys].filter(
      ({ label }) => !present.has(label),
    );
  }
  const schema = params.find(({ name }) => name.text === path[1])?.schema;
  const values = schema?.["type"] === "boolean" ? [true, false] : (schema?.["enum"] ?? []);
  return Array.isArray(values) ? values.map((value) => ({ label: String(value), kind: "value" })) : [];
}

/** The data sets of the strategy whose folders are not named yet. */
function datasetsOf(documents: Documents, config: string, tree: YamlNode | null, offset: number): readonly Offered[] {
  const analysis = strategyOf(documents, config, tree)?.analysis ?? null;
  const present = presentAt(tree, ["runtime", "datasets"], offset);
  return (analysis?.syntax?.datasets ?? []).flatMap(({ name: { text: label } }) =>
    analysis === null || present.has(label)
      ? []
      : [{ label, kind: "key", insert: `${label}: $0`, doc: declaredText(analysis, label) ?? "" }],
  );
}

function ofSchema(
  tree: YamlNode | null,
  { path, kind }: ReturnType<typeof placeAt>,
  offset: number,
): readonly Offered[] {
  const schema = schemaAt(path, settings());
  if (kind === "key") {
    const present = presentAt(tree, path, offset);
    const keys = Object.entries(at(schema, "properties") ?? {}).filter(
      ([key, value]) => !present.has(key) && (value as Schema)["deprecated"] !== true,
    );
    return keys.map(([label, value]) => ({
      label,
      kind: "key",
      insert: `${label}: $0`,
      doc: String((value as Schema)["description"] ?? ""),
    }));
  }
  const isBoolean = [schema?.["type"]].flat().includes("boolean");
  const values = schema?.["enum"] ?? (isBoolean ? [true, false] : []);
  return Array.isArray(values) ? values.map((value) => ({ label: String(value), kind: "value" })) : [];
}

/** The keys of a mapping but the one that the cursor is in. */
function presentAt(tree: YamlNode | null, path: Path, offset: number): ReadonlySet<string> {
  const place = tree === null ? null : nodeAt(tree, path);
  const entries = place?.depth === path.length && place.node.kind === "mapping" ? place.node.entries : [];
  return new Set(
    entries.flatMap(({ key, keySpan: { start, end } }) => (start <= offset && offset <= end ? [] : [key])),
  );
}

// ------------------------------------------------------------------------------------------------------------------- hover

export function hoverInConfig(documents: Documents, uri: string, position: Position, isAlone: boolean): Hover | null {
  const pointed = pointedAt(documents, uri, position);
  if (pointed === null) return null;
  const { document, tree, path, isKey, span } = pointed;
  const shared = sharedName(path);
  const text =
    shared !== null
      ? strategyHover(strategyOf(documents, pathOf(uri), tree), shared.name, isKey)
      : isAlone
        ? settingHover(path)
        : null;
  if (text === null || text === "") return null;
  return { range: rangeOf(document, span), contents: { kind: MarkupKind.Markdown, value: text } };
}

/** Of a name that the strategy gives; null: of the strategy's own. */
function strategyHover(found: ConfigStrategy | null, name: string | null, isKey: boolean): string | null {
  if (found === null) return null;
  const { named, analysis } = found;
  if (name !== null) return declaredText(analysis, name);
  return isKey
    ? settingHover(["training_strategy", "name"])
    : `**${named.name}**\n\n${analysis.syntax?.description?.value ?? ""}`;
}

function settingHover(path: readonly string[]): string | null {
  const description = schemaAt(path, settings())?.["description"];
  return typeof description === "string" ? description : null;
}
