/** Forms of other languages that show in the syntax of a draw or a loss: each is one finding with what is meant. */
import type { Expression } from "../1-parse/expression/ast.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import type { Call } from "./call.ts";
import { isMask } from "./combine.ts";
import type { Core } from "./core.ts";
import type { Environment } from "./environment.ts";

type Binary = Extract<Expression, { kind: "binary" }>;

/** Reports `rand() < p`, a draw with a probability; false for anything else. */
export function reportDrawn({ operator, left, right, span }: Binary, env: Environment): boolean {
  if (!/^[<>]=?$/.test(operator)) return false;
  const [draw, bound, isBelow] = isRandom(left, env)
    ? [left, right, operator.startsWith("<")]
    : [right, left, operator.startsWith(">")];
  const p = env.report.textAt(bound.span);
  if (!isRandom(draw, env) || isRandom(bound, env) || p === null) return false;
  const written = isBelow ? `bernoulli(${p})` : `(not bernoulli(${p}))`;
  env.report.error("LTX3001", draw.span, "a draw that is true with a probability is `bernoulli(p)` here", {
    help: `write \`${written}\``,
    fix: replacement(span, written),
  });
  return true;
}

/** `rand()`, `random.random()`, `torch.rand(1)`: from 0 to 1, of another language. */
function isRandom(expression: Expression, { declarations }: Environment): boolean {
  if (expression.kind !== "call" && expression.kind !== "member") return false;
  const name = expression.kind === "call" ? expression.callee.text : expression.member.text;
  return expression.args !== null && /^(rand|random|rand_like)$/.test(name) && !declarations.byName.has(name);
}

/** Reports `mse(a, b) over m and n`, in which `and` joins the loss with `n`; false for anything else. */
export function reportLossInMask({ operator, left, right, span }: Binary, env: Environment): boolean {
  if ((operator !== "and" && operator !== "or") || left.kind !== "over") return false;
  const [loss, m, n] = [left.value, left.mask, right].map((part) => env.report.textAt(part.span));
  if (typeof loss !== "string" || typeof m !== "string" || typeof n !== "string") return false;
  const written = `${loss} over (${m} ${operator} ${n})`;
  env.report.error("LTX4001", span, `\`${operator}\` joins masks, and on its left stands a whole loss`, {
    help: `\`over\` takes one name or parentheses: write \`${written}\``,
    fix: replacement(span, written),
  });
  return true;
}

/**
 * Reports `mse(a * m, b * m)` with the name of a mask `m`; false for anything else. `infer` reads a name.
 */
export function reportMaskedPair({ name, args, span, env }: Call, infer: (name: Expression) => Core): boolean {
  const [a, b] = args.map(({ value }) => productWithName(value, env));
  if (!a || !b || a.m !== b.m || !isMask(infer(a.name))) return false;
  const rest = args.slice(2).flatMap(({ value }) => env.report.textAt(value.span) ?? []);
  env.report.error("LTX4002", span, `\`*\` takes numbers, and \`${a.m}\` is a mask`, {
    help: `a mask restricts a loss behind it: write \`${name}(${[a.x, b.x, ...rest].join(", ")}) over ${a.m}\``,
  });
  return true;
}

/** `x * m` and `m * x`, as written. */
function productWithName(value: Expression, { report }: Environment) {
  if (value.kind !== "binary" || value.operator !== "*") return null;
  const [name, other] = isName(value.right) ? [value.right, value.left] : [value.left, value.right];
  const [m, x] = [report.textAt(name.span), report.textAt(other.span)];
  return isName(name) && m !== null && x !== null ? { name, m, x } : null;
}

const isName = ({ kind }: Expression): boolean => kind === "name";
