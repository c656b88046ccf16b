/** Functions with rules of their own: reductions, masks and numbers, tokens and grids. */
import { gridAxes, modalityOf } from "./axes.ts";
import { reductions } from "./builtins.ts";
import { axisArguments, failed, hasArguments, values, type Call } from "./call.ts";
import { choose, isMask, map, reduce, tokens } from "./combine.ts";
import { describe, literal, poisoned, tensor, type Core, type Elementwise, type ModalityName } from "./core.ts";

export function special(call: Call): Core {
  const fn = Object.hasOwn(reductions, call.name) ? reductions[call.name] : undefined;
  if (fn === undefined) return functions[call.name]?.(call) ?? failed(call);
  if ((fn === "max" || fn === "min") && isElementwise(call))
    return elementwiseExtreme(call, fn === "max" ? "maximum" : "minimum");
  return reduction(call, (core, axes) => reduce(call.env.report, fn, core, axes, call.span));
}

/** `max(a, b)` of two values, rather than `max(a, axis)`. */
function isElementwise({ args, env }: Call): boolean {
  const second = args[1]?.value;
  if (second === undefined) return false;
  return second.kind !== "name" || env.declarations.byName.has(second.name) || env.parameters.has(second.name);
}

function elementwiseExtreme(call: Call, fn: Elementwise): Core {
  const args = hasArguments(call, 2) ? values(call) : null;
  return args === null ? failed(call) : map(call.env.report, fn, args, call.span, `\`${call.name}\``);
}

function reduction(call: Call, make: (core: Core, axes: readonly string[]) => Core): Core {
  if (!hasArguments(call, 1, 8)) return failed(call);
  const core = call.value(0);
  if (core.op === "error") return failed(call);
  const axes = axisArguments(call, 1, core);
  return axes === null ? failed(call) : make(core, axes);
}

const functions: Readonly<Record<string, (call: Call) => Core>> = {
  norm: (call) =>
    reduction(call, (core, axes) => {
      const squares = map(call.env.report, "square", [core], call.span, "`norm`");
      return map(
        call.env.report,
        "sqrt",
        [reduce(call.env.report, "sum", squares, axes, call.span)],
        call.span,
        "`norm`",
      );
    }),
  clamp: (call) =>
    withValues(call, 3, ([x, low, high]) => {
      const apply = (fn: Elementwise, ...args: Core[]) => map(call.env.report, fn, args, call.span, "`clamp`");
      return apply("minimum", apply("maximum", x, low), high);
    }),
  where: (call) => withValues(call, 3, (args) => choose(call.env.report, args, call.span, "`where`")),
  float: (call) => withValues(call, 1, (args) => map(call.env.report, "float", args, call.span, "`float`")),
  /** Signal to noise: ((1 - sigma) / max(sigma, 1e-3))^2 */
  snr: (call) =>
    withValues(call, 1, ([sigma]) => {
      const apply = (fn: Elementwise, ...args: Core[]) => map(call.env.report, fn, args, call.span, "`snr`");
      return apply("square", apply("div", apply("sub", literal(1), sigma), apply("maximum", sigma, literal(1e-3))));
    }),
  /** Numbers known before the step have no gradient to stop. */
  stop_gradient: (call) =>
    withValues(call, 1, ([arg]) =>
      arg.type.stage === "device" ? { op: "stopGradient", arg, type: arg.type, span: call.span } : arg,
    ),
  tokens: (call) => withValues(call, 1, ([x]) => toTokens(call, x)),
  grid: (call) => withValues(call, 1, ([x]) => toGrid(call, x)),
  concat,
};

type Three = readonly [Core, Core, Core];

function withValues(call: Call, count: number, make: (args: Three) => Core): Core {
  const args = hasArguments(call, count) ? values(call) : null;
  return args === null ? failed(call) : make(args as Three);
}

function toTokens(call: Call, x: Core): Core {
  const modality = modalityOf(x.type.axes);
  if (modality === "video" || modality === "audio") {
    return x.type.axes.includes(`token:${modality}`) ? x : tokens(x, modality, call.span);
  }
  return noGrid(call, x, "`tokens` takes values over frame, height and width, or over step");
}

function toGrid(call: Call, x: Core): Core {
  const modality = modalityOf(x.type.axes);
  if ((modality === "video" || modality === "audio") && x.type.axes.includes(`token:${modality}`)) {
    return { op: "grid", arg: x, modality, type: tensor(x.type.dtype, unfold(x, modality)), span: call.span };
  }
  return noGrid(call, x, "`grid` takes values over tokens");
}

function unfold(x: Core, modality: ModalityName): readonly string[] {
  return x.type.axes.flatMap((axis) => (axis === `token:${modality}` ? gridAxes[modality] : [axis]));
}

function noGrid(call: Call, x: Core, message: string): Core {
  call.env.report.error("LTX4005", call.span, `${message}, this is ${describe(x.type)}`, {
    help: "sources of latents have a grid, masks and modalities' values have tokens",
  });
  return poisoned(call.span);
}

function concat(call: Call): Core {
  if (!hasArguments(call, 3)) return failed(call);
  const [a, b] = [call.value(0), call.value(1)];
  if (a.op === "error" || b.op === "error") return failed(call);
  const axis = axisArguments(call, 2, a)?.[0];
  if (axis === undefined) return failed(call);
  if (a.type.axes.join() === b.type.axes.join() && a.type.axes.includes(axis) && isMask(a) === isMask(b)) {
    return { op: "concat", args: [a, b], axis, type: a.type, span: call.span };
  }
  call.env.report.error(
    "LTX4005",
    call.span,
    `${describe(a.type)} and ${describe(b.type)} cannot be joined along \`${axis}\``,
    {
      help: "both need the same axes, in the same order",
    },
  );
  return failed(call);
}
