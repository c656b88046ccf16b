/**
 * What makes an imported function impure, found in the text of its file without running it: a step may be recorded once and replayed, so
 * its result must depend on its arguments alone. The text is read without a parser: a warning that an author may allow, not a proof.
 */

/** One such place. */
interface Impurity {
  /** Line and column, counted from 1. */
  readonly place: string;
  readonly message: string;
  readonly help: string;
}

const drawn =
  "draw it in the strategy, `uniform(0, 1)` or `randn()`, and pass it as an argument: then the seed decides";
const fixed = "make it a parameter of the strategy, and pass it as an argument";

const outside: readonly (readonly [RegExp, string, string])[] = [
  [/\bMath\s*\.\s*random\b/g, "`Math.random`", drawn],
  [/\brandom\b[^{}=;]*\}\s*=\s*Math\b/g, "`random` of `Math`", drawn],
  [/\bcrypto\s*\.\s*\w+/g, "`crypto`", drawn],
  [
    /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\))?(?!\s*\(?\s*[\w"'`])|\bperformance\s*\.\s*now\b/g,
    "the time",
    fixed,
  ],
  [/\bprocess\s*\.\s*\w+/g, "`process`", fixed],
  [/\bglobalThis\b/g, "`globalThis`", fixed],
  [/\b(?:fetch|setTimeout|setInterval|queueMicrotask)\s*\(/g, "something outside of the step", fixed],
];

/** The first place of each kind. */
export function impuritiesOf(text: string): readonly Impurity[] {
  const code = withoutComments(text);
  const found = outside.flatMap(([pattern, what, help]) => {
    const [match] = code.matchAll(pattern);
    return match === undefined ? [] : [{ at: match.index, message: `it uses ${what}`, help }];
  });
  return [...found, ...writtenState(code)].map(({ at, ...rest }) => ({ ...rest, place: placeOf(text, at) }));
}

/** A variable of the module that a function writes. */
function writtenState(code: string) {
  const depths = depthsOf(code);
  const help = "a call must not change what a later one returns: keep values in variables of the function";
  for (const { 1: name = "", index } of code.matchAll(/\b(?:let|var)\s+([A-Za-z_$][\w$]*)/g)) {
    if (depths[index] !== 0) continue;
    const quoted = name.replaceAll("$", "\\$");
    const written = new RegExp(
      `(?<![\\w$.])(?:\\+\\+|--)\\s*${quoted}(?![\\w$])|(?<![\\w$.]|\\b(?:let|const|var)\\s+)${quoted}\\s*(?:\\+\\+|--|(?:[-+*/%&|^]|\\*\\*|<<|>>|&&|\\|\\||\\?\\?)?=(?![=>]))`,
      "g",
    );
    for (const match of code.matchAll(written))
      if ((depths[match.index] ?? 0) > 0 || isInArrow(code, match.index))
        return [{ at: match.index, message: `a function writes \`${name}\`, a variable of the module`, help }];
  }
  return [];
}

/** Whether the line so far has an arrow: its function may have no braces. */
const isInArrow = (code: string, at: number): boolean => code.slice(code.lastIndexOf("\n", at) + 1, at).includes("=>");

/** How many braces are open at each place. */
function depthsOf(code: string): readonly number[] {
  let depth = 0;
  return Array.from({ length: code.length }, (_, i) => {
    if (code[i] === "{") depth++;
    else if (code[i] === "}") depth--;
    return depth;
  });
}

/** Comments, and what quotes hold, as spaces, so that places stay; `${…}` in a template is code. */
function withoutComments(text: string): string {
  const pieces = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replace(pieces, (piece) =>
    piece.startsWith("`")
      ? piece.replace(/\$\{([^{}]*)\}|[^\n]/g, (_, inner?: string) => (inner === undefined ? " " : `  ${inner} `))
      : piece.replace(/[^\n]/g, " "),
  );
}

function placeOf(text: string, at: number): string {
  const lines = text.slice(0, at).split("\n");
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}
