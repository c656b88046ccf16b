/** Says what the parser found wrong in the user's terms. */
import {
  EOF,
  tokenMatcher,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type IToken,
  type TokenType,
} from "chevrotain";
import * as t from "./tokens.ts";

const phrases = new Map<TokenType, string>([
  [t.Name, "a name"],
  [t.NumberToken, "a whole number"],
  [t.Else, "`else`"],
  [EOF, "the end of the expression"],
]);

const phrase = (type: TokenType) => phrases.get(type) ?? type.name;

/** Of each error only what was expected; `describe` says the rest. */
export const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => phrase(expected),
  buildNotAllInputParsedMessage: () => "an operator or the end of the expression",
  buildNoViableAltMessage: ({ ruleName }) => (ruleName === "axes" ? "an axis" : "a value"),
  buildEarlyExitMessage: () => "a name",
};

interface Description {
  readonly code: "LTX1101" | "LTX1108" | "LTX1109";
  readonly message: string;
  readonly help?: string;
}

/** A `=` that the grammar does not take can only be meant as a comparison. */
export function isMeantAsEqual({ token }: IRecognitionException): boolean {
  return token.tokenType === t.Assign;
}

/** `previous` is the token before the one at which the error was found; `isItem`: the text is an entry of a list. */
export function describe(error: IRecognitionException, previous: IToken | undefined, isItem: boolean): Description {
  const found = error.token;
  const leftOver = error.name === "NotAllInputParsedException";
  if (leftOver && found.tokenType === t.With) return misplacedProbability;
  if (leftOver && tokenMatcher(found, t.CompareOperator)) return chainedComparison;
  const ofExpect = leftOver ? wordsOfExpect[found.image] : undefined;
  const help = ofExpect ?? (leftOver && isItem && found.tokenType === t.Comma ? listInstead : helpFor(error, previous));
  if (previous?.tokenType === t.With && !leftOver)
    return {
      code: "LTX1108",
      message: "after `with` comes `probability`",
      help: "write `first_frame with probability 0.5`",
    };
  const image = found.tokenType === EOF ? "the expression ends" : `found \`${found.image}\``;
  return { code: "LTX1101", message: `expected ${error.message}, but ${image}`, ...(help === null ? {} : { help }) };
}

const misplacedProbability: Description = {
  code: "LTX1108",
  message: "`with probability` cannot stand here",
  help: "it belongs to a whole entry of `keep`, `noise_mask` or `references`: write each entry on a line of its own behind `- `; elsewhere draw a mask with `bernoulli(p)`",
};

const listInstead =
  "several entries are a list: write each on a line of its own behind `- `. To join two masks into one write `and` or `or`";

/** Words that mean something in an entry of `expect` alone. */
const wordsOfExpect: Readonly<Partial<Record<string, string>>> = {
  about: "`about` ends an entry of `expect`, without parentheses: `mean(video.keep) about 0.1`",
  within: "`within` stands in `expect` behind `about` and a number: `mean(video.keep) about 0.1 within 0.02`",
};

const chainedComparison: Description = {
  code: "LTX1109",
  message: "comparisons cannot be chained",
  help: "compare two values at a time: write `a < b and b < c` instead of `a < b < c`",
};

const hints: readonly (readonly [TokenType, string])[] = [
  [t.Over, "`over` stands behind the call and takes the mask: `mse(a, b) over m`"],
  [t.Assign, "compare with `==`; a single `=` only names an argument inside a call, as in `huber(a, b, delta=1)`"],
  [t.Colon, "only an axis after `per` names its modality (`per token:video`); in a call write the axis alone: `token`"],
  [
    t.Not,
    "put parentheses around it: `(not m)`; in place of `not in [0, 1]` write `x != 0 and x != 1`, in place of `is not` write `!=`",
  ],
  [t.If, "put parentheses around it: `(if a then b else c)`"],
  [t.Then, "`then` belongs to an `if`: `if condition then value else other`"],
  [t.Else, "`else` belongs to an `if`: `if condition then value else other`"],
  [
    t.Comma,
    "a comma only separates arguments of a call and axes in parentheses; take it out. Decimals are written with a point: `0.5`",
  ],
  [t.Open, "only a function is called: put an operator such as `*` between two values"],
  [t.Close, "there is no `(` that this `)` closes"],
  [t.OpenIndex, "an index takes one whole number: `region[0]`"],
];

