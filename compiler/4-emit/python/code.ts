/**
 * Python expressions as trees. Each knows its text on one line and how tightly it binds, so that only the parentheses that Python needs
 * are printed.
 */
import { escapeControls } from "../../../runtime/escape.ts";

type Node =
  /** A name, a number, a text: printed as it is. */
  | { readonly kind: "atom" }
  /** A text, which may go on over several lines. */
  | { readonly kind: "text"; readonly value: string }
  /** `head(args)`; without a head a list, tuple or dict. */
  | { readonly kind: "call"; readonly head: Code | null; readonly args: readonly Code[]; readonly brackets: string }
  /** `object.name` */
  | { readonly kind: "member"; readonly object: Code; readonly name: string }
  /** `object[place]` */
  | { readonly kind: "index"; readonly object: Code; readonly place: string }
  | { readonly kind: "infix"; readonly operator: Infix; readonly left: Code; readonly right: Code }
  | { readonly kind: "prefix"; readonly operator: Prefix; readonly operand: Code }
  /** `yes if test else no` */
  | { readonly kind: "choice"; readonly test: Code; readonly yes: Code; readonly no: Code }
  /** `name=value` among arguments, `*value`, or `"key": value`: `mark` is what stands in front of the value. */
  | { readonly kind: "marked"; readonly mark: string; readonly value: Code };

export type Code = Node & {
  /** The whole on one line. */
  readonly flat: string;
  readonly precedence: number;
};

/** How tightly operators bind, as in the Python language reference, 6.17. */
const infixes = {
  or: 2,
  and: 3,
  "<": 5,
  "<=": 5,
  ">": 5,
  ">=": 5,
  "==": 5,
  "!=": 5,
  "|": 6,
  "&": 8,
  "+": 10,
  "-": 10,
  "*": 11,
  "/": 11,
  "//": 11,
  "%": 11,
  "**": 13,
} as const;
const prefixes = { "not ": 4, "-": 12, "~": 12 } as const;
const CHOICE = 1;
const COMPARISON = 5;
const POWER = 13;
const PRIMARY = 15;

export type Infix = keyof typeof infixes;
type Prefix = keyof typeof prefixes;

/** A text as a literal of one line, in which every character is visible. */
export function quoted(value: string): string {
  return escapeControls(JSON.stringify(value));
}

/** The expression on one line; in parentheses if it binds less tightly than `precedence`. */
export const flat = (code: Code, precedence = 0): string =>
  code.precedence < precedence ? `(${code.flat})` : code.flat;

/** What is in front of a point or a bracket: `2.float()` and `-x.float()` mean something else. */
export const flatObject = (code: Code): string =>
  code.kind === "atom" && /^\d/.test(code.flat) ? `(${code.flat})` : flat(code, PRIMARY);

/** What the operands of an operator must bind as tightly as. Comparisons would chain, so neither side may be one. */
export function operandPrecedences(operator: Infix): { readonly left: number; readonly right: number } {
  const own = infixes[operator];
  if (own === POWER) return { left: POWER + 1, right: prefixes["-"] };
  return { left: own === COMPARISON ? own + 1 : own, right: own + 1 };
}

export const operandPrecedence = (operator: Prefix): number => prefixes[operator];

// ------------------------------------------------------------------------------------------------------------ making trees

export const atom = (text: string): Code => ({
  kind: "atom",
  flat: text,
  precedence: text.startsWith("-") ? prefixes["-"] : PRIMARY,
});

export const textLiteral = (value: string): Code => ({
  kind: "text",
  value,
  flat: quoted(value),
  precedence: PRIMARY,
});

/** A text where an expression is expected is an atom. */
type Given = Code | string;

const asCode = (code: Given): Code => (typeof code === "string" ? atom(code) : code);

function bracketed(head: Code | null, given: readonly Given[], brackets: string): Code {
  const args = given.map(asCode);
  const inside = args.map((arg) => arg.flat).join(", ");
  // The only item of a tuple keeps its comma.
  const end = head === null && brackets === "()" && args.length === 1 ? "," : "";
  const text = `${head === null ? "" : flat(head, PRIMARY)}${brackets[0]}${inside}${end}${brackets[1]}`;
  return { kind: "call", head, args, brackets, flat: text, precedence: PRIMARY };
}

export const call = (head: Given, args: readonly Given[]): Code => bracketed(asCode(head), args, "()");
/** `head[args]` */
export const subscript = (head: Given, args: readonly Given[]): Code => bracketed(asCode(head), args, "[]");
export const list = (items: readonly Given[]): Code => bracketed(null, items, "[]");
export const tuple = (items: readonly Given[]): Code => bracketed(null, items, "()");
/** Of entries made by `entry` and `spread`. */
export const dict = (entries: readonly Code[]): Code => bracketed(null, entries, "{}");

export function member(object: Given, name: string): Code {
  const code = asCode(object);
  return { kind: "member", object: code, name, flat: `${flatObject(code)}.${name}`, precedence: PRIMARY };
}

/** `object.name(args)` */
export const method = (object: Given, name: string, args: readonly Given[] = []): Code =>
  call(member(object, name), args);

export function index(object: Given, place: string): Code {
  const code = asCode(object);
  return { kind: "index", object: code, place, flat: `${flatObject(code)}[${place}]`, precedence: PRIMARY };
}

export function infix(a: Given, operator: Infix, b: Given): Code {
  const [left, right] = [asCode(a), asCode(b)];
  const needed = operandPrecedences(operator);
  const text = `${flat(left, needed.left)} ${operator} ${flat(right, needed.right)}`;
  return { kind: "infix", operator, left, right, flat: text, precedence: infixes[operator] };
}

export function prefix(operator: Prefix, given: Given): Code {
  const operand = asCode(given);
  const precedence = prefixes[operator];
  return { kind: "prefix", operator, operand, flat: `${operator}${flat(operand, precedence)}`, precedence };
}

/** `yes if test else no` */
export function choice(given: Given, ...values: readonly [yes: Given, no: Given]): Code {
  const [test, yes, no] = [asCode(given), asCode(values[0]), asCode(values[1])];
  const text = `${flat(yes, CHOICE + 1)} if ${flat(test, CHOICE + 1)} else ${flat(no, CHOICE)}`;
  return { kind: "choice", test, yes, no, flat: text, precedence: CHOICE };
}

function marked(mark: string, given: Given): Code {
  const value = asCode(given);
  // The grammar takes no choice behind a star without parentheses.
  const text = `${mark}${flat(value, mark.startsWith("*") ? infixes["|"] : 0)}`;
  return { kind: "marked", mark, value, flat: text, precedence: 0 };
}

/** An argument by its name. */
export const named = (name: string, value: Given): Code => marked(`${name}=`, value);

/** An entry of a dict. */
export const entry = (key: string, value: Given): Code => marked(`${quoted(key)}: `, value);

/** All items of a list among others, with two stars all entries of a dict. */
export const spread = (value: Given, mark: "*" | "**" = "*"): Code => marked(mark, value);
