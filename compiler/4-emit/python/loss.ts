/** Prints the method `compute_loss`: all that happens after the model. */
import { atom, dict, entry, infix } from "./code.ts";
import { demanded, line, paramsLine, quote, scopeOf, type Context } from "./context.ts";
import { device } from "./expression.ts";
import { officialField } from "./inputs.ts";
import { statementLines } from "./statements.ts";

export interface LossBody {
  readonly lines: readonly string[];
  /** Sizes that it needs: it has no batch to read them from. */
  readonly sizes: readonly string[];
  readonly hasDraws: boolean;
}

export function lossBody(context: Context): LossBody {
  const { program, names } = context;
  const scope = scopeOf(context);
  const statements = program.loss.flatMap((statement) => statementLines(context, statement, scope));
  const terms = program.terms.flatMap(({ name, core, span }) => {
    const value = device(core, scope);
    return [...demanded(scope), ...quote(context, name, span), line(`${names.of(`loss.${name}`)} = `, value)];
  });
  const ends = program.terms.map(({ name }) => names.of(`loss.${name}`));
  const values = program.values.filter((key) => scope.refs.has(key));
  const sizes = [...scope.sizes];
  const entries = program.terms.map(({ name }, i) => entry(name, `${ends[i] ?? ""}.detach()`));
  const generated = program.modalities.find((modality) => modality.generated)?.name ?? "video";
  const lines = [
    ...paramsLine(scope),
    ...(scope.uses.has("draws") ? ["        draws = self.draws"] : []),
    ...(scope.uses.has("device") ? [`        device = ${generated}_pred.device`] : []),
    ...values.map((key) => line(`${names.of(key)} = `, atom(`inputs.${officialField(key, program) ?? names.of(key)}`))),
    ...sizes.map((name) => `        ${name} = inputs.${name}`),
    ...statements,
    ...terms,
    line("self.terms = ", dict(entries)),
    line(
      "return ",
      ends.map(atom).reduce((a, b) => infix(a, "+", b)),
      "[batch]",
    ),
  ];
  return { lines, sizes, hasDraws: scope.uses.has("draws") };
}
