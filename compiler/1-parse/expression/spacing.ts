/** Where an expression has spaces, in the manner of `printExpression`; parentheses and numbers stay as they are written. */
import { tokenMatcher, type IToken, type TokenType } from "chevrotain";
import type { Edit } from "../../source/edits.ts";
import { tokensOf } from "./parse.ts";
import * as t from "./tokens.ts";

/**
 * The changes that give `text` one way of spacing. Only gaps of spaces and tabs on one line are touched, so that it also holds for text
 * with line breaks, and for quoted text, in which a gap may be an escape. Nothing where the text has characters of no token.
 */
export function spacingEdits(text: string): Edit[] {
  const tokens = tokensOf(text);
  return tokens.flatMap((token, index) => {
    const previous = tokens[index - 1];
    if (previous === undefined) return [];
    const span = { start: previous.startOffset + previous.image.length, end: token.startOffset };
    const gap = text.slice(span.start, span.end);
    const wanted = isTight(tokens, index) ? "" : " ";
    return gap === wanted || !/^[ \t]*$/.test(gap) ? [] : [{ span, text: wanted }];
  });
}

const openers = [t.Open, t.OpenIndex];
const closers = [t.Close, t.CloseIndex];
/** No space on either side. */
const joints = [t.Dot, t.Assign, t.Colon, t.Power];

const isOneOf = (token: IToken | undefined, types: readonly TokenType[]): boolean =>
  token !== undefined && types.some((type) => tokenMatcher(token, type));

/** Whether the token at `index` touches the one before it. */
function isTight(tokens: readonly IToken[], index: number): boolean {
  const [previous, token] = [tokens[index - 1], tokens[index]];
  if (isOneOf(previous, [...openers, ...joints]) || isOneOf(token, [...closers, ...joints, t.Comma, t.OpenIndex]))
    return true;
  if (isUnit(tokens, index)) return true;
  if (previous?.tokenType === t.Minus) return !endsValue(tokens, index - 2);
  return token?.tokenType === t.Open && isName(tokens, index - 1);
}

/** Whether the token is the unit of the number before it. */
function isUnit(tokens: readonly IToken[], index: number): boolean {
  const [previous, token] = [tokens[index - 1], tokens[index]];
  if (token === undefined || previous?.tokenType !== t.NumberToken) return false;
  return isOneOf(token, [t.Percent]) || (isOneOf(token, [t.Name]) && touches(previous, token));
}

const touches = (a: IToken, b: IToken): boolean => a.startOffset + a.image.length === b.startOffset;

/** Whether a minus behind this token subtracts; elsewhere it is a sign. */
function endsValue(tokens: readonly IToken[], index: number): boolean {
  return isName(tokens, index) || isOneOf(tokens[index], [t.NumberToken, t.Percent, t.True, t.False, ...closers]);
}

/** `probability` is a name, too, except behind `with`. */
function isName(tokens: readonly IToken[], index: number): boolean {
  return isOneOf(tokens[index], [t.Name]) && tokens[index - 1]?.tokenType !== t.With;
}
