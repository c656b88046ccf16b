/** What the rules of the grammar share: places of tokens, findings, and nodes for what could not be read. */
import { EmbeddedActionsParser, type IToken, type TokenType } from "chevrotain";
import { Bag } from "../../diagnostics/bag.ts";
import type { Span } from "../../source/span.ts";
import type { Expression, Name } from "./ast.ts";
import { division, optionOf, textOf } from "./foreign.ts";
import { expectations } from "./messages.ts";
import { binary, isBinaryOperator, join } from "./nodes.ts";
import * as t from "./tokens.ts";

/** From an offset in the parsed text to an offset in the file. */
export type MapOffset = (offsetInText: number) => number;

export class ExpressionParserBase extends EmbeddedActionsParser {
  protected bag = new Bag();
  /** Whether the expression is an entry of `keep`, `noise_mask` or `references`. */
  isItem = false;
  #reportedIndexes = new Set<string>();
  #mapOffset: MapOffset = (offset) => offset;

  constructor(options: { readonly skipValidations: boolean }) {
    super(t.vocabulary, { recoveryEnabled: true, maxLookahead: 2, errorMessageProvider: expectations, ...options });
  }

  /** Takes the next text; `mapOffset` leads from its offsets to those of the file. */
  read(tokens: IToken[], mapOffset: MapOffset, bag: Bag): this {
    this.input = tokens;
    this.#mapOffset = mapOffset;
    this.bag = bag;
    this.isItem = false;
    this.#reportedIndexes = new Set();
    return this;
  }

  protected binary(left: Expression, token: IToken, right: Expression): Expression {
    if (token.tokenType === t.IntegerDivide || token.tokenType === t.Percent)
      return division(token, this.spanOf(token), left, right, this.bag);
    const operator = token.tokenType.name.slice(1, -1);
    if (!isBinaryOperator(operator)) return this.errorHere();
    return binary(operator, this.spanOf(token), left, right);
  }

  protected text(token: IToken): Expression {
    return this.ACTION(() => textOf(token, this.spanOf(token), this.bag));
  }

  /** Of what stands between brackets, which have the place `otherwise`. */
  protected indexPlace(tokens: readonly IToken[], otherwise: Span) {
    const [first, last] = [tokens[0], tokens.at(-1)];
    const isEmpty = first === undefined || last === undefined;
    const span = isEmpty ? otherwise : join(this.spanOf(first), this.spanOf(last));
    return { span, bag: this.bag, reported: this.#reportedIndexes };
  }

  protected textOption(name: IToken | undefined, text: IToken): null {
    return this.ACTION(() => optionOf(this.nameOf(name ?? text), this.spanOf(text), this.bag));
  }

  /** Adds what was read to a list; nothing for what is left out. */
  protected pushed<T>(list: T[], item: T | null): void {
    this.ACTION(() => {
      if (item !== null) list.push(item);
    });
  }

  protected nameOf(token: IToken): Name {
    return { text: token.image, span: this.spanOf(token) };
  }

  /** A token that recovery made up has no offset; it stands behind the one before it. */
  spanOf(token: IToken): Span {
    if (Number.isNaN(token.startOffset)) return this.here();
    const end = token.startOffset + token.image.length;
    return { start: this.#mapOffset(token.startOffset), end: this.#mapOffset(end) };
  }

  /** The empty place behind the last token that was read. */
  protected here(): Span {
    const { startOffset, image } = this.LA(0);
    const offset = this.#mapOffset(Number.isNaN(startOffset) ? 0 : startOffset + image.length);
    return { start: offset, end: offset };
  }

  protected errorHere(): Expression {
    return { kind: "error", span: this.here() };
  }

  /** A name or number that nobody wrote would only cause a second finding. */
  override canTokenTypeBeInsertedInRecovery(type: TokenType): boolean {
    return type !== t.Name && type !== t.NumberToken;
  }
}
