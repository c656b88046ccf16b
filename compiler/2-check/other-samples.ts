/** What samples have to do with the others of their batch: `others(x)` and `assigned(noise, clean)`. */
import type { Binding } from "./checked.ts";
import { failed, hasArguments, values, type Call } from "./call.ts";
import { isMask } from "./combine.ts";
import { describe, type Core } from "./core.ts";
import { allNodes } from "./dependencies.ts";
import { spanOf } from "./report.ts";

/** `[batch, other, …]`: for each sample the values of all others, never its own. */
export function others(call: Call): Core {
  const [x] = (hasArguments(call, 1) ? values(call) : null) ?? [];
  if (x === undefined || x.op === "error" || !isOfSamples(call, x)) return failed(call);
  const axes = x.type.axes.flatMap((axis) => (axis === "batch" ? [axis, "other"] : [axis]));
  return { op: "others", arg: x, type: { ...x.type, axes, stage: "device" }, span: call.span };
}

/** `x` with its samples in another order, the one in which they lie nearest to those of `to`. */
export function assigned(call: Call): Core {
  const [x, to] = (hasArguments(call, 2) ? values(call) : null) ?? [];
  if (x === undefined || to === undefined || x.op === "error" || to.op === "error") return failed(call);
  if (!isOfSamples(call, x) || !isOfSamples(call, to)) return failed(call);
  if (isDrawn(to) && !isDrawn(x)) {
    const text = [x, to].map(({ span }) => call.env.report.textAt(span) ?? "…").toReversed();
    call.env.report.error("LTX4041", call.span, "`assigned` takes the noise first, then what it is brought near to", {
      help: `write \`assigned(${text.join(", ")})\``,
    });
    return failed(call);
  }
  if (x.type.axes.join() === to.type.axes.join() && !isMask(x) && !isMask(to))
    return { op: "assigned", arg: x, to, type: x.type, span: call.span };
  call.env.report.error(
    "LTX4041",
    call.span,
    `\`assigned\` measures how near samples lie, but ${describe(x.type)} and ${describe(to.type)} are not alike`,
    { help: "both are numbers with the same axes: under `video:` write `noise: assigned(randn(), clean)`" },
  );
  return failed(call);
}

const isDrawn = ({ op }: Core): boolean => op === "draw";

function isOfSamples({ env, name }: Call, x: Core): boolean {
  const { axes } = x.type;
  if (axes.includes("batch") && !axes.includes("other")) return true;
  const what = axes.includes("other") ? "has the other samples already" : "is the same for all samples";
  env.report.error(
    "LTX4040",
    spanOf(x),
    `\`${name}\` takes a value that samples have, this ${what}: ${describe(x.type)}`,
    {
      help: "e.g. `mean((video.prediction - others(video.target))^2)`: each prediction and the targets of all other samples",
    },
  );
  return false;
}

/** Whether a value of one sample is calculated from others of its batch, so that it has no meaning in a batch of one. */
export function comparesSamples(core: Core, bindings: ReadonlyMap<string, Binding>): boolean {
  return contains(core, bindings, comparesOthers);
}

/** Whether a strategy needs batches of several samples. */
export function needsOthers(cores: readonly Core[], bindings: ReadonlyMap<string, Binding>): boolean {
  return contains(cores, bindings, (node) => node.op === "assigned" || comparesOthers(node));
}

const comparesOthers = (node: Core): boolean => node.op === "others" || (node.op === "shift" && node.axis === "batch");

function contains(
  cores: Core | readonly Core[],
  bindings: ReadonlyMap<string, Binding>,
  what: (node: Core) => boolean,
): boolean {
  for (const node of allNodes(cores, bindings)) if (what(node)) return true;
  return false;
}
