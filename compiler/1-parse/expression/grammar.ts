/**
 * The grammar of expressions as the language reference has it, with embedded actions.
 * Every rule recovers: what could not be read becomes a node of kind `error`, so that the rest is still checked.
 */
import type { IToken, TokenType } from "chevrotain";
import type { Span } from "../../source/span.ts";
import type { Argument, AxisName, Expression } from "./ast.ts";
import { conditional, exponent, join, member, named, negate, not, over, per, type Listed } from "./nodes.ts";
import { ExpressionParserBase } from "./parser-base.ts";
import { calledAgain, indexOf, isUnit, number, trailingIf } from "./foreign.ts";
import { startsValue } from "./messages.ts";
import * as t from "./tokens.ts";

type Node = () => Expression;

/** `EntryParser` adds what stands around expressions; only it can be used. */
export class ExpressionGrammar extends ExpressionParserBase {
  readonly #recover = { recoveryValueFunc: () => this.errorHere() };

  readonly expression: Node = this.RULE("expression", () => this.SUBRULE(this.expr), this.#recover);

  readonly expr: Node = this.RULE(
    "expr",
    () => this.OR([{ ALT: () => this.SUBRULE(this.conditional) }, { ALT: () => this.SUBRULE(this.trailed) }]),
    this.#recover,
  );

  readonly conditional: Node = this.RULE(
    "conditional",
    (): Expression => {
      const start = this.CONSUME(t.If);
      const condition = this.SUBRULE(this.expr);
      this.CONSUME(t.Then);
      const then = this.SUBRULE2(this.expr);
      this.CONSUME(t.Else);
      const otherwise = this.SUBRULE3(this.expr);
      return this.ACTION(() => conditional(this.spanOf(start), condition, then, otherwise));
    },
    this.#recover,
  );

  /** `a if c else b` is read, too, to say how it is written here. */
  readonly trailed: Node = this.RULE(
    "trailed",
    () => {
      const value = this.SUBRULE(this.disjunction);
      const tail = this.OPTION(() => {
        const sign = this.CONSUME(t.If);
        const condition = this.SUBRULE(this.expr);
        const otherwise = this.OPTION2(() => {
          this.CONSUME(t.Else);
          return this.SUBRULE2(this.expr);
        });
        return { sign, condition, otherwise: otherwise ?? null };
      });
      return this.ACTION(() => {
        if (tail === undefined) return value;
        const place = { span: this.spanOf(tail.sign), bag: this.bag, isItem: this.isItem };
        return trailingIf(value, tail.condition, tail.otherwise, place);
      });
    },
    this.#recover,
  );

  readonly disjunction: Node = this.#leftToRight("disjunction", t.Or, () => this.conjunction);
  readonly conjunction: Node = this.#leftToRight("conjunction", t.And, () => this.negation);

  readonly negation: Node = this.RULE(
    "negation",
    () => {
      const sign = this.OPTION(() => this.CONSUME(t.Not));
      const operand = this.SUBRULE(this.comparison);
      return this.ACTION(() => (sign === undefined ? operand : not(this.spanOf(sign), operand)));
    },
    this.#recover,
  );

  readonly comparison: Node = this.RULE(
    "comparison",
    () => {
      const left = this.SUBRULE(this.sum);
      const tail = this.OPTION(() => ({ operator: this.CONSUME(t.CompareOperator), right: this.SUBRULE2(this.sum) }));
      return this.ACTION(() => (tail === undefined ? left : this.binary(left, tail.operator, tail.right)));
    },
    this.#recover,
  );

  readonly sum: Node = this.#leftToRight("sum", t.SumOperator, () => this.product);
  readonly product: Node = this.#leftToRight("product", t.ProductOperator, () => this.unary);

  /** `unary = [ "-" ] power` with `power = clause [ "^" unary ]`, read in a loop: a long tower of powers needs no stack. */
  readonly unary: Node = this.RULE(
    "unary",
    () => {
      const sign = this.OPTION(() => this.CONSUME(t.Minus));
      const base = this.SUBRULE(this.clause);
      const tower: { operator: Span; sign: Span | null; value: Expression }[] = [];
      this.MANY(() => {
        const operator = this.CONSUME(t.Power);
        const minus = this.OPTION2(() => this.CONSUME2(t.Minus));
        const value = this.SUBRULE2(this.clause);
        this.ACTION(() =>
          tower.push({ operator: this.spanOf(operator), sign: minus === undefined ? null : this.spanOf(minus), value }),
        );
      });
      return this.ACTION(() => {
        const power = exponent(base, tower);
        return sign === undefined ? power : negate(this.spanOf(sign), power);
      });
    },
    this.#recover,
  );

  readonly clause: Node = this.RULE(
    "clause",
    () => {
      let value = this.SUBRULE(this.postfix);
      this.MANY(() =>
        this.OR([
          {
            ALT: () => {
              this.CONSUME(t.Over);
              const sign = this.OPTION(() => this.CONSUME(t.Not));
              const operand = this.SUBRULE2(this.postfix);
              value = this.ACTION(() => over(value, sign === undefined ? operand : not(this.spanOf(sign), operand)));
            },
          },
          {
            ALT: () => {
              this.CONSUME(t.Per);
              const axes = this.SUBRULE(this.axes);
              value = this.ACTION(() => per(value, axes));
            },
          },
        ]),
      );
      return value;
    },
    this.#recover,
  );

  readonly axes: () => Listed<AxisName> = this.RULE(
    "axes",
    () => {
      const axes: AxisName[] = [];
      return this.OR([
        {
          ALT: () => {
            const axis = this.SUBRULE(this.axis);
            return this.ACTION(() => ({ list: [axis], span: axis.span }));
          },
        },
        {
          ALT: () => {
            const open = this.CONSUME(t.Open);
            this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => axes.push(this.SUBRULE2(this.axis)) });
            const close = this.CONSUME(t.Close);
            return this.ACTION(() => ({ list: axes, span: join(this.spanOf(open), this.spanOf(close)) }));
          },
        },
      ]);
    },
    { recoveryValueFunc: () => ({ list: [], span: this.here() }) },
  );

  /** Not recovered by itself: an axis without a name would be a name that the user never wrote. */
  readonly axis: () => AxisName = this.RULE(
    "axis",
    () => {
      const name = this.CONSUME(t.Name);
      const modality = this.OPTION(() => {
        this.CONSUME(t.Colon);
        return this.CONSUME2(t.Name);
      });
      return this.ACTION(() => ({
        text: modality === undefined ? name.image : `${name.image}:${modality.image}`,
        span: join(this.spanOf(name), this.spanOf(modality ?? name)),
      }));
    },
    { resyncEnabled: false },
  );

  readonly postfix: Node = this.RULE(
    "postfix",
    () => {
      let object = this.SUBRULE(this.primary);
      this.MANY(() =>
        this.OR([
          {
            ALT: () => {
              this.CONSUME(t.Dot);
              const name = this.CONSUME(t.Name);
              const args = this.OPTION(() => this.SUBRULE(this.args));
              object = this.ACTION(() => member(object, this.nameOf(name), args));
            },
          },
          {
            ALT: () => {
              const { inner, span } = this.SUBRULE(this.brackets);
              object = this.ACTION(() => {
                const place = this.indexPlace(inner, span);
                return indexOf(object, inner, join(object.span, span), place);
              });
            },
          },
          {
            ALT: () => {
              const args = this.SUBRULE2(this.args);
              object = this.ACTION(() => calledAgain(object, args, this.bag));
            },
          },
        ]),
      );
      return object;
    },
    this.#recover,
  );

  /** An index, or a slice of another language. */
  readonly brackets: () => { readonly inner: readonly IToken[]; readonly span: Span } = this.RULE(
    "brackets",
    () => {
      const inner: IToken[] = [];
      const open = this.CONSUME(t.OpenIndex);
      this.MANY(() => {
        const token = this.OR(
          [t.NumberToken, t.Name, t.Colon, t.Comma, t.Dot, t.Minus].map((type) => ({ ALT: () => this.CONSUME(type) })),
        );
        this.ACTION(() => inner.push(token));
      });
      const close = this.CONSUME(t.CloseIndex);
      return { inner, span: join(this.spanOf(open), this.spanOf(close)) };
    },
    { recoveryValueFunc: () => ({ inner: [], span: this.here() }) },
  );

  readonly primary: Node = this.RULE(
    "primary",
    () =>
      this.OR<Expression>([
        { ALT: () => this.SUBRULE(this.number) },
        { ALT: () => this.text(this.CONSUME(t.Text)) },
        { ALT: () => ({ kind: "boolean", value: true, span: this.spanOf(this.CONSUME(t.True)) }) },
        { ALT: () => ({ kind: "boolean", value: false, span: this.spanOf(this.CONSUME(t.False)) }) },
        { ALT: () => this.SUBRULE(this.named) },
        { ALT: () => this.SUBRULE(this.parenthesized) },
      ]),
    this.#recover,
  );

  readonly number: Node = this.RULE(
    "number",
    () => {
      const token = this.CONSUME(t.NumberToken);
      const unit = this.OPTION({ GATE: () => isUnit(token, this.LA(1)), DEF: () => this.CONSUME(t.Name) });
      const percent = this.OPTION2({ GATE: () => !startsValue(this.LA(2)), DEF: () => this.CONSUME(t.Percent) });
      return this.ACTION(() => {
        const span = join(this.spanOf(token), this.spanOf(percent ?? unit ?? token));
        return number(token, percent ?? unit, { span, bag: this.bag });
      });
    },
    this.#recover,
  );

  readonly named: Node = this.RULE(
    "named",
    () => {
      const name = this.CONSUME(t.Name);
      const args = this.OPTION(() => this.SUBRULE(this.args));
      return this.ACTION(() => named(this.nameOf(name), args));
    },
    this.#recover,
  );

  /** The parentheses belong to the span of what they hold, so that an expression's span covers all of its text. */
  readonly parenthesized: Node = this.RULE(
    "parenthesized",
    () => {
      const open = this.CONSUME(t.Open);
      const value = this.SUBRULE(this.expr);
      const close = this.CONSUME(t.Close);
      return this.ACTION(() => ({ ...value, span: join(this.spanOf(open), this.spanOf(close)) }));
    },
    this.#recover,
  );

  readonly args: () => Listed<Argument> = this.RULE(
    "args",
    () => {
      const args: Argument[] = [];
      const open = this.CONSUME(t.Open);
      this.MANY_SEP({
        SEP: t.Comma,
        DEF: () => this.pushed(args, this.SUBRULE(this.arg)),
      });
      const close = this.CONSUME(t.Close);
      return this.ACTION(() => ({ list: args, span: join(this.spanOf(open), this.spanOf(close)) }));
    },
    { recoveryValueFunc: () => ({ list: [{ name: null, value: this.errorHere() }], span: this.here() }) },
  );

  readonly arg: () => Argument | null = this.RULE(
    "arg",
    () => {
      const name = this.OPTION(() => {
        const token = this.CONSUME(t.Name);
        this.CONSUME(t.Assign);
        return token;
      });
      // A text as a named argument, such as `reduction="mean"`, is of another language as a whole.
      return this.OR<Argument | null>({
        IGNORE_AMBIGUITIES: true,
        DEF: [
          {
            GATE: () => name !== undefined,
            ALT: () => this.textOption(name, this.CONSUME(t.Text)),
          },
          {
            ALT: () => {
              const value = this.SUBRULE(this.expr);
              return this.ACTION(() => ({ name: name === undefined ? null : this.nameOf(name), value }));
            },
          },
        ],
      });
    },
    { recoveryValueFunc: () => ({ name: null, value: this.errorHere() }) },
  );

  /** `operand { operator operand }`, grouped from the left. */
  #leftToRight(name: string, operator: TokenType, operand: () => Node): Node {
    return this.RULE(
      name,
      () => {
        let left = this.SUBRULE(operand());
        this.MANY(() => {
          const token = this.CONSUME(operator);
          const right = this.SUBRULE2(operand());
          left = this.ACTION(() => this.binary(left, token, right));
        });
        return left;
      },
      this.#recover,
    );
  }
}
