import { createToken, Lexer, type IToken, type TokenType } from "chevrotain";

export const Name = createToken({ name: "a name", pattern: /[A-Za-z_][A-Za-z0-9_]*/ });
/** What a parameter is compared with. One of another place, or language, is one token, too, so that one finding says so. */
export const Text = createToken({ name: "a text", pattern: /(?:[fFrR](?=["']))?(?:"[^"]*"|'[^']*')/ });
/** Digits on at least one side of the point; `1.` is not a number, so that a member of one is an error at its point. */
export const NumberToken = createToken({ name: "a number", pattern: /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/ });

/** Operators of one level of precedence, so that one rule consumes any of them. */
export const CompareOperator = createToken({ name: "a comparison operator", pattern: Lexer.NA });
export const SumOperator = createToken({ name: "`+` or `-`", pattern: Lexer.NA });
export const ProductOperator = createToken({ name: "`*` or `/`", pattern: Lexer.NA });

const keyword = (word: string) => createToken({ name: `\`${word}\``, pattern: new RegExp(word), longer_alt: Name });
const symbol = (text: string, ...categories: TokenType[]) =>
  createToken({ name: `\`${text}\``, pattern: new RegExp(text.replace(/[^=<>&!:,-]/g, "\\$&")), categories });

export const If = keyword("if");
export const Then = keyword("then");
export const Else = keyword("else");
export const And = keyword("and");
export const Or = keyword("or");
export const Not = keyword("not");
export const Over = keyword("over");
export const Per = keyword("per");
export const With = keyword("with");
/** A word only behind `with`; elsewhere it is a name like any other. */
export const Probability = createToken({
  name: "`probability`",
  pattern: /probability/,
  longer_alt: Name,
  categories: Name,
});
export const True = keyword("true");
export const False = keyword("false");

export const LessEqual = symbol("<=", CompareOperator);
export const GreaterEqual = symbol(">=", CompareOperator);
export const Equal = symbol("==", CompareOperator);
export const NotEqual = symbol("!=", CompareOperator);
export const Less = symbol("<", CompareOperator);
export const Greater = symbol(">", CompareOperator);
export const Plus = symbol("+", SumOperator);
export const Minus = symbol("-", SumOperator);
export const Times = symbol("*", ProductOperator);
export const Divide = symbol("/", ProductOperator);
/** Of other languages; the grammar reads them as `floor(a / b)` and `mod(a, b)`. */
export const IntegerDivide = symbol("//", ProductOperator);
export const Percent = symbol("%", ProductOperator);
export const Power = symbol("^");
export const Open = symbol("(");
export const Close = symbol(")");
export const OpenIndex = symbol("[");
export const CloseIndex = symbol("]");
export const Comma = symbol(",");
export const Dot = symbol(".");
export const Colon = symbol(":");
export const Assign = symbol("=");

/** Operators of other languages, and what they are here. */
const foreign: readonly (readonly [string, TokenType])[] = [
  ["&&", And],
  ["||", Or],
  ["!==", NotEqual],
  ["===", Equal],
  ["<>", NotEqual],
  ["**", Power],
  ["!", Not],
  ["~", Not],
  ["&", And],
  ["|", Or],
  ["\u2264", LessEqual],
  ["\u2265", GreaterEqual],
  ["\u2260", NotEqual],
  ["\u00d7", Times],
  ["\u00b7", Times],
  ["\u00f7", Divide],
  ["\u2212", Minus],
];
const foreignTokens = foreign.map(([text]) => symbol(text));
const meaning = new Map<TokenType, TokenType>(
  foreign.flatMap(([, means], index) => {
    const token = foreignTokens[index];
    return token === undefined ? [] : [[token, means]];
  }),
);

const space = createToken({ name: "space", pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });
const keywords = [If, Then, Else, And, Or, Not, Over, Per, With, Probability, True, False];
const comparisons = [LessEqual, GreaterEqual, Equal, NotEqual, Less, Greater];
const operators = [Plus, Minus, Times, Divide, IntegerDivide, Percent, Power];
const marks = [Open, Close, OpenIndex, CloseIndex, Comma, Dot, Colon, Assign];
/** Longer ones first, since the first that matches wins. */
const bySize = [...foreignTokens, ...comparisons, ...operators, ...marks].toSorted(
  (a, b) => b.name.length - a.name.length,
);

const levels = [CompareOperator, SumOperator, ProductOperator];

export const vocabulary: TokenType[] = [space, ...levels, ...keywords, Text, Name, NumberToken, ...bySize];

/** The operator of this language that a token of another one means, with its spelling; null for our own tokens. */
export function meantBy(token: IToken): { readonly type: TokenType; readonly spelling: string } | null {
  const type = meaning.get(token.tokenType);
  return type === undefined ? null : { type, spelling: type.name.slice(1, -1) };
}
