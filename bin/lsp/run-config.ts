/** What an editor asks about a run config: its settings as the schema has them, and the params of the strategy that it names. */
import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  MarkupKind,
  type CompletionItem,
  type Hover,
  type Location,
  type Position,
  type TextEdit,
  type WorkspaceEdit,
} from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { entryOf, nodeAt, parseYaml, type YamlEntry, type YamlNode } from "../../compiler/1-parse/index.ts";
import { Bag } from "../../compiler/diagnostics/index.ts";
import {
  at,
  blankLine,
  placeAt,
  schemaAt,
  strategyName,
  type Analysis,
  type Completion,
  type Occurrences,
  type Schema,
} from "../../compiler/service/index.ts";
import { positionAt, sourceFile, type SourceFile } from "../../compiler/source/index.ts";
import { builtinFolder, builtinNames } from "../project/library.ts";
import { strategyExtension } from "../shell/files.ts";
import { packageRoot } from "../shell/package-root.ts";
import { completionOf, editOf, rangeOf } from "./convert.ts";
import { isStrategy, pathOf, type Documents } from "./documents.ts";

type Path = readonly (string | number)[];

/** A file that `ltxc run` takes: `train.yaml`, or any YAML that names a strategy. */
export function isRunConfig(path: string, text: string): boolean {
  return /\.ya?ml$/.test(path) && (basename(path) === "train.yaml" || /^training_strategy\s*:/m.test(text));
}

let shipped: Schema | null = null;

function settings(): Schema {
  shipped ??= JSON.parse(readFileSync(join(packageRoot, "schemas/train.schema.json"), "utf8")) as Schema;
  return shipped;
}

const sourceOf = (document: TextDocument): SourceFile => sourceFile(pathOf(document.uri), document.getText());

/** The tree of a run config; null where it is no YAML. */
const treeOf = (file: SourceFile): YamlNode | null => parseYaml(file, new Bag(), "1.1");

/** The text with the line of the cursor blank where it cannot be read with it. */
function treeAt(document: TextDocument, offset: number): YamlNode | null {
  const file = sourceOf(document);
  return treeOf(file) ?? treeOf(sourceFile(file.path, blankLine(file, positionAt(file, offset).line)));
}

// -------------------------------------------------------------------------------------------------------------- strategies

interface Named {
  readonly name: string;
  readonly path: string;
}

