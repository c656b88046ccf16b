import { EOF, Lexer, tokenMatcher, type ILexingError, type IRecognitionException, type IToken } from "chevrotain";
import type { Bag } from "../../diagnostics/bag.ts";
import { replacement } from "../../diagnostics/did-you-mean.ts";
import type { Span } from "../../source/span.ts";
import type { Binder, Expected, Expression, Item } from "./ast.ts";
import { reportTexts } from "./foreign.ts";
import { EntryParser } from "./entries.ts";
import { describe, helpForCharacter, isMeantAsEqual, startsValue } from "./messages.ts";
import type { MapOffset } from "./parser-base.ts";
import { remembered } from "./remembered.ts";
import * as t from "./tokens.ts";
import { expectedForm, wholeForm } from "./whole-forms.ts";

/** Bounds that keep every recursive walk over a tree far from the end of the stack. */
const maxNesting = 48;
const maxTokens = 1000;

const lexer = new Lexer(t.vocabulary, { positionTracking: "onlyOffset", ensureOptimizations: false });
/** Made at the first use, since analysing the grammar takes longer than most parses. Holds no state between parses. */
let parser: EntryParser | null = null;

/**
 * Parses one expression. Everything wrong goes to the bag, at its place in the file; what could not be read is a node of
 * kind `error`. `mapOffset` takes an offset in `text` to its offset in the file.
 */
export function parseExpression(text: string, mapOffset: MapOffset, bag: Bag): Expression {
  const whole = spanIn(mapOffset, 0, text.length);
  return read(expression, text, mapOffset, bag) ?? { kind: "error", span: whole };
}

/** Parses an entry of `keep`, `noise_mask` or `references`: an expression, maybe `with probability p`. */
export function parseItem(text: string, mapOffset: MapOffset, bag: Bag): Item {
  const span = spanIn(mapOffset, 0, text.length);
  return read(item, text, mapOffset, bag) ?? { value: { kind: "error", span }, probability: null, span };
}

/** Parses an entry of `expect`: an expression, maybe `about` a number, maybe `within` another. */
export function parseExpected(text: string, mapOffset: MapOffset, bag: Bag): Expected {
  const span = spanIn(mapOffset, 0, text.length);
  return read(expected, text, mapOffset, bag) ?? { value: { kind: "error", span }, share: null, span };
}

/** Parses the left side of a `let` entry, `name` or `name(a, b)`; null where it is neither. */
export function parseBinder(text: string, mapOffset: MapOffset, bag: Bag): Binder | null {
  return read(binder, text, mapOffset, bag);
}

/** What is read, by its name, and how. */
interface Rule<T> {
  readonly what: string;
  readonly with: (parser: EntryParser) => T | null;
  /** Those that it is made of. */
  readonly expressions: (tree: T) => readonly Expression[];
  /** A form of other languages that shows in the text before it is split into tokens. */
  readonly foreign: typeof wholeForm;
}

const expression: Rule<Expression> = {
  what: "expression",
  with: (ready) => ready.expression(),
  expressions: (tree) => [tree],
  foreign: wholeForm,
};
const item: Rule<Item> = {
  what: "item",
  with: (ready) => ready.item(),
  expressions: ({ value, probability }) => [value, ...(probability === null ? [] : [probability])],
  foreign: wholeForm,
};
/** What a number is expected to be. */
const expectedOf = (share: Expected["share"]): readonly Expression[] =>
  share === null ? [] : share.within === null ? [share.about] : [share.about, share.within];

const expected: Rule<Expected> = {
  what: "expected",
  with: (ready) => ready.expected(),
  expressions: ({ value, share }) => [value, ...expectedOf(share)],
  foreign: (text) => expectedForm(text) ?? wholeForm(text),
};
const binder: Rule<Binder> = {
  what: "binder",
  with: (ready) => ready.binder(),
  expressions: () => [],
  foreign: wholeForm,
};

function read<T extends object>(rule: Rule<T>, text: string, mapOffset: MapOffset, bag: Bag): T | null {
  const { reports } = bag;
  return remembered(
    { what: rule.what, text, mapOffset },
    () => run(rule, text, mapOffset, bag),
    () => bag.reports === reports,
  );
}

