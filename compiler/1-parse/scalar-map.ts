/**
 * Leads from an offset in a scalar's decoded text to the offset in the file where that character is written: through
 * escapes, folded lines, indentation and chomping.
 */

export type ScalarStyle = "plain" | "single-quoted" | "double-quoted" | "literal" | "folded";

/** Decoded text; `offsets[i]` is where character `i` stands in the raw text, and the last entry where the contents end. */
interface Decoded {
  readonly text: string;
  readonly offsets: readonly number[];
}

/**
 * @param raw the scalar as written, from its first character (a quote, `|` or `>` included) to its end
 * @param text what YAML makes of it
 * @returns offsets relative to `raw`
 */
export function mapScalar(raw: string, style: ScalarStyle, text: string): (offset: number) => number {
  const offsets = decode(raw, style, text)?.offsets;
  const length = raw.length;
  if (offsets === undefined) return (offset) => Math.min(Math.max(offset, 0), length);
  return (offset) => offsets[Math.min(Math.max(offset, 0), text.length)] ?? length;
}

/** Null where our reading of the raw text differs from what YAML made of it. */
export function decode(raw: string, style: ScalarStyle, text: string): Decoded | null {
  const isBlock = style === "literal" || style === "folded";
  const decoded = isBlock ? decodeBlock(raw, style, text) : decodeFlow(raw, style);
  return decoded.text === text ? decoded : null;
}

class Writer {
  text = "";
  readonly offsets: number[] = [];

  /** All of `text` comes from the one place `offset`. */
  put(text: string, offset: number): void {
    this.text += text;
    for (let i = 0; i < text.length; i++) this.offsets.push(offset);
  }

  end(offset: number): Decoded {
    return { text: this.text, offsets: [...this.offsets, offset] };
  }
}

// ------------------------------------------------------------------------------------------------------------ flow scalars

function decodeFlow(raw: string, style: ScalarStyle): Decoded {
  const quote = style === "plain" ? 0 : 1;
  const end = raw.length - quote;
  const out = new Writer();
  const fold = /[ \t]*(?:\r?\n[ \t]*)+/y;
  for (let at = quote; at < end;) {
    fold.lastIndex = at;
    const match = fold.exec(raw);
    if (match !== null) at = putFold(out, match[0], at);
    else if (style === "double-quoted" && raw[at] === "\\") at = putEscape(out, raw, at);
    else if (style === "single-quoted" && raw[at] === "'") at = putOne(out, "'", at, 2);
    else at = putOne(out, raw.charAt(at), at, 1);
  }
  return out.end(end);
}

function putOne(out: Writer, text: string, at: number, width: number): number {
  out.put(text, at);
  return at + width;
}

/** One line break becomes a space, of several the first is dropped. */
function putFold(out: Writer, folded: string, at: number): number {
  const breaks = [...folded.matchAll(/\r?\n/g)].map((match) => at + match.index);
  if (breaks.length === 1) out.put(" ", breaks[0] ?? at);
  for (const offset of breaks.slice(1)) out.put("\n", offset);
  return at + folded.length;
}

const escapes: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  N: "\u0085",
  _: "\u00a0",
  L: "\u2028",
  P: "\u2029",
};

const hexadecimal = /x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})/y;
const escapedBreak = /\r?\n[ \t]*/y;

function putEscape(out: Writer, raw: string, at: number): number {
  escapedBreak.lastIndex = at + 1;
  const joined = escapedBreak.exec(raw);
  if (joined !== null) return at + 1 + joined[0].length;
  hexadecimal.lastIndex = at + 1;
  const code = hexadecimal.exec(raw);
  if (code === null) return putOne(out, escapes[raw.charAt(at + 1)] ?? raw.charAt(at + 1), at, 2);
  const point = Number.parseInt(code[1] ?? code[2] ?? code[3] ?? "0", 16);
  return putOne(out, point > 0x10ffff ? "" : String.fromCodePoint(point), at, 1 + code[0].length);
}

// ----------------------------------------------------------------------------------------------------------- block scalars

interface Line {
  readonly text: string;
  /** Of the line's first character in the raw text, and of its line break (or the end of the raw text). */
  readonly start: number;
  readonly end: number;
  readonly broken: boolean;
}

function decodeBlock(raw: string, style: "literal" | "folded", text: string): Decoded {
  const header = /^[|>][^\r\n]*(?:\r?\n|$)/.exec(raw)?.[0] ?? "";
  const chomp = /^[|>]\d?([+-])/.exec(header)?.[1] ?? "";
  const lines = splitLines(raw, header.length);
  const written = lines.map((line) => line.text);
  // A header such as `|2` counts from the parent's indentation, which is not written here: the decoded text tells it.
  const indent = Math.max(0, depthOf(written) - depthOf(text.split("\n")));
  return decodeLines(lines, indent, style, chomp);
}

const spaces = (line: string) => /^ */.exec(line)?.[0].length ?? 0;

/** Spaces before the first character of the contents; of blank lines alone, the longest. */
function depthOf(lines: readonly string[]): number {
  const first = lines.find((line) => /[^ ]/.test(line));
  return first === undefined ? lines.reduce((most, line) => Math.max(most, spaces(line)), 0) : spaces(first);
}

function splitLines(raw: string, from: number): Line[] {
  const lines: Line[] = [];
  for (let start = from; start < raw.length;) {
    const newline = raw.indexOf("\n", start);
    const next = newline < 0 ? raw.length : newline + 1;
    const end = newline < 0 ? raw.length : newline - (raw[newline - 1] === "\r" ? 1 : 0);
    lines.push({ text: raw.slice(start, end), start, end, broken: newline >= 0 });
    start = next;
  }
  return lines;
}

function decodeLines(lines: readonly Line[], indent: number, style: "literal" | "folded", chomp: string): Decoded {
  const texts = lines.map((line) => line.text.slice(indent));
  const last = texts.findLastIndex((text) => text !== "");
  const out = new Writer();
  let pending: number[] = [];
  let previous: string | null = null;
  for (const [index, line] of lines.slice(0, last + 1).entries()) {
    const text = texts[index] ?? "";
    if (text !== "") {
      putBreaks(out, pending, style === "folded" && previous !== null && isFolded(previous, text));
      for (let i = 0; i < text.length; i++) out.put(text.charAt(i), line.start + indent + i);
      pending = [];
      previous = text;
    }
    pending.push(line.end);
  }
  const tail = lines.slice(last + 1);
  putEnd(out, previous === null ? [] : pending, tail, chomp, lines[Math.max(last, 0)]?.broken ?? false);
  return out.end(lines[Math.max(last, 0)]?.end ?? 0);
}

/** Line breaks fold between two lines of which neither begins with white space. */
function isFolded(previous: string, text: string): boolean {
  return !/^[ \t]/.test(previous) && !/^[ \t]/.test(text);
}

function putBreaks(out: Writer, breaks: readonly number[], folded: boolean): void {
  if (!folded) for (const offset of breaks) out.put("\n", offset);
  else if (breaks.length === 1) out.put(" ", breaks[0] ?? 0);
  else for (const offset of breaks.slice(1)) out.put("\n", offset);
}

/** `-` drops all line breaks at the end, `+` keeps them, otherwise one stays. */
function putEnd(out: Writer, own: readonly number[], tail: readonly Line[], chomp: string, broken: boolean): void {
  if (chomp === "-") return;
  if (broken || chomp === "") for (const offset of own) out.put("\n", offset);
  if (chomp === "+") for (const line of tail) if (line.broken) out.put("\n", line.end);
}
