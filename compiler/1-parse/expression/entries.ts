/** What stands around expressions: entries of lists and the left sides of `let`. */
import type { Binder, Expected, Item, Name } from "./ast.ts";
import { ExpressionGrammar } from "./grammar.ts";
import { join, type Listed } from "./nodes.ts";
import * as t from "./tokens.ts";

export class EntryParser extends ExpressionGrammar {
  constructor(options: { readonly skipValidations: boolean }) {
    super(options);
    this.performSelfAnalysis();
  }

  readonly item: () => Item = this.RULE(
    "item",
    () => {
      this.ACTION(() => (this.isItem = true));
      const value = this.SUBRULE(this.expr);
      const probability = this.OPTION(() => {
        this.CONSUME(t.With);
        this.CONSUME(t.Probability);
        return this.SUBRULE2(this.expr);
      });
      return this.ACTION(() => ({
        value,
        probability: probability ?? null,
        span: join(value.span, (probability ?? value).span),
      }));
    },
    { recoveryValueFunc: () => ({ value: this.errorHere(), probability: null, span: this.here() }) },
  );

  /** `about` and `within` are words here alone: elsewhere they are names like any other. */
  readonly expected: () => Expected = this.RULE(
    "expected",
    () => {
      const value = this.SUBRULE(this.expr);
      const share = this.OPTION({
        GATE: () => this.LA(1).image === "about",
        DEF: () => {
          this.CONSUME(t.Name);
          const about = this.SUBRULE2(this.expr);
          const within = this.OPTION2({
            GATE: () => this.LA(1).image === "within",
            DEF: () => {
              this.CONSUME2(t.Name);
              return this.SUBRULE3(this.expr);
            },
          });
          return { about, within: within ?? null };
        },
      });
      return this.ACTION(() => ({
        value,
        share: share ?? null,
        span: join(value.span, (share?.within ?? share?.about ?? value).span),
      }));
    },
    { recoveryValueFunc: () => ({ value: this.errorHere(), share: null, span: this.here() }) },
  );

  readonly binder: () => Binder | null = this.RULE(
    "binder",
    (): Binder | null => {
      const name = this.CONSUME(t.Name);
      const list = this.OPTION(() => this.SUBRULE(this.parameters));
      return this.ACTION((): Binder => {
        const span = this.spanOf(name);
        return { name: this.nameOf(name), parameters: list?.list ?? null, span: join(span, list?.span ?? span) };
      });
    },
    { recoveryValueFunc: () => null },
  );

  readonly parameters: () => Listed<Name> = this.RULE(
    "parameters",
    () => {
      const names: Name[] = [];
      const open = this.CONSUME(t.Open);
      this.AT_LEAST_ONE_SEP({
        SEP: t.Comma,
        DEF: () => {
          const name = this.CONSUME(t.Name);
          this.ACTION(() => names.push(this.nameOf(name)));
        },
      });
      const close = this.CONSUME(t.Close);
      return { list: names, span: join(this.spanOf(open), this.spanOf(close)) };
    },
    { recoveryValueFunc: () => ({ list: [], span: this.here() }) },
  );
}