function run<T>(rule: Rule<T>, text: string, mapOffset: MapOffset, bag: Bag): T | null {
  const tokens = tokenize(text, rule.foreign(text), mapOffset, bag);
  if (tokens === null) return null;
  parser ??= new EntryParser({ skipValidations: true });
  const tree = rule.with(parser.read(tokens.list, mapOffset, bag));
  const { errors, isItem } = parser;
  if (tree !== null && tokens.list.some(({ tokenType }) => tokenType === t.Text))
    reportTexts(rule.expressions(tree), bag);
  if (!tokens.hasGaps) report(errors, { tokens: tokens.list, text, mapOffset, isItem }, bag);
  parser.input = [];
  return tokens.hasGaps || errors.some(isTorn) ? null : tree;
}

/** What stands before a value without an operator, or before a misplaced word or sign, is not what was meant; nothing is said about it. */
function isTorn({ name, token }: IRecognitionException): boolean {
  const follows =
    startsValue(token) ||
    [t.With, t.Comma, t.Assign, t.Not].includes(token.tokenType) ||
    tokenMatcher(token, t.CompareOperator);
  return name === "NotAllInputParsedException" && follows;
}

/** The tokens of a text as written; none where it has characters that belong to no token. */
export function tokensOf(text: string): readonly IToken[] {
  const { tokens, errors } = lexer.tokenize(text);
  return errors.length > 0 ? [] : tokens;
}

interface Tokens {
  readonly list: IToken[];
  /** Whether characters were left out; errors of the grammar would then only follow from that. */
  readonly hasGaps: boolean;
}

type Form = ReturnType<typeof wholeForm>;

/** The tokens with operators of other languages replaced; null for a text that has none or too many. */
function tokenize(text: string, form: Form, mapOffset: MapOffset, bag: Bag): Tokens | null {
  if (form !== null) {
    reportWholeForm(form, mapOffset, bag);
    return null;
  }
  const { tokens, errors } = lexer.tokenize(text);
  for (const { offset, length } of firstOfEach(errors, text)) reportCharacters(text, offset, length, mapOffset, bag);
  if (tokens.length === 0) {
    if (errors.length === 0) reportEmpty(text, mapOffset, bag);
    return null;
  }
  if (isTooLarge(tokens)) {
    const help = "give parts of it names under `let`";
    bag.error("LTX1104", spanIn(mapOffset, 0, text.length), "this expression is too long or too deeply nested", {
      help,
    });
    return null;
  }
  return { list: tokens.map((token) => ours(token, text, mapOffset, bag)), hasGaps: errors.length > 0 };
}

/** Reports a form of another language that only the whole text shows. */
function reportWholeForm({ start, end, message, write }: NonNullable<Form>, mapOffset: MapOffset, bag: Bag): void {
  const span = spanIn(mapOffset, start, end);
  if (typeof write !== "string") {
    bag.error("LTX1102", span, message, write);
    return;
  }
  const help = write === "" ? "remove it; a comment begins with `#` and ends the line" : `write \`${write}\``;
  bag.error("LTX1102", span, message, { help, fix: replacement(span, write) });
}

/** Quotes and braces come in pairs: each character is reported once, and `}` not at all where `${` is. */
function firstOfEach(errors: readonly ILexingError[], text: string): ILexingError[] {
  const seen = new Set<string>();
  return errors.filter(({ offset }) => {
    const character = text.charAt(offset);
    const isNew = !seen.has(character);
    for (const same of character === "$" || character === "{" ? ["$", "{", "}"] : [character]) seen.add(same);
    return isNew;
  });
}

function reportEmpty(text: string, mapOffset: MapOffset, bag: Bag): void {
  const help = "write an expression, or remove the key";
  bag.error("LTX1106", spanIn(mapOffset, 0, text.length), "an expression is missing here", { help });
}

function reportCharacters(text: string, offset: number, length: number, mapOffset: MapOffset, bag: Bag): void {
  const help = helpForCharacter(text.charAt(offset));
  const characters = text.slice(offset, offset + length).trimEnd();
  const span = spanIn(mapOffset, offset, offset + characters.length);
  bag.error("LTX1102", span, `\`${characters}\` means nothing in an expression`, help === null ? {} : { help });
}

