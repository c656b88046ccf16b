/** What an editor asks about a `.strategy` file, in the terms of the protocol. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  CodeActionKind,
  FoldingRangeKind,
  InlayHintKind,
  MarkupKind,
  ResponseError,
  SemanticTokensBuilder,
  type CodeAction,
  type CodeActionParams,
  type CodeLens,
  type CompletionList,
  type FoldingRange,
  type Hover,
  type InlayHint,
  type Location,
  type Position,
  type SemanticTokens,
  type SignatureHelp,
  type TextEdit,
  type WorkspaceEdit,
} from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { entryOf } from "../../compiler/1-parse/index.ts";
import { format } from "../../compiler/index.ts";
import {
  actions,
  complete,
  definition,
  documentation,
  fieldUses,
  findingsHere,
  fixEverything,
  folds,
  hover,
  inlayHints,
  lenses,
  occurrences,
  refusal,
  renames,
  semanticTokens,
  signature,
  tokenTypes,
  type Analysis,
  type Around,
  type Occurrences,
  type Target,
} from "../../compiler/service/index.ts";
import type { Span } from "../../compiler/source/index.ts";
import { openSafetensors } from "../../runtime/files/index.ts";
import { builtinNames } from "../project/library.ts";
import { placesInConfigs, renamesInConfigs } from "./config-names.ts";
import { filesIn, sourceOf, treeOf } from "./config-strategy.ts";
import { changeOf, completionOf, diagnosticOf, editOf, rangeOf, type CompletionClient } from "./convert.ts";
import { isStrategy, pathOf, stampOf, type Documents, type Strategy } from "./documents.ts";

/** A place in a strategy, with what is known of it. */
interface At extends Strategy {
  readonly offset: number;
}

function atPosition(documents: Documents, uri: string, position: Position): At | null {
  const found = documents.strategy(pathOf(uri));
  return found === null ? null : { ...found, offset: found.document.offsetAt(position) };
}

/** What may be written at a place, and the texts about it, which take longer. */
export interface Offer {
  readonly list: CompletionList;
  /** About the item of an index, as Markdown. */
  explain(index: number): string;
}

export function completionAt(
  documents: Documents,
  uri: string,
  position: Position,
  around: Around,
  client: CompletionClient,
): Offer | null {
  const document = documents.at(pathOf(uri));
  if (document === null) return null;
  const offset = document.offsetAt(position);
  const analysis = documents.analysisAt(pathOf(uri), offset);
  if (analysis === null) return null;
  const found = complete(analysis, document.getText(), offset, around);
  const explain = (index: number) => {
    const item = found[index];
    return item === undefined ? "" : documentation(analysis, item);
  };
  const [first] = found;
  const sharesRange =
    client.sharesRange &&
    found.every(({ replace }) => replace.start === first?.replace.start && replace.end === first.replace.end);
  const items = found.map((each, index) =>
    completionOf(document, each, { ...client, sharesRange }, client.asksLater ? "" : explain(index)),
  );
  const itemDefaults =
    sharesRange && first !== undefined ? { itemDefaults: { editRange: rangeOf(document, first.replace) } } : {};
  return { list: { isIncomplete: false, items, ...itemDefaults }, explain };
}

