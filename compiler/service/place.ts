/** Where in a file of YAML a cursor stands: told from its lines alone, so that it works while the text around the cursor is broken. */

export interface Place {
  /** Keys and indices from the root. Of a place for a key: what the key would stand in. */
  readonly path: readonly (string | number)[];
  readonly kind: "key" | "value" | "comment" | "none";
  /** Where the key or the value begins, behind an opening quote. */
  readonly start: number;
  /** From there to the cursor. */
  readonly text: string;
  readonly isQuoted: boolean;
  /** Inside `{…}` or `[…]`. */
  readonly inFlow: boolean;
}

/** A key or a dash of a block that is still open. */
interface Open {
  readonly indent: number;
  readonly step: string | number;
  readonly valueStart: number;
  /** Whether something follows on the same line. */
  readonly hasValue: boolean;
  /** Entries of a list below it so far. */
  items: number;
}

const key = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#{}[\],&*!|>'"%@`-][^#]*?|-[^\s#][^#]*?)\s*:(?=\s|$)/;

/** The place of the character before which the cursor stands. */
export function placeAt(text: string, offset: number): Place {
  const open: Open[] = [{ indent: -1, step: "", valueStart: 0, hasValue: false, items: 0 }];
  // Counted from -1, `lastIndexOf` would find the line break that a text begins with.
  const last = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
  for (let start = 0; start < last;) {
    const end = text.indexOf("\n", start);
    readLine(open, text.slice(start, end).replace(/\r$/, ""), start, text);
    start = end + 1;
  }
  return atCursor(open, text, last, offset);
}

