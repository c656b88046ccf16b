/** A YAML document as plain data with exact positions; what the rest of the compiler sees of YAML. */
import type { Span } from "../source/span.ts";

export type YamlNode = YamlMapping | YamlSequence | YamlScalar;

export interface YamlEntry {
  readonly key: string;
  readonly keySpan: Span;
  readonly keyNode: YamlScalar;
  readonly value: YamlNode;
}

export interface YamlMapping {
  readonly kind: "mapping";
  /** In the order of the file; keys are unique. */
  readonly entries: readonly YamlEntry[];
  readonly byKey: ReadonlyMap<string, YamlEntry>;
  readonly span: Span;
}

interface YamlSequence {
  readonly kind: "sequence";
  readonly items: readonly YamlNode[];
  readonly span: Span;
}

export interface YamlScalar {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** The decoded text: of a plain `0.50` it is "0.50", of a quoted or block scalar its contents. */
  readonly text: string;
  readonly quoted: boolean;
  /** Stands for something that was reported already; nothing more is to be said about it. */
  readonly broken?: true;
  readonly span: Span;
  /** Where in the file the character at an offset of `text` is written; `text.length` gives the end of the contents. */
  readonly mapOffset: (offsetInText: number) => number;
}

/** A mapping of entries whose keys are unique. */
export function mapping(entries: readonly YamlEntry[], span: Span): YamlMapping {
  return { kind: "mapping", entries, byKey: new Map(entries.map((entry) => [entry.key, entry])), span };
}

export function entryOf(node: YamlNode | null | undefined, key: string): YamlEntry | null {
  return node?.kind === "mapping" ? (node.byKey.get(key) ?? null) : null;
}

/** The value as JSON would hold it. Every key, also `__proto__`, becomes an own property. */
export function toPlain(node: YamlNode): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "sequence":
      return node.items.map(toPlain);
    case "mapping":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, toPlain(value)]));
  }
}

/** What stands at a path, and its key where it has one. */
export interface Place {
  readonly node: YamlNode;
  readonly span: Span;
  readonly keySpan?: Span;
  /** How many steps of the path were found; less than its length where the file ends earlier. */
  readonly depth: number;
}

/** Finds the deepest place of `path` (keys and indices from `root`) that the document has. */
export function nodeAt(root: YamlNode, path: readonly (string | number)[]): Place {
  let place: Place = { node: root, span: root.span, depth: 0 };
  for (const step of path) {
    const next = child(place.node, step);
    if (next === null) return place;
    place = { ...next, depth: place.depth + 1 };
  }
  return place;
}

function child(node: YamlNode, step: string | number): Omit<Place, "depth"> | null {
  if (node.kind === "sequence") {
    const item = node.items[Number(step)];
    return item === undefined ? null : { node: item, span: item.span };
  }
  const entry = entryOf(node, String(step));
  return entry === null ? null : { node: entry.value, span: entry.value.span, keySpan: entry.keySpan };
}
