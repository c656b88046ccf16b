/** Losses: compare two tensors, reduce every axis but `batch`; `over` restricts them to a mask or weighs them. */
import { haveEqualAxes } from "./equal-axes.ts";
import { failed, hasArguments, values, type Call } from "./call.ts";
import { align, broadcastTo, isMask, map, reduce } from "./combine.ts";
import { describe, literal, poisoned, tensor, type Core, type Elementwise } from "./core.ts";
import { onPixels } from "./over-pixels.ts";
import { choosesSamples } from "./presence.ts";
import { spanOf, type Report } from "./report.ts";

/**
 * `f32[batch]`: the loss `call`, averaged over `weights`, each a mask or numbers not below 0. In samples for which a mask such as
 * `has(depth)` is not true it is 0.
 */
export function loss(call: Call, weights: readonly Core[]): Core {
  if (!hasArguments(call, call.name === "huber" ? 3 : 2)) return failed(call);
  const args = values(call);
  if (args === null || weights.some((weight) => weight.op === "error")) return failed(call);
  const { env, span } = call;
  const ofSamples = weights.filter((weight) => choosesSamples(weight, env.bindings.finished));
  const regions = weights.filter((weight) => !ofSamples.includes(weight));
  const averaged = masked(call, args, regions);
  return ofSamples.reduce(
    (core, mask) => (core.op === "error" ? core : map(env.report, "where", [mask, core, literal(0)], span, "`over`")),
    averaged,
  );
}

function masked(call: Call, args: readonly Core[], weights: readonly Core[]): Core {
  if (call.env.language > 1 && call.env.report.isOwn(call.span) && !haveEqualAxes(call, args)) return failed(call);
  const compared = errorOf(call, args);
  if (compared.op === "error" || !isPerSample(call, compared)) return failed(call);
  const named = weights.filter((weight) => !(weight.op === "literal" && weight.value === true));
  const written = named.map((weight) => onPixels(call, weight, compared));
  const [error = compared, ...restricting] = align([compared, ...written]);
  if (restricting.some((weight) => !isWeight(call.env.report, weight, error))) return failed(call);
  const overAll = restricting.length < weights.length;
  return { op: "maskedMean", error, weights: restricting, overAll, type: tensor("f32", ["batch"]), span: call.span };
}

function isPerSample({ env, span, name }: Call, error: Core): boolean {
  if (error.type.stage === "device" && error.type.axes.includes("batch")) return true;
  env.report.error("LTX4008", span, `\`${name}\` compares ${describe(error.type)}: there is nothing for each sample`, {
    help: "compare tensors of the batch, e.g. `mse(video.prediction, video.target)`",
  });
  return false;
}

/** Weights are normalised away as a whole, so one for each sample would have no effect. */
function isWeight(report: Report, weight: Core, error: Core): boolean {
  const { axes } = weight.type;
  if (axes.every((axis) => axis === "batch")) {
    report.error(
      "LTX4010",
      spanOf(weight),
      `\`over\` takes a mask or weights over tokens, this is ${describe(weight.type)}`,
      {
        help: isMask(weight)
          ? "it has one value for each sample; a mask over tokens comes from a mean over `channel` alone, e.g. `mean(tokens(masks), axis=channel) > 0.5`"
          : "weights are normalised for each sample; a weight of the whole sample belongs in front: `w * mse(a, b) over m`",
      },
    );
    return false;
  }
  const met = map(report, "mul", [isMask(weight) ? asNumber(report, weight) : weight, error], weight.span, "`over`");
  if (met.op === "error") return false;
  const foreign = met.type.axes.find((axis) => !error.type.axes.includes(axis));
  if (foreign === undefined) return true;
  report.error("LTX4005", spanOf(weight), `what \`over\` follows has no axis \`${foreign}\``, {
    help: `it has ${describe(error.type)}`,
  });
  return false;
}

function asNumber(report: Report, core: Core): Core {
  return isMask(core) ? map(report, "float", [core], core.span, "`float`") : core;
}

/** The error before it is averaged; `e = a - b`. */
function errorOf(call: Call, [a, b, delta]: readonly Core[]): Core {
  const { env, span, name } = call;
  const apply = (fn: Elementwise, ...args: Core[]) => map(env.report, fn, args, span, `\`${name}\``);
  if (a === undefined || b === undefined) return poisoned(span);
  if (name === "cosine_distance") return cosineDistance(call, a, b);
  const e = apply("sub", a, b);
  switch (name) {
    case "mae":
      return apply("abs", e);
    case "charbonnier":
      return apply("sqrt", apply("add", apply("square", e), literal(1e-6)));
    case "huber": {
      const limit = delta ?? literal(1);
      if (limit.op === "literal" && Number(limit.value) <= 0) return flatHuber(call, limit);
      const size = apply("abs", e);
      const tangent = apply("mul", limit, apply("sub", size, apply("mul", literal(0.5), limit)));
      return apply("where", apply("lessEqual", size, limit), apply("mul", literal(0.5), apply("square", e)), tangent);
    }
    default:
      return apply("square", e);
  }
}

function flatHuber({ env, span }: Call, delta: Core): Core {
  env.report.error(
    "LTX5031",
    spanOf(delta),
    "with a `delta` of 0 the loss is 0 whatever is predicted, and has no gradient",
    {
      help: "`delta` is the error up to which it is squared, and beyond which it is linear: `huber(a, b, 1)`",
    },
  );
  return poisoned(span);
}

/** 1 - a·b / (|a| |b|) along the channel, feature or hidden axis. */
function cosineDistance(call: Call, a: Core, b: Core): Core {
  const { env, span } = call;
  const apply = (fn: Elementwise, ...args: Core[]) => map(env.report, fn, args, span, "`cosine_distance`");
  const product = apply("mul", a, b);
  const along = ["channel", "feature", "hidden"].find((axis) => product.type.axes.includes(axis));
  if (product.op === "error") return product;
  if (along === undefined) {
    env.report.error("LTX4005", span, `${describe(product.type)} has no axis \`channel\``, {
      help: "the cosine is taken along `channel`, `feature` or `hidden`",
    });
    return poisoned(span);
  }
  const total = (x: Core) => reduce(env.report, "sum", broadcastTo(x, product.type.axes), [along], span);
  const norms = apply("sqrt", apply("mul", total(apply("square", a)), total(apply("square", b))));
  return apply("sub", literal(1), apply("div", total(product), apply("maximum", norms, literal(1e-8))));
}
