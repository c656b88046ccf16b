/** Forms of other languages that show in the text before it is split into tokens: comments, templates, choices by `?`. */
import { isUnitName, otherUnit } from "./foreign.ts";

interface WholeForm {
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
  readonly message: string;
  /** What to write there; only what to do where it takes a change of another place. */
  readonly write: string | { readonly help: string };
}

const forms: readonly (readonly [RegExp, string, (parts: readonly string[]) => WholeForm["write"]])[] = [
  [
    /^\s*\(?([\w\s,]*?)\)?\s*=>\s*(.*?)\s*$/s,
    "`=>` makes no function here",
    ([names, body]) => ({
      help: `a function is an entry of \`let\` with its arguments in front of the colon: \`name(${names}): ${body}\``,
    }),
  ],
  [/(?<![<>=!])=>/, "`=>` is no comparison here", () => ">="],
  [
    /\b([A-Za-z_][\w.]*)\s+is\s+(not\s+)?(true|false)\b/i,
    "`is` compares nothing here",
    ([name, negated, value]) => ((value?.toLowerCase() === "true") === (negated === "") ? (name ?? "") : `not ${name}`),
  ],
  [
    /^\s*([A-Za-z_][\w.]*)\s*=\s*(true|false)\s*$/i,
    "a single `=` compares nothing",
    ([name, value]) => (value?.toLowerCase() === "true" ? (name ?? "") : `not ${name}`),
  ],
  [/\s*\/\*.*?\*\//s, "`/* */` is no comment here", () => ""],
  // Two words behind it are no division.
  [
    /\s*\/\/\s*[A-Za-z]+\s+(?!(?:over|per|and|or|then|else|with|if)\b)[A-Za-z].*$/s,
    "`//` begins no comment here",
    () => "",
  ],
  [
    /(\d+(?:\.\d+)?)\s*\.{2,3}\s*(\d+(?:\.\d+)?)/,
    "two points make no range here",
    ([low, high]) => ({ help: `levels between the two are drawn by \`uniform(${low}, ${high})\`` }),
  ],
  // `mean(x, (token, channel))` and `mean(x, [token, channel])`
  [
    /(?<=,\s*)(?:(?:dim|axis|axes)\s*=\s*)?[([]\s*((?:token|channel|frame|height|width|step|feature|patch)(?:\s*,\s*\w+)*)\s*,?\s*[)\]]/,
    "axes are arguments of their own",
    ([axes]) => axes ?? "",
  ],
  [/\$\{\s*([\w.]+(?:\[\d+\])?)\s*\}/, "a name is written without `${}` here", ([name]) => name ?? ""],
  [/\{\{\s*([\w.]+)\s*\}\}/, "a name is written without braces here", ([name]) => name ?? ""],
  [
    /\bif\s*\(([^{}]*)\)\s*\{([^{}]*)\}\s*else\s*\{([^{}]*)\}/,
    "an `if` has no braces here",
    ([condition, then, otherwise]) => `if ${condition} then ${then} else ${otherwise}`,
  ],
  [
    /\b(?:samples?|clips?|batch|data|dataset)\s+in\s+([A-Za-z_]\w*)(?![\w(])/,
    "whether a sample is in a data set is a function here",
    ([dataset]) => `in(${dataset})`,
  ],
];

/** The same in entries of `expect`. */
const expectedForms: typeof forms = [
  [
    /^(.*\babout\b.+?)\s*(?:\+\/?-|±)\s*([\w.].*)$/s,
    "how far a number may be off is said by `within`",
    ([about, within]) => `${about} within ${within}`,
  ],
  [
    /^(.*[\w)\]])\s*(?:~=?|≈|≃)\s*([\d.].*)$/s,
    "what a value is on average is said by `about`",
    ([value, about]) => `${value} about ${about}`,
  ],
  [
    /^(.*[\w)\]])\s+(?:approx|approximately|around|nearly|roughly|is\s+about)\s+(\S.*)$/s,
    "what a value is on average is said by `about`",
    ([value, about]) => `${value} about ${about}`,
  ],
];

/** The first such form of a text, or null. */
export function wholeForm(text: string): WholeForm | null {
  return firstOf(forms, text) ?? detachedUnit(text) ?? choice(text);
}

const more: typeof forms = [
  [
    /^.*[\w)\]]\s+about\s+[\w.]+\s+(?:and|or)\s.+$/s,
    "`about` ends an entry of `expect`",
    () => ({ help: "write what is joined here as entries of their own, each behind `- `" }),
  ],
  [
    /^(.*[\w)\]])\s+between\s+([\d.]+)\s+and\s+([\d.]+)\s*$/s,
    "`between` compares nothing here",
    ([value, low, high]) => ({
      help: `on average: \`${value} about ${middle(low, high, 1)} within ${middle(low, high, -1)}\`; in every sample: \`${value} >= ${low} and ${value} <= ${high}\``,
    }),
  ],
];

const middle = (low: string | undefined, high: string | undefined, sign: 1 | -1): number =>
  Number(((Number(high) + sign * Number(low)) / 2).toPrecision(12));

/** Longer than any entry of `expect` that somebody writes; these patterns look at every word in front of every other. */
const longestExpected = 500;

/** The same of an entry of `expect`. */
export const expectedForm = (text: string): WholeForm | null =>
  text.length > longestExpected ? null : firstOf([...expectedForms, ...more], text);

function firstOf(known: typeof forms, text: string): WholeForm | null {
  for (const [pattern, message, write] of known) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const parts = match.slice(1).map((part: string | undefined) => part?.trim() ?? "");
    return { start: match.index, end: match.index + match[0].length, message, write: write(parts) };
  }
  return null;
}

/** `2 lf` and `2 frames`; a text in quotes may hold anything. */
function detachedUnit(text: string): WholeForm | null {
  const detached =
    /(?<!\b(?:first|last)\s+|[\w.])(\d+(?:\.\d+)?)\s+(px|lf|f|s|[a-z]*(?:frames?|seconds?|secs?|pixels?|percent))\b(?!\s*\()/;
  const match = /["']/.test(text) ? null : detached.exec(text);
  if (match === null) return null;
  const { index, 0: written, 1: number = "", 2: unit = "" } = match;
  const help = isUnitName(unit) ? null : otherUnit(unit, Number(number));
  if (help === null && !isUnitName(unit)) return null;
  const message = "a unit stands right behind its number, without a space";
  return { start: index, end: index + written.length, message, write: help === null ? `${number}${unit}` : { help } };
}

/** `c ? a : b`, whole or in parentheses of its own. */
function choice(text: string): WholeForm | null {
  const inner = /(^|\()([^()?:]*(?:\([^()]*\)[^()?:]*)*)\?([^?:]*):([^?:()]*(?:\([^()]*\)[^?:()]*)*)(?=$|\))/.exec(
    text,
  );
  if (inner === null) return null;
  const [whole, open = "", ...parts] = inner;
  const [condition, then, otherwise] = parts.map((part) => part.trim());
  return {
    start: inner.index + open.length,
    end: inner.index + whole.length,
    message: "`?` means nothing here: a choice is written with words",
    write: `if ${condition} then ${then} else ${otherwise}`,
  };
}
