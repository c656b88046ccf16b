/** Forms of other languages that show in the text before it is split into tokens: comments, templates, choices by `?`. */

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
];

/** The first such form of a text, or null. */
export function wholeForm(text: string): WholeForm | null {
  for (const [pattern, message, write] of forms) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const parts = match.slice(1).map((part: string | undefined) => part?.trim() ?? "");
    return { start: match.index, end: match.index + match[0].length, message, write: write(parts) };
  }
  return choice(text);
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