/** Brackets and `if`s nest; an `if` counts until its group ends, which bounds the depth from above. */
function isTooLarge(tokens: readonly IToken[]): boolean {
  if (tokens.length > maxTokens) return true;
  const groups = [0];
  let depth = 0;
  for (const { tokenType } of tokens) {
    if (tokenType === t.Open || tokenType === t.OpenIndex) groups.push(depth++);
    else if (tokenType === t.If) depth++;
    else if (tokenType === t.Close || tokenType === t.CloseIndex) depth = groups.pop() ?? 0;
    if (depth > maxNesting) return true;
  }
  return false;
}

/** Replaces an operator of another language by ours, and says so. */
function ours(token: IToken, text: string, mapOffset: MapOffset, bag: Bag): IToken {
  checkNumber(token, mapOffset, bag);
  const meant = t.meantBy(token);
  if (meant === null) return token;
  const span = tokenSpan(token, mapOffset);
  const help = `write \`${meant.spelling}\``;
  bag.error("LTX1103", span, `\`${token.image}\` is not an operator of this language`, {
    help,
    fix: { title: help, edits: [{ span, text: detached(meant.spelling, text, token) }] },
  });
  const { type } = meant;
  return { ...token, tokenType: type, tokenTypeIdx: type.tokenTypeIdx ?? token.tokenTypeIdx };
}

/** A word needs a space where an operator of signs has none: `a&&b` is `a and b`. */
function detached(word: string, text: string, { startOffset, image }: IToken): string {
  if (!/^\w/.test(word)) return word;
  const touches = (at: number) => /[\w.]/.test(text.charAt(at));
  const end = startOffset + image.length;
  return `${touches(startOffset - 1) ? " " : ""}${word}${touches(end) ? " " : ""}`;
}

function checkNumber(token: IToken, mapOffset: MapOffset, bag: Bag): void {
  if (token.tokenType !== t.NumberToken || Number.isFinite(Number(token.image))) return;
  bag.error("LTX1105", tokenSpan(token, mapOffset), `\`${token.image}\` is too large for a number`);
}

/** A text that the grammar has read. */
interface Parsed {
  readonly tokens: readonly IToken[];
  readonly text: string;
  readonly mapOffset: MapOffset;
  /** Whether it is an entry of `keep`, `noise_mask` or `references`. */
  readonly isItem: boolean;
}

/** Errors that begin at the same place, or before the last one's end, follow from it and are left out. */
function report(errors: readonly IRecognitionException[], { tokens, text, mapOffset, isItem }: Parsed, bag: Bag): void {
  let last = -1;
  for (const error of [...errors].toSorted((a, b) => errorStart(a, text) - errorStart(b, text))) {
    const start = errorStart(error, text);
    if (start <= last) continue;
    const isEnd = error.token.tokenType === EOF;
    last = isEnd ? text.length : start + error.token.image.length;
    const { code, message, help } = describe(
      error,
      isEnd ? tokens.at(-1) : tokens[tokens.indexOf(error.token) - 1],
      isItem,
    );
    const span = spanIn(mapOffset, start, isEnd ? start : last);
    const fix = isMeantAsEqual(error) ? replacement(span, "==") : null;
    const advice = code === "LTX1109" ? (chained(text) ?? help) : help;
    bag.error(code, span, message, {
      ...(advice === undefined ? {} : { help: advice }),
      ...(fix === null ? {} : { fix }),
    });
    // What follows a misplaced or broken `with probability` is no operand of anything.
    if (code === "LTX1108") break;
  }
}

/** `0 <= frame_index < 3` as two comparisons; null where it is a part of something else. */
function chained(text: string): string | null {
  const side = String.raw`([^<>=!,]+?)`;
  const parts = new RegExp(`^\\s*${side}\\s*([<>]=?)\\s*${side}\\s*([<>]=?)\\s*${side}\\s*$`).exec(text);
  if (parts === null) return null;
  const [, a, first, b, second, c] = parts;
  return `compare two values at a time: write \`${a} ${first} ${b} and ${b} ${second} ${c}\``;
}

/** The token at the end of the input has no offset. */
function errorStart({ token }: IRecognitionException, text: string): number {
  return Number.isNaN(token.startOffset) ? text.trimEnd().length : token.startOffset;
}

function tokenSpan(token: IToken, mapOffset: MapOffset): Span {
  return spanIn(mapOffset, token.startOffset, token.startOffset + token.image.length);
}

function spanIn(mapOffset: MapOffset, start: number, end: number): Span {
  return { start: mapOffset(start), end: mapOffset(end) };
}
