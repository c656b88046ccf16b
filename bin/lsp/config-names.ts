/** Names that a run config and a strategy share: the strategy's own, and those of its params and data sets. */
import { basename, dirname, resolve } from "node:path";
import type { Location, Position, WorkspaceEdit } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { entryOf, type YamlNode } from "../../compiler/1-parse/index.ts";
import { declaredAt, strategyName, treePlaceAt, type Occurrences } from "../../compiler/service/index.ts";
import type { Span } from "../../compiler/source/index.ts";
import { filesIn, sourceOf, strategyOf, treeOf } from "./config-strategy.ts";
import { editOf, rangeOf } from "./convert.ts";
import { pathOf, type Documents } from "./documents.ts";

/** A file that `ltxc run` takes: `train.yaml`, or any YAML that names a strategy. */
export function isRunConfig(path: string, text: string): boolean {
  return /\.ya?ml$/.test(path) && (basename(path) === "train.yaml" || /^training_strategy\s*:/m.test(text));
}

interface Pointed {
  readonly document: TextDocument;
  readonly tree: YamlNode;
  readonly path: readonly string[];
  readonly isKey: boolean;
  readonly span: Span;
}

/** What a position in a run config touches, with the keys that lead there; nothing in lists. */
export function pointedAt(documents: Documents, uri: string, position: Position): Pointed | null {
  const document = documents.at(pathOf(uri));
  const tree = document === null ? null : treeOf(sourceOf(document));
  const found = document === null || tree === null ? null : treePlaceAt(tree, document.offsetAt(position));
  if (document === null || tree === null || found === null) return null;
  const path = found.path.filter((step) => typeof step === "string");
  return path.length < found.path.length ? null : { document, tree, path, isKey: found.isKey, span: found.span };
}

/** From a strategy's name to where it says that, from a param to where the strategy, or one that it extends, declares it. */
export function definitionInConfig(documents: Documents, uri: string, position: Position): Location[] {
  const found = declarationOf(documents, uri, position);
  return found === null ? [] : [{ uri: found.uri, range: rangeOf(found.document, found.span) }];
}

/** The name that a run config has at a position, and where the strategy gives it. */
interface Shared {
  /** In the run config. */
  readonly pointed: Pointed;
  readonly uri: string;
  readonly document: TextDocument;
  readonly span: Span;
}

/** What keys of a run config name of its strategy: a param, a data set, or the strategy itself (`name: null`). Null for other settings. */
export function sharedName([section, key, more, ...deeper]: readonly string[]): {
  readonly name: string | null;
} | null {
  if (section === "training_strategy" && key !== undefined && more === undefined)
    return { name: key === "name" ? null : key };
  return section === "runtime" && key === "datasets" && more !== undefined && deeper.length === 0
    ? { name: more }
    : null;
}

export function declarationOf(documents: Documents, uri: string, position: Position): Shared | null {
  const pointed = pointedAt(documents, uri, position);
  const shared = pointed === null ? null : sharedName(pointed.path);
  const strategy = pointed === null || shared === null ? null : strategyOf(documents, pathOf(uri), pointed.tree);
  if (pointed === null || strategy === null) return null;
  const { named, analysis } = strategy;
  const [target] = shared?.name == null ? [] : declaredAt(analysis, shared.name);
  if (shared?.name != null && target?.kind !== "strategy") return null;
  const name = analysis.own === null ? null : strategyName(analysis.own.tree);
  const at = target?.kind === "strategy" ? target : { path: named.path, span: name?.span ?? { start: 0, end: 0 } };
  const document = documents.at(at.path);
  return document === null ? null : { pointed, uri: documents.uriOf(at.path), document, span: at.span };
}

/** Whether a new name could be written at the place in the run config itself: at a param's key, or at the strategy's name. */
export const isName = ({ pointed: { path, isKey } }: Shared): boolean => isKey !== (path[1] === "name");

/** Where the run configs next to the strategies that share a name have it. */
export function placesInConfigs(
  documents: Documents,
  { kind, name, strategies, places }: Occurrences,
): readonly { readonly document: TextDocument; readonly span: Span }[] {
  if (kind === "local" || kind === "other") return [];
  const folders = new Set(places.map(({ path }) => dirname(path)));
  const configs = [...folders].flatMap((folder) => filesIn(folder).map((file) => resolve(folder, file)));
  return configs.flatMap((path) => {
    const document = /\.ya?ml$/.test(path) ? documents.at(path) : null;
    if (document === null || !isRunConfig(path, document.getText())) return [];
    const tree = treeOf(sourceOf(document));
    const section = entryOf(tree, "training_strategy")?.value;
    const named = entryOf(section, "name")?.value;
    if (named?.kind !== "scalar" || !strategies.includes(named.text)) return [];
    const holder = kind === "param" ? section : entryOf(entryOf(tree, "runtime")?.value, "datasets")?.value;
    const span = kind === "strategy" ? named.span : entryOf(holder, name)?.keySpan;
    return span === undefined ? [] : [{ document, span }];
  });
}

export function renamesInConfigs(
  documents: Documents,
  found: Occurrences,
  next: string,
): NonNullable<WorkspaceEdit["changes"]> {
  const places = placesInConfigs(documents, found);
  return Object.fromEntries(
    places.map(({ document, span }) => [document.uri, [editOf(document, { span, text: next })]]),
  );
}
