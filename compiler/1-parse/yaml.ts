import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type CST,
  type Document,
  type Node,
  type Pair,
  type ParsedNode,
  type Scalar,
} from "yaml";
import type { Bag } from "../diagnostics/bag.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import type { Fix } from "../diagnostics/diagnostic.ts";
import type { SourceFile } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";
import { boundedTokens, tooLarge } from "./yaml-bounds.ts";
import { splitGroups } from "./flow-split.ts";
import { mapScalar, type ScalarStyle } from "./scalar-map.ts";
import type { YamlEntry, YamlNode, YamlScalar } from "./tree.ts";
import { warnOfSurprise, yaml11Scalars } from "./yaml-1-1.ts";
import { openQuote } from "./yaml-errors.ts";
import { reportYamlErrors } from "./yaml-report.ts";

/** Far beyond any sensible document: values, those that aliases repeat included. */
const maxNodes = 20_000;

/** 1.2 for strategies, 1.1 for run configs. */
type YamlVersion = "1.1" | "1.2";

/**
 * Reads one YAML document. Everything wrong goes to the bag; null where so much is wrong that nothing can be said about
 * the contents.
 * @param version with 1.1 as PyYAML reads it, merge keys included
 */
export function parseYaml(file: SourceFile, bag: Bag, version: YamlVersion = "1.2"): YamlNode | null {
  if (!isReadable(file, bag)) return null;
  const tokens = boundedTokens(file, bag);
  if (tokens === null) return null;
  const documents = composed(tokens, file.text.length, version);
  const [document, second] = documents;
  if (document === undefined) return null;
  const errors = documents.flatMap((each) => each.errors);
  if (errors.length > 0) {
    reportYamlErrors(errors, tokens, file, bag);
    return null;
  }
  if (second !== undefined) {
    const help = "keep one document and remove the `---` line";
    bag.error("LTX1007", startOf(second, file), "a second document begins here", { help });
  }
  return new Converter(file, bag, version).root(document);
}