function helpFor(error: IRecognitionException, previous: IToken | undefined): string | null {
  const { token } = error;
  if ((previous?.image === "in" || previous?.image === "has") && token.tokenType === t.Name)
    return `write \`${previous.image}(${token.image})\``;
  if (error.message === t.Then.name || error.message === phrase(t.Else))
    return "an `if` has three parts: `if condition then value else other`";
  if (previous?.tokenType === t.Percent && error.token.tokenType === EOF)
    return "leave `%` out: a share is a number from 0 to 1";
  if (error.message === t.Close.name && error.token.tokenType === EOF) return "close the parenthesis with `)`";
  const leftOver = error.name === "NotAllInputParsedException";
  if (error.token.tokenType === t.Close && !leftOver) return null;
  if ((previous?.image === "about" || previous?.image === "within") && (token.tokenType === EOF || leftOver))
    return `behind \`${previous.image}\` stands a number or a parameter: \`mean(video.keep) about 0.1 within 0.02\``;
  const word = leftOver ? wordHint(error.token, previous) : null;
  if (word !== null) return word;
  const hint = hints.find(([type]) => type === error.token.tokenType)?.[1];
  if (hint !== undefined) return hint;
  return leftOver && startsValue(error.token)
    ? "put an operator such as `+`, `*`, `and` or `or` between two values"
    : null;
}

/** Words of other languages for the tokens that a loss counts. */
const restrictingWords = ["for", "on", "where", "when", "in", "within", "inside", "of", "masked", "weighted"];

const operatorWords: Readonly<Record<string, string>> = {
  is: "compare with `==`",
  equals: "compare with `==`",
  in: "compare with `==`, and join several comparisons by `or`",
  x: "multiply with `*`",
  times: "multiply with `*`",
  mod: "write `mod(a, b)`",
  for: "nothing is repeated here: an operation works on all elements at once",
  when: "write `if condition then value else other`, or `mask and condition`",
  unless: "write `if condition then value else other`, or `mask and not condition`",
  where: "write `if condition then value else other`, or `mask and condition`",
  between: "compare twice: `a <= x and x <= b`",
  hz: "it is no unit: write the number alone",
  fps: "it is no unit: write the number alone",
  xor: "write `(a and not b) or (b and not a)`",
};

/** Words of the language, which are written in small letters. */
const ownWords = /^(and|or|not|over|per|with|if|then|else)$/i;

/** What two words in a row are meant to be. */
function wordHint(token: IToken, previous: IToken | undefined): string | null {
  const large = [previous, token].find((each) => each?.tokenType === t.Name && ownWords.test(each.image));
  if (large !== undefined) return `it is written in small letters: \`${large.image.toLowerCase()}\``;
  if (token.tokenType === t.Probability) return "write it behind the mask as `with probability 0.5`";
  const end = { first: "prefix", last: "suffix" }[previous?.image ?? ""];
  if (end !== undefined && token.tokenType === t.NumberToken)
    return `the ${previous?.image} ${token.image} latent frames are the mask \`${end}(${token.image}lf)\``;
  if (previous?.tokenType === t.Close && restrictingWords.includes(token.image))
    return "a loss is restricted to a mask by `over`: `mse(a, b) over m`";
  if (previous?.image === "def")
    return "leave `def` out: a function is an entry of `let` with arguments, `half(x): x / 2`";
  if (previous?.image === "lambda") return "a function is a `let` with arguments: `half(x): x / 2`";
  if (token.tokenType !== t.Name) return null;
  const word = token.image.toLowerCase();
  const own = Object.hasOwn(operatorWords, word) ? operatorWords[word] : undefined;
  if (own !== undefined || previous?.tokenType !== t.Name) return own ?? null;
  return `put an operator between two values; a name has no spaces: \`${previous.image}_${token.image}\``;
}

/** Whether a value may begin with a token. */
export function startsValue(token: IToken): boolean {
  return [t.Name, t.NumberToken, t.Text, t.Open, t.True, t.False].some((type) => tokenMatcher(token, type));
}

/** Help for characters that no token begins with. */
export function helpForCharacter(character: string): string | null {
  switch (character) {
    case '"':
    case "'":
      return "these quotes have no end: write names without quotes";
    case "$":
      return "write a parameter's name alone; `${...}` is for text such as `directory`";
    case "{":
    case "}":
      return "braces have no meaning here: write a parameter's name alone, and choices as `if condition then value else other`";
    case "?":
      return "write `if condition then value else other`, in parentheses inside of an expression";
    case "#":
      return "a comment goes on a line of its own, outside the expression";
    case "@":
      return "a share of the samples is written `first_frame with probability 0.5`, and there are no products of matrices";
    case "]":
    case ";":
      return "remove it";
    case "²":
    case "³":
      return `write \`^${character === "²" ? 2 : 3}\``;
    default:
      return null;
  }
}
