/** What to write where a loss is almost one: squares that are averaged by hand, weights in front, values that are not reduced. */
import type { Expression } from "../1-parse/expression/ast.ts";
import type { Details } from "../diagnostics/bag.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import type { Span } from "../source/span.ts";
import { losses } from "./builtins.ts";
import { isMask } from "./combine.ts";
import { childrenOf, type Core } from "./core.ts";
import type { Environment } from "./environment.ts";
import type { Report } from "./report.ts";

/** `mean((a - b)^2) over m` is `mse(a, b) over m`; any other mean over a mask is written out. */
export function asLoss(value: Expression, mask: Expression, span: Span, { report }: Environment): Details {
  const otherwise = { help: `write it after one of ${losses.map((text) => `\`${text}\``).join(", ")}` };
  const [inner, ...axes] = value.kind === "call" && value.callee.text === "mean" ? value.args : [];
  const m = report.textAt(mask.span);
  if (inner === undefined || axes.length > 0 || m === null) return otherwise;
  const called = isLossCall(inner.value) ? report.textAt(inner.value.span) : differenceLoss(inner.value, report);
  const negated = mask.kind === "not" ? m : isName(mask) || m.startsWith("(") ? m : `(${m})`;
  if (called !== null) {
    const written = `${called} over ${negated}`;
    return { help: `write \`${written}\``, fix: replacement(span, written) };
  }
  const e = report.textAt(inner.value.span);
  return e === null ? otherwise : { help: `write \`mae(${e}, 0) over ${negated}\` if it is nowhere negative` };
}

/** `mean(mse(a, b))`: a loss is a mean already. */
const isLossCall = (value: Expression): boolean => value.kind === "call" && losses.includes(value.callee.text);

const isName = ({ kind }: Expression): boolean => kind === "name" || kind === "member" || kind === "call";

/** `mse(a, b)` of `(a - b)^2` and `square(a - b)`, `mae(a, b)` of `abs(a - b)`. */
function differenceLoss(expression: Expression, report: Report): string | null {
  const [name, inner] = squareOrSize(expression);
  if (name === null || inner?.kind !== "binary" || inner.operator !== "-") return null;
  const [a, b] = [report.textAt(inner.left.span), report.textAt(inner.right.span)];
  return a === null || b === null ? null : `${name}(${a}, ${b})`;
}

function squareOrSize(e: Expression): readonly [string | null, Expression | undefined] {
  if (e.kind === "binary" && e.operator === "^" && e.right.kind === "number" && e.right.value === 2)
    return ["mse", e.left];
  if (e.kind === "call" && e.args.length === 1 && e.callee.text === "square") return ["mse", e.args[0]?.value];
  if (e.kind === "call" && e.args.length === 1 && e.callee.text === "abs") return ["mae", e.args[0]?.value];
  return [null, undefined];
}

/** For a loss term that is not one number for each sample. */
export function perSample(core: Core, written: Expression, report: Report): string {
  if (isMask(core)) return "`float(m)` turns a mask into numbers";
  const weighted = weightedLoss(core, report);
  if (weighted !== null) return weighted;
  const called = differenceLoss(written, report);
  if (called !== null) return `write \`${called}\`, which averages over tokens and channels`;
  if (core.type.stage !== "device") return "compare two tensors, e.g. `mse(video.prediction, video.target)`";
  if (!core.type.axes.includes("batch")) return "reduce over the other axes only, e.g. `mean(x)`: it keeps `batch`";
  const text = report.textAt(core.span);
  return `average it: \`mean(${text ?? "x"})\`, or compare two tensors by \`mse(a, b)\``;
}

/** `w * mse(a, b)` with a weight for each token: the loss has no tokens any more, so the weight belongs behind `over`. */
function weightedLoss(core: Core, report: Report): string | null {
  if (core.op !== "map") return null;
  const [a, b] = core.args;
  if (core.fn === "mul" && a !== undefined && b !== undefined) {
    const [loss, weight] = hasLoss(a) ? [a, b] : [b, a];
    const [l, w] = [report.textAt(loss.span), report.textAt(weight.span)];
    if (hasLoss(loss) && !hasLoss(weight) && l !== null && w !== null)
      return `the loss has no tokens left to weigh; write \`${l} over ${/^[\w.]+$/.test(w) || w.startsWith("(") ? w : `(${w})`}\``;
  }
  for (const child of childrenOf(core)) {
    const found = weightedLoss(child, report);
    if (found !== null) return found;
  }
  return null;
}

const hasLoss = (core: Core): boolean => core.op === "maskedMean";
