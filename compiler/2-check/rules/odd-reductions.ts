/** Reductions that hide what a loss is about. */
import type { Label } from "../../diagnostics/diagnostic.ts";
import type { Span } from "../../source/span.ts";
import type { Binding, CheckedLoss } from "../checked.ts";
import type { Core } from "../core.ts";
import { allNodes, behind, readsPrediction } from "../dependencies.ts";
import { spanOf, type Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** `mean(a - b)^2`: errors of opposite signs cancel before they are squared. */
export function squareOfMean(losses: readonly CheckedLoss[], bindings: Bindings, report: Report): void {
  for (const { core } of losses) {
    for (const node of allNodes(core, bindings)) {
      const size = sizeOf(node);
      const averaged = size === null ? null : behind(size.of, bindings);
      if (averaged?.op !== "reduce" || (averaged.fn !== "mean" && averaged.fn !== "sum")) continue;
      const difference = behind(averaged.arg, bindings);
      const isWhole = averaged.type.axes.every((axis) => axis === "batch");
      if (!isWhole || difference.op !== "map" || difference.fn !== "sub" || !readsPrediction(difference, bindings))
        continue;
      const [a, b] = difference.args.map((arg) => report.textAt(arg.span) ?? "…");
      report.warning("LTX5037", spanOf(node), "errors of opposite signs cancel in this mean", {
        help: `write \`${size?.loss ?? "mse"}(${a}, ${b})\`, the mean of the ${size?.loss === "mae" ? "sizes" : "squares"}`,
      });
    }
  }
}

/** `x` of `x^2` and `abs(x)`. */
function sizeOf(node: Core): { readonly of: Core; readonly loss: "mse" | "mae" } | null {
  if (node.op !== "map" || node.span === null) return null;
  const [of, exponent] = node.args;
  if (of === undefined) return null;
  if (node.fn === "abs") return { of, loss: "mae" };
  const isSquare = node.fn === "square" || (node.fn === "pow" && exponent?.op === "literal" && exponent.value === 2);
  return isSquare ? { of, loss: "mse" } : null;
}

/** `a` and `b` of `abs(a - b)` and `(a - b)^2`, and the loss that is their mean. */
export function differenceOf(node: Core): { readonly args: readonly Core[]; readonly loss: "mse" | "mae" } | null {
  const size = sizeOf(node);
  return size?.of.op === "map" && size.of.fn === "sub" ? { args: size.of.args, loss: size.loss } : null;
}

/** `mean(x, batch)`: then what a sample is trained on depends on which others share its batch, and on how many there are. */
export function overTheBatch(losses: readonly CheckedLoss[], bindings: Bindings, report: Report): void {
  const roots = [
    ...losses.map(({ core }) => core),
    ...[...bindings].flatMap(([key, { core }]) => (key.includes(".") ? [core] : [])),
  ];
  const reported = new Set<Core>();
  for (const root of roots) {
    for (const node of batchReductions(root, bindings)) {
      if (reported.has(node)) continue;
      reported.add(node);
      mixesSamples(node, [], report);
    }
  }
}

/** One finding for a term that is no number for each sample, since it is reduced over `batch`; false where it is not. */
export function termOverTheBatch(term: Core, bindings: Bindings, report: Report): boolean {
  const [first, ...more] = new Set(batchReductions(term, bindings));
  if (first === undefined) return false;
  const labels = more.map(({ span }) => ({ span, message: "this reduces `batch`, too" }));
  mixesSamples(first, labels, report);
  return true;
}

type OverBatch = Extract<Core, { op: "reduce" }> & { readonly span: Span };

const batchReductions = (root: Core, bindings: Bindings): readonly OverBatch[] =>
  [...allNodes(root, bindings)].filter(
    (node): node is OverBatch => node.op === "reduce" && node.axes.includes("batch") && node.span !== null,
  );

function mixesSamples({ span, fn, arg }: OverBatch, labels: readonly Label[], report: Report): void {
  const text = report.textAt(arg.span) ?? "x";
  report.error("LTX5038", span, "this mixes the samples of a batch: it changes with the batch size", {
    help: `\`${fn}(${text})\` reduces all axes but \`batch\`; to compare a sample with the others of its batch, write \`others(x)\` and reduce \`other\``,
    labels,
  });
}
