/** What to write where a value lacks the axis that a reduction is to run over. */
import { gridAxesOf } from "./axes.ts";
import type { Axis, Core } from "./core.ts";
import type { Report } from "./report.ts";

/** The error of one element, for losses that are its plain mean. */
const elementOf: Readonly<Record<string, string>> = { mse: "(a - b)^2", mae: "abs(a - b)" };

/** `axis`: the missing one, null where nothing can be reduced. */
export function missingAxisHelp(report: Report, arg: Core, axis: Axis | null): string {
  const { axes } = arg.type;
  if (axes.length === 0) return "a single number needs no reduction";
  const told = axis === null ? null : (alreadyAveraged(report, arg, axis) ?? withinTokens(report, arg, axis));
  return told ?? `it has ${axes.map((own) => `\`${own}\``).join(", ")}`;
}

/** `mean(mse(a, others(b)), axis=other)`: the comparison keeps `batch` alone. */
function alreadyAveraged(report: Report, arg: Core, axis: Axis): string | null {
  const loss = lossIn(report, arg);
  if (loss === null || !hasAxis(loss.error, axis)) return null;
  const name = /^\w+/.exec(report.textAt(loss.span) ?? "")?.[0] ?? "the loss";
  const element = elementOf[name];
  const grid = loss.error.type.axes.includes(axis) ? element : `grid(${element})`;
  const single = element === undefined ? "" : `; \`mean(${grid}, axis=${axis})\` averages over \`${axis}\` alone`;
  return `\`${name}\` has already averaged over \`${axis}\`, as over all but \`batch\`: leave out the reduction around it${single}`;
}

function lossIn(report: Report, arg: Core): Extract<Core, { op: "maskedMean" }> | null {
  for (const node of report.nodesOf(arg, ({ op }) => op !== "map" && op !== "ref"))
    if (node.op === "maskedMean") return node;
  return null;
}

/** `mean(style.sigma, axis=frame)`: tokens are the product of frame, height and width. */
function withinTokens(report: Report, arg: Core, axis: Axis): string | null {
  if (!hasAxis(arg, axis)) return null;
  const text = report.textAt(arg.span) ?? "x";
  return `tokens unfold to a grid with the axis \`${axis}\`: write \`grid(${text})\` in place of \`${text}\``;
}

const hasAxis = ({ type }: Core, axis: Axis): boolean =>
  type.axes.some((own) => own === axis || (own.startsWith("token:") && gridOf(own).includes(axis)));

/** The grid axes of `token:video`, of a reference's tokens those of video and audio. */
function gridOf(tokens: Axis): readonly Axis[] {
  const family = tokens.slice("token:".length);
  return family === "video" || family === "audio"
    ? gridAxesOf(family)
    : [...gridAxesOf("video"), ...gridAxesOf("audio")];
}