/** Errors come in the documents. Each has a stack trace, which nobody reads and which takes most of the time: here they are off. */
function composed(tokens: readonly CST.Token[], length: number, version: YamlVersion): Document.Parsed[] {
  const fixed = { keepSourceTokens: true, prettyErrors: false, uniqueKeys: false, logLevel: "silent" } as const;
  const options = version === "1.1" ? { ...fixed, schema: "failsafe", customTags: yaml11Scalars } : fixed;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return [...new Composer(options).compose(tokens, true, length)];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function isReadable(file: SourceFile, bag: Bag): boolean {
  let found = 0;
  // eslint-disable-next-line no-control-regex -- exactly these are what YAML forbids
  for (const match of file.text.matchAll(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|\r(?!\n)|(?<!^)\ufeff/g)) {
    if (++found > 10) break;
    const code = match[0].charCodeAt(0).toString(16).padStart(4, "0");
    const span = { start: match.index, end: match.index + 1 };
    bag.error("LTX1012", span, `a text file cannot hold the character U+${code.toUpperCase()}`, {
      help: "save the file as plain UTF-8 text with line feeds, and write such a character as an escape in double quotes",
    });
  }
  return found === 0;
}

function startOf(document: Document.Parsed, file: SourceFile): Span {
  const start = Math.min(document.contents?.range[0] ?? document.range[0], file.text.length);
  return { start, end: start };
}

/** Turns the reader's nodes into ours. */
class Converter {
  readonly #file: SourceFile;
  readonly #bag: Bag;
  readonly #version: YamlVersion;
  readonly #anchors = new Map<string, Node>();
  /** Tags as written, of which there is a finding. */
  readonly #unknownTags = new Set<string>();
  /** Collections that are being converted: an alias to one of them has no end. */
  readonly #open = new Set<Node>();
  #count = 0;

  constructor(file: SourceFile, bag: Bag, version: YamlVersion) {
    this.#file = file;
    this.#bag = bag;
    this.#version = version;
  }

  root(document: Document.Parsed): YamlNode | null {
    const { contents } = document;
    for (const { code, pos } of document.warnings)
      if (code === "TAG_RESOLVE_FAILED") this.#unknownTag({ start: pos[0], end: pos[1] });
    if (contents === null || (isScalar(contents) && contents.value === null && contents.source === "")) {
      this.#bag.error("LTX1010", { start: 0, end: 0 }, "this file holds nothing but comments");
      return null;
    }
    return this.#node(contents, { start: 0, end: 0 });
  }

  #unknownTag(span: Span): void {
    const tag = this.#file.text.slice(span.start, span.end);
    this.#unknownTags.add(tag);
    const name = /^!([A-Za-z_]\w*)$/.exec(tag)?.[1];
    const negated = name === undefined ? null : `not ${name}`;
    this.#bag.error("LTX1004", span, `the tag \`${tag}\` means nothing here`, {
      help:
        negated === null
          ? "remove it, or put the value in quotes if it begins with `!`"
          : `YAML takes \`!\` for the beginning of a tag; the opposite of a mask is \`${negated}\``,
      ...(negated === null ? {} : { fix: replacement(span, negated) }),
    });
  }

  /** Tags that YAML's own schemas know but JSON does not; the reader accepts them without a warning. */
  #checkTag(node: Node): void {
    const name = /^tag:yaml\.org,2002:(.*)$/.exec((node as Scalar).tag ?? "")?.[1];
    if (name === undefined || this.#unknownTags.has(`!!${name}`) || /^(str|int|float|bool|null|map|seq)$/.test(name))
      return;
    const help = "write the value as text, number, boolean, list or mapping";
    this.#bag.error("LTX1004", this.#spanOf(node), `the tag \`!!${name}\` means nothing here`, { help });
  }

  /** `place` stands for a node that the text leaves out. */
  #node(node: Node | null, place: Span): YamlNode {
    if (node === null) return this.#nothing(place);
    if (++this.#count > maxNodes) {
      if (this.#count === maxNodes + 1) tooLarge(place.start, this.#bag, "holds too many values, aliases included");
      return this.#broken(place);
    }
    if (isAlias(node)) return this.#alias(node.source, this.#spanOf(node));
    this.#checkTag(node);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node);
    this.#open.add(node);
    const converted = this.#collection(node);
    this.#open.delete(node);
    return converted;
  }

  #nothing(span: Span): YamlScalar {
    return { kind: "scalar", value: null, text: "", quoted: false, span, mapOffset: () => span.start };
  }

  #broken(span: Span): YamlScalar {
    return { ...this.#nothing(span), broken: true };
  }

  #alias(name: string, span: Span): YamlNode {
    const target = this.#anchors.get(name);
    if (target !== undefined && !this.#open.has(target)) return this.#node(target, span);
    const why = target === undefined ? `no anchor \`&${name}\` stands above` : `\`*${name}\` would contain itself`;
    this.#bag.error("LTX1005", span, why, { help: "write the value out" });
    return this.#broken(span);
  }

  #collection(node: Node): YamlNode {
    const span = this.#spanOf(node);
    if (isMap(node)) {
      const pairs = node.items as Pair<Node | null, Node | null>[];
      const byKey = this.#entries(pairs, node.flow === true);
      return { kind: "mapping", entries: [...byKey.values()], byKey, span };
    }
    const items = isSeq(node) ? (node.items as (Node | null)[]) : [];
    const split =
      isSeq(node) && node.flow === true ? this.#split(items.map((item) => [item])) : new Map<number, Span | null>();
    return {
      kind: "sequence",
      items: items.flatMap((item, index) => this.#member(split.get(index), item, span) ?? []),
      span,
    };
  }

  /** The value of an entry; broken at its first part, and none for the rest, where commas tore an expression apart. */
  #member(split: Span | null | undefined, value: Node | null, place: Span): YamlNode | null {
    if (split === undefined) return this.#node(value, place);
    return split === null ? null : this.#broken(split);
  }

  /** Reports expressions that commas of a flow collection tore apart: their range by their first entry, null for the others. */
  #split(parts: readonly (readonly (Node | null)[])[]): ReadonlyMap<number, Span | null> {
    const torn = new Map<number, Span | null>();
    for (const { first, last } of splitGroups(parts.map(plainText))) {
      const nodes = [...(parts[first] ?? []), ...(parts[last] ?? [])].filter((node) => node !== null);
      const spans = nodes.map((node) => this.#spanOf(node)).filter((span) => span.start < span.end);
      const span = { start: spans[0]?.start ?? 0, end: Math.max(...spans.map(({ end }) => end)) };
      const help = "put it in quotes, or write each entry on a line of its own instead of inside `[...]` or `{...}`";
      // Entries of a list have one part; in a mapping only its author knows where the value begins.
      const fix = parts[first]?.length === 1 ? this.#quoted(span) : null;
      const inQuotes = this.#quotedValue(parts[first] ?? [], span);
      const details = { help: inQuotes ?? help, ...(fix === null ? {} : { fix }) };
      this.#bag.error("LTX1111", span, "YAML splits this at its comma, also inside parentheses", details);
      for (let index = first; index <= last; index++) torn.set(index, index === first ? span : null);
    }
    return torn;
  }

  /** The entry of a mapping with its value in quotes; null where it is none, or has quotes itself. */
  #quotedValue([key, value]: readonly (Node | null)[], { end }: Span): string | null {
    if (!key || !value) return null;
    const text = this.#file.text.slice(this.#spanOf(value).start, end);
    return /["\\\n]/.test(text) ? null : `put the value in quotes: \`${textOf(key)}: "${text}"\``;
  }

  /** Quotes around what has none of its own, nor breaks a line. */
  #quoted({ start, end }: Span): Fix | null {
    if (/["\\\n]/.test(this.#file.text.slice(start, end))) return null;
    const at = (offset: number) => ({ span: { start: offset, end: offset }, text: '"' });
    return { title: "put it in quotes", edits: [at(start), at(end)] };
  }

  #entries(pairs: readonly Pair<Node | null, Node | null>[], flow: boolean): ReadonlyMap<string, YamlEntry> {
    const entries = new Map<string, YamlEntry>();
    const split = flow ? this.#split(pairs.map(({ key, value }) => [key, value])) : new Map<number, Span | null>();
    const mergeKeys = this.#version === "1.1" ? pairs.filter(({ key }) => isMergeKey(key)) : [];
    for (const [index, pair] of pairs.entries()) {
      const { key, value } = pair;
      if (mergeKeys.includes(pair)) continue;
      const keyNode = split.get(index) === null ? null : this.#key(key);
      if (keyNode === null) continue;
      const end = keyNode.span.end;
      const converted = this.#member(split.get(index), value, { start: end, end });
      if (converted === null) continue;
      const entry = { key: keyNode.text, keySpan: keyNode.span, keyNode, value: converted };
      const first = entries.get(entry.key);
      if (first === undefined) entries.set(entry.key, entry);
      else this.#duplicate(entry, first);
    }
    // As in PyYAML, the last of several merge keys wins.
    for (const { key, value } of mergeKeys.toReversed()) this.#merge(entries, this.#keySpan(key), value);
    return entries;
  }

  /** Adds what `<<` names, a mapping or a list of them; keys that are there already win. */
  #merge(entries: Map<string, YamlEntry>, span: Span, value: Node | null): void {
    const named = this.#node(value, span);
    const mappings = named.kind === "sequence" ? named.items : [named];
    for (const each of mappings) {
      if (each.kind === "mapping") {
        for (const entry of each.entries) if (!entries.has(entry.key)) entries.set(entry.key, entry);
      } else if (each.kind === "sequence" || each.broken !== true) {
        const help = "name an anchored mapping, as in `<<: *defaults`, or write the keys out";
        this.#bag.error("LTX1006", span, "the merge key `<<` takes a mapping or a list of mappings", { help });
      }
    }
  }

  #keySpan(key: Node | null): Span {
    return key === null ? { start: 0, end: 0 } : this.#spanOf(key);
  }

  #duplicate({ key, keySpan }: YamlEntry, first: YamlEntry): void {
    const labels = [{ span: first.keySpan, message: "first given here" }];
    this.#bag.error("LTX1003", keySpan, `the key \`${key}\` is given twice`, {
      labels,
      help: "keep one of them; several entries of one key are a list, each on a line of its own behind `- `",
    });
  }

  #key(node: Node | null): YamlScalar | null {
    const span = this.#keySpan(node);
    if (isMergeKey(node)) {
      const help = "write the keys out";
      this.#bag.error("LTX1006", span, "merge keys are not part of this format", { help });
      return null;
    }
    if (isScalar(node) && typeof node.value === "string") return this.#scalar(node);
    // `default: 0,5` in braces is a `default` of 0, and a key 5.
    const isDecimal = isScalar(node) && typeof node.value === "number" && this.#file.text[span.start - 1] === ",";
    const help = isDecimal
      ? "decimals are written with a point: `0.5`; a comma begins the next key"
      : "a key is a text; put it in quotes if it looks like a number, a boolean or a list";
    this.#bag.error("LTX1008", span, "this key is not a text", { help });
    return null;
  }

  #scalar(node: Scalar): YamlScalar {
    const span = this.#spanOf(node);
    if (node.tag !== undefined && /^![^!]/.test(node.tag)) return this.#broken(span);
    const raw = this.#file.text.slice(span.start, span.end);
    const style = styleOf(node);
    if (span.end === this.#file.text.length && neverEnds(raw, style)) {
      const { code, message, help } = openQuote;
      this.#bag.error(code, { start: span.start, end: span.start + 1 }, message, { help });
      return this.#broken(span);
    }
    const text = style === "plain" && typeof node.value !== "string" ? raw : String(node.value);
    let map: ((offset: number) => number) | null = null;
    const mapOffset = (offset: number) => {
      map ??= mapScalar(raw, style, text);
      return span.start + map(offset);
    };
    return { kind: "scalar", value: this.#value(node, span), text, quoted: style !== "plain", span, mapOffset };
  }

  #value(node: Scalar, span: Span): YamlScalar["value"] {
    const { value } = node;
    if (typeof value === "number" && !Number.isFinite(value)) {
      this.#bag.error("LTX1011", span, "a number must be finite", { help: "write the number itself" });
      return 0;
    }
    if (this.#version === "1.1" && styleOf(node) === "plain") warnOfSurprise(node, span, this.#bag);
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
    return value === null || value === undefined ? null : String(value);
  }

  #spanOf(node: Node): Span {
    const [start, end] = (node as ParsedNode).range ?? [0, 0];
    const limit = Math.min(end, this.#file.text.length);
    return { start: Math.min(start, limit), end: limit };
  }
}

/** At the end of a file the reader takes an escaped quote, `''` or `\"`, for the one that closes the text. */
function neverEnds(raw: string, style: ScalarStyle): boolean {
  if (style === "single-quoted") return raw.split("'").length % 2 === 0;
  return style === "double-quoted" && /(?<!\\)(?:\\\\)*\\"$/.test(raw);
}

function isMergeKey(node: Node | null): boolean {
  return isScalar(node) && node.value === "<<" && node.type === "PLAIN";
}

const textOf = (node: Node): string => (isScalar(node) ? String(node.value) : "");

/** The unquoted text of an entry's parts; null where one of them is no text. */
function plainText(parts: readonly (Node | null)[]): string | null {
  if (!parts.every((part) => part === null || isScalar(part))) return null;
  return parts.map((part) => (isScalar(part) && styleOf(part) === "plain" ? (part.source ?? "") : "")).join("");
}

const styles: Readonly<Record<string, ScalarStyle>> = {
  QUOTE_SINGLE: "single-quoted",
  QUOTE_DOUBLE: "double-quoted",
  BLOCK_LITERAL: "literal",
  BLOCK_FOLDED: "folded",
};

function styleOf(node: Scalar): ScalarStyle {
  return styles[node.type ?? ""] ?? "plain";
}