/** What only files tell of the line at a position; they are looked at where the line needs them, since that takes time. */
export async function filesAround(documents: Documents, uri: string, { line, character }: Position): Promise<Around> {
  const path = pathOf(uri);
  const range = { start: { line, character: 0 }, end: { line: line + 1, character: 0 } };
  const text = documents.at(path)?.getText(range) ?? "";
  if (text.startsWith("extends:")) return { strategies: strategiesNear(path) };
  const [, directory] = /\bdirectory:\s*["']?([^"',{}]*)$/.exec(text.slice(0, character)) ?? [];
  if (directory !== undefined) return { folders: foldersOfData(documents, path, directory) };
  return /\btap:/.test(text) ? { blocks: await blocksOf(documents, path) } : {};
}

/** What `extends` may name: built-in strategies, and those of the same folder. */
function strategiesNear(own: string): readonly string[] {
  const near = filesIn(dirname(own)).filter((name) => isStrategy(name) && name !== basename(own));
  return [...builtinNames(), ...near.map((name) => `./${name}`)];
}

/** A path that the run config next to a strategy names; null where there is none. */
function pathInConfig(documents: Documents, strategy: string, section: string, key: string): string | null {
  const config = documents.at(resolve(dirname(strategy), "train.yaml"));
  const named = config === null ? null : entryOf(entryOf(treeOf(sourceOf(config)), section)?.value, key);
  return named?.value.kind === "scalar" ? resolve(dirname(strategy), named.value.text) : null;
}

/** Folders of the project's data that go on with what is written of a path, as paths below the data root. */
function foldersOfData(documents: Documents, strategy: string, written: string): readonly string[] {
  const root = pathInConfig(documents, strategy, "data", "preprocessed_data_root");
  const parent = written.slice(0, written.lastIndexOf("/") + 1);
  if (root === null || /^\/|\.\./.test(parent)) return [];
  const nested = join(root, ".precomputed");
  const folder = join(existsSync(nested) ? nested : root, parent);
  const isFolder = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() === true;
  return filesIn(folder).flatMap((name) => (name.startsWith(".") || !isFolder(name) ? [] : [`${parent}${name}`]));
}

/** How many blocks the checkpoint has that the run config next to a strategy names; null where none can be read. */
async function blocksOf(documents: Documents, strategy: string): Promise<number | null> {
  const path = pathInConfig(documents, strategy, "model", "model_path");
  if (path === null) return null;
  const stamp = stampOf(path);
  if (counted?.path !== path || counted.stamp !== stamp) counted = { path, stamp, blocks: await countBlocks(path) };
  return counted.blocks;
}

/** The last checkpoint that was asked about: the list of its tensors can be long. */
let counted: { readonly path: string; readonly stamp: string; readonly blocks: number | null } | null = null;

async function countBlocks(path: string): Promise<number | null> {
  try {
    const { tensors } = await openSafetensors(path);
    const blocks = [...tensors.keys()].map((name) => Number(/\btransformer_blocks\.(\d+)\./.exec(name)?.[1] ?? -1));
    return Math.max(...blocks) + 1;
  } catch {
    // A checkpoint that is missing or broken is a finding about the run config.
    return null;
  }
}

export function hoverAt(documents: Documents, uri: string, position: Position): Hover | null {
  const at = atPosition(documents, uri, position);
  const found = at === null ? null : hover(at.analysis, at.offset);
  if (at === null || found === null) return null;
  return { range: rangeOf(at.document, found.span), contents: { kind: MarkupKind.Markdown, value: found.text } };
}

export function signatureAt(documents: Documents, uri: string, position: Position): SignatureHelp | null {
  const document = documents.at(pathOf(uri));
  const offset = document?.offsetAt(position) ?? 0;
  const analysis = documents.analysisAt(pathOf(uri), offset);
  const found = document === null || analysis === null ? null : signature(analysis, document.getText(), offset);
  if (found === null) return null;
  return {
    signatures: found.forms.map(({ label, parameters }) => ({
      label,
      documentation: { kind: MarkupKind.Markdown, value: found.doc },
      parameters: parameters.map((parameter) => ({ label: parameter })),
    })),
    activeSignature: 0,
    activeParameter: found.active,
  };
}

export function definitionAt(documents: Documents, uri: string, position: Position): Location[] {
  const at = atPosition(documents, uri, position);
  return at === null ? [] : definition(at.analysis, at.offset).flatMap((target) => locationOf(documents, target));
}

function locationOf(documents: Documents, target: Target): Location[] {
  const path = target.kind === "strategy" ? target.path : resolve(dirname(target.from), target.reference);
  const document = existsSync(path) || documents.isOpen(path) ? documents.at(path) : null;
  if (document === null) return [];
  const span = target.kind === "strategy" ? target.span : exportSpan(document.getText(), target.name);
  return [{ uri: documents.uriOf(path), range: rangeOf(document, span) }];
}

/** Where a file of TypeScript or Python defines a name; its beginning where that is not found. */
function exportSpan(text: string, name: string): { readonly start: number; readonly end: number } {
  const found = new RegExp(
    `^(?:export\\s+)?(?:default\\s+)?(?:async\\s+)?(?:function|const|let|class|def)\\s+${name}\\b`,
    "m",
  ).exec(text);
  if (found === null) return { start: 0, end: 0 };
  const end = found.index + found[0].length;
  return { start: end - name.length, end };
}

// ------------------------------------------------------------------------------------------------------------------- names

/** A place in a strategy that has a name; `span` where it was asked about from a run config: the name there. */
export interface NamePlace {
  readonly uri: string;
  readonly position: Position;
  readonly span: Span | null;
}

/** The occurrences of a name, with those in other strategies that extend this one or are extended by it. */
export function occurrencesAt(documents: Documents, uri: string, position: Position): Occurrences | null {
  const at = atPosition(documents, uri, position);
  if (at === null) return null;
  const alone = occurrences(at.analysis, at.offset, []);
  if (alone === null || alone.kind === "local" || alone.kind === "strategy") return alone;
  return occurrences(at.analysis, at.offset, extendingOthers(documents, at.analysis));
}

/** The bases of a strategy, and all that extend something. */
function extendingOthers(documents: Documents, { file }: Analysis): readonly Analysis[] {
  const heirs = documents.strategies().filter((path) => /^extends:/m.test(documents.at(path)?.getText() ?? ""));
  const paths = new Set([...heirs, ...file.bases.map(({ path }) => path)]);
  return [...paths].flatMap((path) => documents.analysis(path) ?? []);
}

/** Where a field is set and read, in the strategy, its bases and those that extend it. */
function placesOfField(documents: Documents, uri: string, position: Position): ReturnType<typeof fieldUses> {
  const at = atPosition(documents, uri, position);
  if (at === null || fieldUses(at.analysis, at.offset, []) === null) return null;
  const { path, bases } = at.analysis.file;
  const family = extendingOthers(documents, at.analysis).filter(
    ({ file }) =>
      file.path !== path &&
      [...bases.map((base) => base.path), ...file.bases.map((base) => base.path)].some(
        (each) => each === path || each === file.path,
      ),
  );
  return fieldUses(at.analysis, at.offset, family);
}

export function referencesAt(
  documents: Documents,
  uri: string,
  position: Position,
  withDeclaration: boolean,
): Location[] {
  const found = occurrencesAt(documents, uri, position);
  const all = found === null ? placesOfField(documents, uri, position) : found.places;
  const places = (all ?? []).filter(({ isDeclaration }) => withDeclaration || !isDeclaration);
  const own = places.flatMap(({ path, span }) => {
    const document = documents.at(path);
    return document === null ? [] : [{ uri: documents.uriOf(path), range: rangeOf(document, span) }];
  });
  const inConfigs = found === null ? [] : placesInConfigs(documents, found);
  return [...own, ...inConfigs.map(({ document, span }) => ({ uri: document.uri, range: rangeOf(document, span) }))];
}

/** Errors: throws what an editor shows where the new name cannot be given. */
export function renameAt(documents: Documents, uri: string, position: Position, next: string): WorkspaceEdit | null {
  const at = atPosition(documents, uri, position);
  const found = occurrencesAt(documents, uri, position);
  if (at === null || found === null) return null;
  const why = refusal(at.analysis, found, next) ?? unwritable(found);
  if (why !== null) throw new ResponseError(-32_602, why);
  const own = [...renames(found, next)].flatMap(([path, edits]) => {
    const document = documents.at(path);
    return document === null ? [] : [[documents.uriOf(path), edits.map((edit) => editOf(document, edit))] as const];
  });
  return { changes: { ...Object.fromEntries(own), ...renamesInConfigs(documents, found, next) } };
}

export function unwritable({ declaredIn, name }: Occurrences): string | null {
  return builtinNames().some(
    (each) => declaredIn.endsWith(`builtin/${each}.strategy`) || declaredIn.endsWith(`builtin\\${each}.strategy`),
  )
    ? `\`${name}\` is declared in a built-in strategy, which cannot be changed`
    : null;
}

// ------------------------------------------------------------------------------------------------- the file as a whole

export function formatAll(document: TextDocument): TextEdit[] {
  const { text } = format({ path: pathOf(document.uri), text: document.getText() });
  return text === null ? [] : changeOf(document, text);
}

/**
 * Fixes of the findings at a place, and one that makes all of them. That one takes several checks of the file: an editor that `asksLater`
 * gets it with `fixedAll`, when it is chosen.
 */
export async function codeActions(
  documents: Documents,
  { textDocument: { uri }, range, context }: CodeActionParams,
  asksLater: boolean,
): Promise<CodeAction[]> {
  const strategy = documents.strategy(pathOf(uri));
  if (strategy === null) return [];
  const { document, analysis } = strategy;
  const isWanted = (kind: string) =>
    context.only === undefined || context.only.some((each) => kind === each || kind.startsWith(`${each}.`));
  const [start, end] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const all = findingsHere(analysis);
  const here = all.filter(({ span }) => span.start <= end && span.end >= start);
  const fixes = isWanted(CodeActionKind.QuickFix)
    ? actions(analysis, here).map(({ title, edits, finding, isPreferred }) => ({
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [diagnosticOf(document, finding)],
        isPreferred,
        edit: { changes: { [uri]: edits.map((edit) => editOf(document, edit)) } },
      }))
    : [];
  const hasFix = all.some(({ fix }) => fix !== undefined);
  if (!hasFix || !isWanted(CodeActionKind.SourceFixAll)) return fixes;
  const action = { title: "correct everything that is certain", kind: CodeActionKind.SourceFixAll, data: uri };
  return [...fixes, asksLater ? action : await fixedAll(documents, action)];
}

/** An action that makes all fixes, with the edits of the file as it is now. */
export async function fixedAll(documents: Documents, action: CodeAction): Promise<CodeAction> {
  const uri = String(action.data);
  const path = pathOf(uri);
  const document = documents.at(path);
  if (action.kind !== CodeActionKind.SourceFixAll || document === null) return action;
  const text = await fixEverything({ path, text: document.getText() }, documents.library(path));
  return { ...action, edit: { changes: { [uri]: changeOf(document, text) } } };
}

export function foldingRanges(analysis: Analysis): FoldingRange[] {
  return folds(analysis).map(({ from, to, isComment }) => ({
    startLine: from,
    endLine: to,
    ...(isComment ? { kind: FoldingRangeKind.Comment } : {}),
  }));
}

export function hintsOf(document: TextDocument, analysis: Analysis): InlayHint[] {
  return inlayHints(analysis).map(({ offset, label }) => ({
    position: document.positionAt(offset),
    label,
    kind: InlayHintKind.Type,
  }));
}

export function tokensOf(document: TextDocument, analysis: Analysis): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  for (const { span, type, isDeclaration } of semanticTokens(analysis)) {
    const { line, character } = document.positionAt(span.start);
    builder.push(line, character, span.end - span.start, tokenTypes.indexOf(type), isDeclaration ? 1 : 0);
  }
  return builder.build();
}

/** Only the commands that the editor has said it knows: a lens that does nothing helps nobody. */
export function lensesOf(document: TextDocument, analysis: Analysis, known: readonly string[]): CodeLens[] {
  return lenses(analysis).flatMap(({ span, title, command }) =>
    known.includes(`ltxc.${command}`)
      ? [{ range: rangeOf(document, span), command: { title, command: `ltxc.${command}`, arguments: [document.uri] } }]
      : [],
  );
}