/** Strategies that a run config in a folder may name: those next to it, and the built-in ones. */
function strategiesFor(documents: Documents, config: string): readonly Named[] {
  const folder = dirname(config);
  const near = filesIn(folder)
    .filter(isStrategy)
    .map((name) => join(folder, name));
  const own = near.flatMap((path) => {
    const name = /^strategy:\s*["']?([a-z][a-z0-9_]*)/m.exec(documents.at(path)?.getText() ?? "")?.[1];
    return name === undefined ? [] : [{ name, path }];
  });
  const names = new Set(own.map(({ name }) => name));
  const others = builtinNames().filter((name) => !names.has(name));
  return [...own, ...others.map((name) => ({ name, path: join(builtinFolder, `${name}${strategyExtension}`) }))];
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The strategy that a run config names. */
function strategyOf(
  documents: Documents,
  config: string,
  tree: YamlNode | null,
): { readonly named: Named; readonly analysis: Analysis } | null {
  const value = entryOf(entryOf(tree, "training_strategy")?.value, "name")?.value;
  const name = value?.kind === "scalar" ? value.text : "text_to_video";
  const named = strategiesFor(documents, config).find((each) => each.name === name);
  const analysis = named === undefined ? null : documents.analysis(named.path);
  return named === undefined || analysis === null ? null : { named, analysis };
}

interface Param {
  readonly name: string;
  readonly schema: Schema;
  readonly span: { readonly start: number; readonly end: number };
}

function paramsOf({ syntax }: Analysis): readonly Param[] {
  return (syntax?.params ?? []).map(({ name, schema }) => ({ name: name.text, schema, span: name.span }));
}

function paramText({ schema }: Param): string {
  const { description, default: given, type } = schema;
  const standard = given === undefined ? "required" : `default \`${JSON.stringify(given)}\``;
  return [typeof description === "string" ? description : "", `${String(type ?? "")}, ${standard}`]
    .filter((part) => part !== "")
    .join("\n\n");
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
      ? ofStrategy(documents, pathOf(uri), tree, place)
      : isAlone
        ? ofSchema(tree, place)
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
): readonly Offered[] {
  if (kind === "value" && path[1] === "name")
    return strategiesFor(documents, config).map(({ name, path: file }) => ({
      label: name,
      kind: "value",
      doc: documents.analysis(file)?.syntax?.description?.value ?? "",
    }));
  const params = paramsOf(strategyOf(documents, config, tree)?.analysis ?? ({ syntax: null } as Analysis));
  if (kind === "key" && path.length === 1) {
    const present = presentAt(tree, path);
    const keys: readonly Offered[] = params.map((param) => ({
      label: param.name,
      kind: "key",
      insert: `${param.name}: $0`,
      doc: paramText(param),
    }));
    return [{ label: "name", kind: "key" as const, insert: "name: $0" }, ...keys].filter(
      ({ label }) => !present.has(label),
    );
  }
  const param = params.find(({ name }) => name === path[1]);
  const values = param?.schema["type"] === "boolean" ? [true, false] : (param?.schema["enum"] ?? []);
  return Array.isArray(values) ? values.map((value) => ({ label: String(value), kind: "value" })) : [];
}

function ofSchema(tree: YamlNode | null, { path, kind }: ReturnType<typeof placeAt>): readonly Offered[] {
  const schema = schemaAt(path, settings());
  if (kind === "key") {
    const present = presentAt(tree, path);
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

function presentAt(tree: YamlNode | null, path: Path): ReadonlySet<string> {
  const place = tree === null ? null : nodeAt(tree, path);
  return new Set(
    place?.depth === path.length && place.node.kind === "mapping" ? place.node.entries.map(({ key }) => key) : [],
  );
}

// ------------------------------------------------------------------------------------------------------- hover, definition

/** The innermost entry whose key or scalar the offset touches, with the keys that lead there. */
function entryAt(
  node: YamlNode | null,
  offset: number,
  path: readonly string[] = [],
): { readonly entry: YamlEntry; readonly path: readonly string[]; readonly isKey: boolean } | null {
  for (const entry of node?.kind === "mapping" ? node.entries : []) {
    const own = [...path, entry.key];
    const touches = ({ start, end }: { start: number; end: number }) => start <= offset && offset <= end;
    if (touches(entry.keySpan)) return { entry, path: own, isKey: true };
    if (entry.value.kind === "scalar" && touches(entry.value.span)) return { entry, path: own, isKey: false };
    const inside = entryAt(entry.value, offset, own);
    if (inside !== null) return inside;
  }
  return null;
}

/** The entry that a position touches, in its text and its tree. */
function pointedAt(documents: Documents, uri: string, position: Position) {
  const document = documents.at(pathOf(uri));
  const tree = document === null ? null : treeOf(sourceOf(document));
  const found = document === null ? null : entryAt(tree, document.offsetAt(position));
  return document === null || found === null ? null : { document, tree, found };
}

export function hoverInConfig(documents: Documents, uri: string, position: Position, isAlone: boolean): Hover | null {
  const pointed = pointedAt(documents, uri, position);
  if (pointed === null) return null;
  const { document, tree, found } = pointed;
  const [section, key] = found.path;
  const ofStrategySection = section === "training_strategy" && key !== undefined;
  const text = ofStrategySection
    ? strategyHover(documents, pathOf(uri), tree, key, found.isKey)
    : isAlone
      ? settingHover(found.path)
      : null;
  if (text === null || text === "") return null;
  const span = found.isKey ? found.entry.keySpan : found.entry.value.span;
  return { range: rangeOf(document, span), contents: { kind: MarkupKind.Markdown, value: text } };
}

function strategyHover(
  documents: Documents,
  config: string,
  tree: YamlNode | null,
  key: string,
  isKey: boolean,
): string | null {
  const found = strategyOf(documents, config, tree);
  if (found === null) return null;
  if (key === "name")
    return isKey
      ? settingHover(["training_strategy", "name"])
      : `**${found.named.name}**\n\n${found.analysis.syntax?.description?.value ?? ""}`;
  const param = paramsOf(found.analysis).find(({ name }) => name === key);
  return param === undefined ? null : paramText(param);
}

function settingHover(path: readonly string[]): string | null {
  const description = schemaAt(path, settings())?.["description"];
  return typeof description === "string" ? description : null;
}

/** From a strategy's name to its file, from a param to where the strategy declares it. */
export function definitionInConfig(documents: Documents, uri: string, position: Position): Location[] {
  const pointed = pointedAt(documents, uri, position);
  const isInSection = pointed?.found.path[0] === "training_strategy";
  const strategy = isInSection ? strategyOf(documents, pathOf(uri), pointed.tree) : null;
  if (pointed === null || strategy === null) return [];
  const target = documents.at(strategy.named.path);
  if (target === null) return [];
  const { own } = strategy.analysis;
  const name = own === null ? null : strategyName(own.tree);
  const param = paramsOf(strategy.analysis).find((each) => each.name === pointed.found.path[1]);
  const isOwn = param !== undefined && param.span.start <= target.getText().length;
  const span = isOwn ? param.span : (name?.span ?? { start: 0, end: 0 });
  return [{ uri: documents.uriOf(strategy.named.path), range: rangeOf(target, span) }];
}

// ------------------------------------------------------------------------------------------------------------------- names

/** The places of a strategy's name or of its parameter in the run configs next to it. */
export function renamesInConfigs(
  documents: Documents,
  { kind, name, strategies, places }: Occurrences,
  next: string,
): WorkspaceEdit["changes"] {
  if (kind !== "strategy" && kind !== "param") return {};
  const folders = new Set(places.map(({ path }) => dirname(path)));
  const configs = [...folders].flatMap((folder) => filesIn(folder).map((file) => resolve(folder, file)));
  const changes = configs.flatMap((path): (readonly [string, TextEdit[]])[] => {
    const document = /\.ya?ml$/.test(path) ? documents.at(path) : null;
    if (document === null || !isRunConfig(path, document.getText())) return [];
    const section = entryOf(treeOf(sourceOf(document)), "training_strategy")?.value;
    const named = entryOf(section, "name")?.value;
    if (named?.kind !== "scalar" || !strategies.includes(named.text)) return [];
    const span = kind === "strategy" ? named.span : entryOf(section, name)?.keySpan;
    return span === undefined ? [] : [[documents.uriOf(path), [editOf(document, { span, text: next })]]];
  });
  return Object.fromEntries(changes);
}