/** Whether a line goes on with the value of the innermost key: a flow collection, a block scalar, or a text of several lines. */
function goesOn(open: readonly Open[], indent: number, start: number, text: string): boolean {
  const top = open.at(-1);
  if (top === undefined || !top.hasValue) return false;
  const value = text.slice(top.valueStart, start);
  return /^[{[]/.test(value) ? flowAt(value, 0).frames.length > 0 : indent > top.indent;
}

/** Takes in the keys and dashes of a line; gives where what is left of it begins, relative to the line. */
function readLine(open: Open[], line: string, start: number, text: string): number {
  let at = /^ */.exec(line)?.[0].length ?? 0;
  if (/^\s*(?:#|$)/.test(line) || goesOn(open, at, start, text)) return at;
  for (;;) {
    const rest = line.slice(at);
    const dash = /^-(?: +|$)/.exec(rest)?.[0];
    const name = dash === undefined ? key.exec(rest) : null;
    if (dash === undefined && name === null) return at;
    closeTo(open, at, dash !== undefined);
    const found = dash ?? name?.[0] ?? "";
    const value = at + found.length + (/^\s*/.exec(rest.slice(found.length))?.[0].length ?? 0);
    const parent = open.at(-1);
    const step = name === null ? (parent?.items ?? 0) : unquoted(name[1] ?? "");
    if (name === null && parent !== undefined) parent.items += 1;
    const hasValue = !/^(?:#|$)/.test(line.slice(value));
    open.push({ indent: at, step, valueStart: start + value, hasValue, items: 0 });
    if (name !== null) return value;
    at = value;
  }
}

/** Closes what ends where a key or a dash stands at this indentation. A list may stand below its key without indentation. */
function closeTo(open: Open[], indent: number, isDash: boolean): void {
  for (let top = open.at(-1); top !== undefined && top.indent >= indent; top = open.at(-1)) {
    if (isDash && top.indent === indent && typeof top.step === "string" && !top.hasValue) return;
    open.pop();
  }
}

const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/s, "$2");

function atCursor(open: Open[], text: string, start: number, offset: number): Place {
  const line = text.slice(start, offset);
  if (inComment(line)) return { path: [], kind: "comment", start: offset, text: "", isQuoted: false, inFlow: false };
  const indent = /^ */.exec(line)?.[0].length ?? 0;
  const isGoing = line.trim() !== "" && goesOn(open, indent, start, text);
  const isInside = isGoing || goesOn(open, indent, start, text);
  const before = open.length;
  const rest = isInside ? 0 : readLine(open, line, start, text);
  const stepped = open.length > before || line.slice(0, rest).trim() !== "";
  if (!stepped && !isInside) closeTo(open, indent, false);
  const path = open.slice(1).map(({ step }) => step);
  const top = open.at(-1);
  if (isInside && top !== undefined) return inValue(text, top.valueStart, offset, path);
  if (stepped && top !== undefined && start + rest >= top.valueStart) {
    // Behind a dash a key may follow; behind a colon stands a value.
    return inValue(text, Math.min(top.valueStart, offset), offset, path);
  }
  return { path, kind: "key", start: start + indent, text: line.slice(indent), isQuoted: false, inFlow: false };
}

/** Whether a line, up to the cursor, ends in a comment: ` #` outside of quotes. */
function inComment(line: string): boolean {
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const character = line.charAt(i);
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (/["']/.test(character) && /(?:^|[\s:,[{(-])$/.test(line.slice(0, i))) quote = character;
    else if (character === "#" && /(?:^|\s)$/.test(line.slice(0, i))) return true;
  }
  return false;
}

function inValue(text: string, start: number, offset: number, path: readonly (string | number)[]): Place {
  const value = text.slice(start, offset);
  if (!/^[{[]/.test(value)) return valuePlace(value.replace(/^[|>][^\n]*\n/, ""), offset, path, false);
  const { frames } = flowAt(value, start);
  const top = frames.at(-1);
  if (top === undefined) return { path, kind: "none", start: offset, text: "", isQuoted: false, inFlow: true };
  const steps = frames.flatMap(({ kind, name, index }): (string | number)[] =>
    kind === "[" ? [index] : name === null ? [] : [name],
  );
  const part = text.slice(top.start, offset).replace(/^\s+/, "");
  const place = valuePlace(part, offset, [...path, ...steps], true);
  return top.kind === "{" && top.name === null ? { ...place, kind: "key" } : place;
}

function valuePlace(value: string, offset: number, path: Place["path"], inFlow: boolean): Place {
  const isQuoted = /^["']/.test(value);
  const text = isQuoted ? value.slice(1) : value;
  return { path, kind: "value", start: offset - text.length, text, isQuoted, inFlow };
}

/** A flow collection that is still open. */
interface Frame {
  readonly kind: "{" | "[";
  /** Of a mapping: the key whose value is being written. */
  name: string | null;
  index: number;
  /** Where the entry, or the value of its key, begins. */
  start: number;
  /** Brackets inside of an expression. */
  depth: number;
}

/** The collections that are open at the end of `value`, which begins with one; offsets count from `begin`. */
function flowAt(value: string, begin: number): { readonly frames: readonly Frame[] } {
  const frames: Frame[] = [];
  let quote = "";
  for (let i = 0; i < value.length; i++) {
    const character = value.charAt(i);
    const top = frames.at(-1);
    const isFresh = top === undefined || value.slice(top.start - begin, i).trim() === "";
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (isFresh && /["']/.test(character)) quote = character;
    else if (isFresh && (character === "{" || character === "["))
      frames.push({ kind: character, name: null, index: 0, start: begin + i + 1, depth: 0 });
    else if (top !== undefined) step(frames, top, value, i, begin);
    if (frames.length === 0) break;
  }
  return { frames };
}

function step(frames: Frame[], top: Frame, value: string, i: number, begin: number): void {
  const character = value.charAt(i);
  if (/[{[]/.test(character)) top.depth += 1;
  else if (/[}\]]/.test(character)) {
    if (top.depth > 0) top.depth -= 1;
    else frames.pop();
  } else if (character === ",") {
    Object.assign(top, { name: null, index: top.index + 1, start: begin + i + 1, depth: 0 });
  } else if (character === ":" && top.kind === "{" && top.name === null && /^(?:\s|$)/.test(value.slice(i + 1))) {
    const name = unquoted(value.slice(top.start - begin, i).trim());
    Object.assign(top, { name, start: begin + i + 1, depth: 0 });
  }
}
