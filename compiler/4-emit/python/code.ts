/** Python expressions as trees: they know their precedence, so that only the parentheses that Python needs are printed. */
import { escapeControls } from "../../source/escape.ts";

export type Code =
  /** A name, a number, a text: printed as it is. */
  | { readonly kind: "atom"; readonly text: string }
  /** A text, which may go on over several lines. */
  | { readonly kind: "text"; readonly value: string }
  /** `head(args)`; without a head a list or tuple. */
  | { readonly kind: "call"; readonly head: Code | null; readonly args: readonly Code[]; readonly brackets: string }
  /** `object.name` */
  | { readonly kind: "member"; readonly object: Code; readonly name: string }
  /** `object[text]` */
  | { readonly kind: "index"; readonly object: Code; readonly text: string }
  | { readonly kind: "infix"; readonly operator: Infix; readonly left: Code; readonly right: Code }
  | { readonly kind: "prefix"; readonly operator: Prefix; readonly operand: Code }
  /** `yes if test else no` */
  | { readonly kind: "choice"; readonly test: Code; readonly yes: Code; readonly no: Code }
  /** `name=value` among arguments, `*value`, or `"key": value`: `mark` is what stands in front of the value. */
  | { readonly kind: "marked"; readonly mark: string; readonly value: Code };

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
  is: 5,
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

/** A text as a literal of one line, in which every character is visible. */
export function quoted(value: string): string {
  return escapeControls(JSON.stringify(value));
}

export type Infix = keyof typeof infixes;
type Prefix = keyof typeof prefixes;

export const atom = (text: string): Code => ({ kind: "atom", text });

const asCode = (code: Code | string): Code => (typeof code === "string" ? atom(code) : code);
const asCodes = (codes: readonly (Code | string)[]): readonly Code[] => codes.map(asCode);

export function call(head: Code | string, args: readonly (Code | string)[]): Code {
  return { kind: "call", head: asCode(head), args: asCodes(args), brackets: "()" };
}

export function list(items: readonly (Code | string)[]): Code {
  return { kind: "call", head: null, args: asCodes(items), brackets: "[]" };
}

/** `(a, b)`, of one item `(a,)`. */
export function tuple(items: readonly (Code | string)[]): Code {
  return { kind: "call", head: null, args: asCodes(items), brackets: "()" };
}

/** `object.name(args)` */
export function method(object: Code | string, name: string, args: readonly (Code | string)[] = []): Code {
  return call(member(object, name), args);
}

export function member(object: Code | string, name: string): Code {
  return { kind: "member", object: asCode(object), name };
}

export function index(object: Code | string, text: string): Code {
  return { kind: "index", object: asCode(object), text };
}

export function infix(left: Code | string, operator: Infix, right: Code | string): Code {
  return { kind: "infix", operator, left: asCode(left), right: asCode(right) };
}

export function prefix(operator: Prefix, operand: Code | string): Code {
  return { kind: "prefix", operator, operand: asCode(operand) };
}

export function choice(test: Code | string, yes: Code | string, no: Code | string): Code {
  return { kind: "choice", test: asCode(test), yes: asCode(yes), no: asCode(no) };
}

export function named(name: string, value: Code | string): Code {
  return { kind: "marked", mark: `${name}=`, value: asCode(value) };
}

/** An entry of a dict. */
export function entry(key: string, value: Code | string): Code {
  return { kind: "marked", mark: `${quoted(key)}: `, value: asCode(value) };
}

/** All items of a list among others, with two stars all entries of a dict. */
export function spread(value: Code | string, mark: "*" | "**" = "*"): Code {
  return { kind: "marked", mark, value: asCode(value) };
}

/** `{"a": b}` */
export function dict(entries: readonly Code[]): Code {
  return { kind: "call", head: null, args: entries, brackets: "{}" };
}

export function precedenceOf(code: Code): number {
  switch (code.kind) {
    case "infix":
      return infixes[code.operator];
    case "prefix":
      return prefixes[code.operator];
    case "choice":
      return CHOICE;
    case "atom":
      return code.text.startsWith("-") ? prefixes["-"] : PRIMARY;
    default:
      return code.kind === "marked" ? 0 : PRIMARY;
  }
}

/** What the operands of an operator must bind as tightly as. Comparisons would chain, so neither side may be one. */
export function operandPrecedences(operator: Infix): { readonly left: number; readonly right: number } {
  const own = infixes[operator];
  if (own === POWER) return { left: POWER + 1, right: prefixes["-"] };
  return { left: own === COMPARISON ? own + 1 : own, right: own + 1 };
}

export const operandPrecedence = (operator: Prefix): number => prefixes[operator];

const texts = new WeakMap<Code, string>();

/** The expression on one line; in parentheses if it binds less tightly than `precedence`. */
export function flat(code: Code, precedence = 0): string {
  let text = texts.get(code);
  if (text === undefined) texts.set(code, (text = flatText(code)));
  return precedenceOf(code) < precedence ? `(${text})` : text;
}

function flatText(code: Code): string {
  switch (code.kind) {
    case "atom":
      return code.text;
    case "text":
      return quoted(code.value);
    case "call": {
      const isSingle = code.head === null && code.brackets === "()" && code.args.length === 1;
      const args = code.args.map((arg) => flat(arg)).join(", ");
      return `${code.head === null ? "" : flat(code.head, PRIMARY)}${around(code.brackets, isSingle ? `${args},` : args)}`;
    }
    case "member":
      return `${flatObject(code.object)}.${code.name}`;
    case "index":
      return `${flatObject(code.object)}[${code.text}]`;
    case "infix": {
      const { left, right } = operandPrecedences(code.operator);
      return `${flat(code.left, left)} ${code.operator} ${flat(code.right, right)}`;
    }
    case "prefix":
      return `${code.operator}${flat(code.operand, operandPrecedence(code.operator))}`;
    case "choice":
      return `${flat(code.yes, CHOICE + 1)} if ${flat(code.test, CHOICE + 1)} else ${flat(code.no, CHOICE)}`;
    case "marked":
      // The grammar takes no choice behind a star without parentheses.
      return `${code.mark}${flat(code.value, code.mark.startsWith("*") ? infixes["|"] : 0)}`;
  }
}

const around = (brackets: string, text: string): string => `${brackets[0]}${text}${brackets[1]}`;

/** `2.float()` and `-x.float()` mean something else. */
export const flatObject = (code: Code): string => flat(code, /^\d/.test(flat(code)) ? Infinity : PRIMARY);
