/** The structure of a file: its symbols, what can be folded, hints behind values, and what can be run. */
import type { YamlEntry, YamlNode } from "../1-parse/tree.ts";
import { describe } from "../2-check/core.ts";
import type { Span } from "../source/span.ts";
import { treeOf, type Analysis } from "./analysis.ts";
import { roleAt } from "./roles.ts";

export interface DocumentSymbol {
  readonly name: string;
  readonly kind: "section" | "parameter" | "source" | "value" | "function" | "key";
  /** Of the key. */
  readonly span: Span;
  /** With its value. */
  readonly whole: Span;
  readonly children: readonly DocumentSymbol[];
}

const kinds: Readonly<Record<string, DocumentSymbol["kind"]>> = {
  params: "parameter",
  sources: "source",
  let: "value",
  loss: "value",
  imports: "function",
};

export function documentSymbols(analysis: Analysis): readonly DocumentSymbol[] {
  const tree = treeOf(analysis);
  return tree?.kind === "mapping" ? tree.entries.map((entry) => symbolOf(entry, "section", 0)) : [];
}

function symbolOf({ key, keySpan, value }: YamlEntry, kind: DocumentSymbol["kind"], depth: number): DocumentSymbol {
  const whole = { start: keySpan.start, end: Math.max(keySpan.end, value.span.end) };
  const inner = depth === 0 ? (kinds[key] ?? "key") : "key";
  // Parameters and sources are one thing each; a pass and a modality have keys of their own.
  const isShown = value.kind === "mapping" && depth < 2 && (depth === 0 || kind === "key");
  const children = isShown ? value.entries.map((entry) => symbolOf(entry, inner, depth + 1)) : [];
  return { name: key === "" ? "?" : key, kind, span: keySpan, whole, children };
}

/** Ranges of several lines: sections and values, and comments that follow each other. Lines count from 0. */
interface Fold {
  readonly from: number;
  readonly to: number;
  readonly isComment: boolean;
}

export function folds(analysis: Analysis): readonly Fold[] {
  const { file } = analysis;
  const lines = file.text.split(/\r\n|\n|\r/);
  const found = comments(lines);
  const lineOf = lineFinder(file.lineStarts);
  const visit = (node: YamlNode): void => {
    const entries = node.kind === "mapping" ? node.entries : [];
    for (const { keySpan, value } of entries) {
      const [from, last] = [lineOf(keySpan.start), lineOf(Math.max(keySpan.end, value.span.end - 1))];
      let to = last;
      while (to > from && (lines[to] ?? "").trim() === "") to -= 1;
      if (to > from) found.push({ from, to, isComment: false });
      visit(value);
    }
    if (node.kind === "sequence") node.items.forEach(visit);
  };
  const tree = treeOf(analysis);
  if (tree !== null) visit(tree);
  return found;
}

function lineFinder(starts: readonly number[]): (offset: number) => number {
  return (offset) =>
    Math.max(
      0,
      starts.findLastIndex((start) => start <= offset),
    );
}

function comments(lines: readonly string[]): Fold[] {
  const found: Fold[] = [];
  let from = -1;
  for (let i = 0; i <= lines.length; i++) {
    const isComment = /^\s*#/.test(lines[i] ?? "");
    if (isComment && from < 0) from = i;
    if (!isComment && from >= 0) {
      if (i - 1 > from) found.push({ from, to: i - 1, isComment: true });
      from = -1;
    }
  }
  return found;
}

/** `⟵ bool[batch, token:video]` behind a value. */
interface InlayHint {
  readonly offset: number;
  readonly label: string;
}

/** Of named values and of the fields that a file writes. */
export function inlayHints(analysis: Analysis): readonly InlayHint[] {
  const end = analysis.file.text.length;
  const hinted = [...analysis.bindings.values()].filter(
    ({ span, key }) => span !== null && span.end <= end && isHinted(key),
  );
  return hinted.flatMap(({ span, core }) =>
    span === null
      ? []
      : [
          {
            offset: span.end,
            label: ` ⟵ ${describe(core.type).replaceAll("`", "").replace("a number", "number").replace("a mask without axes", "mask")}`,
          },
        ],
  );
}

/** Not `clean` and `references`, whose value is the name of a source. */
function isHinted(key: string): boolean {
  const [owner = "", field] = key.split(".").slice(-2);
  if (field === undefined) return !owner.includes("[");
  return roleAt([owner, field]).kind === "expression" && field !== "references" && !field.includes("[");
}

interface Lens {
  readonly span: Span;
  readonly title: string;
  readonly command: "test" | "inspect";
}

/** What can be run of a strategy: at its name, and at its masks. */
export function lenses(analysis: Analysis): readonly Lens[] {
  const tree = treeOf(analysis);
  if (tree?.kind !== "mapping") return [];
  const name = tree.byKey.get("strategy");
  const masks = ["video", "audio"].flatMap((modality) => {
    const value = tree.byKey.get(modality)?.value;
    return value?.kind === "mapping" ? ["keep", "noise_mask"].flatMap((key) => value.byKey.get(key) ?? []) : [];
  });
  const ofName: readonly Lens[] =
    name === undefined
      ? []
      : [
          { span: name.keySpan, title: "test", command: "test" },
          { span: name.keySpan, title: "inspect", command: "inspect" },
        ];
  return [
    ...ofName,
    ...masks.map(({ keySpan }): Lens => ({ span: keySpan, title: "what is kept", command: "inspect" })),
  ];
}
