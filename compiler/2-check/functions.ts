/** Functions with rules of their own: reductions, masks and numbers, tokens and grids. */
import {
  axisNames,
  familyOf,
  frequencyAxis,
  gridAxes,
  gridAxesOf,
  isJoined,
  isPixelFamily,
  joinedAxis,
  laterAxes,
} from "./axes.ts";
import { isAxisNamed, takesAxes, withAxesInOrder } from "./axis-by-name.ts";
import { reductions } from "./builtins.ts";
import { axisArguments, failed, hasArguments, values, type Call } from "./call.ts";
import { attentionKey, choose, isMask, map, reduce, tokens } from "./combine.ts";
import { describe, literal, poisoned, tensor, type Core, type Elementwise, type Family } from "./core.ts";
import { isMade, madeFunction } from "./made-functions.ts";
import { has, inDataset } from "./has-and-in.ts";
import { assigned, others } from "./other-samples.ts";
import { spanOf } from "./report.ts";

export function special(made: Call): Core {
  const call = takesAxes(made.name) ? { ...made, args: withAxesInOrder(made.args) } : made;
  const fn = Object.hasOwn(reductions, call.name) ? reductions[call.name] : undefined;
  if (fn === undefined) return isMade(call.name) ? madeFunction(call) : (functions[call.name]?.(call) ?? failed(call));
  if ((fn === "max" || fn === "min") && !made.args.some(isAxisNamed) && isElementwise(call))
    return elementwiseExtreme(call, fn === "max" ? "maximum" : "minimum");
  const counted = (core: Core) =>
    fn === "mean" && call.env.countsMasks && isMask(core)
      ? map(call.env.report, "float", [core], core.span, "`mean`")
      : core;
  return reduction(call, (core, axes) => reduce(call.env.report, fn, counted(core), axes, call.span));
}

/** `max(a, b)` of two values, rather than `max(a, axis)`; nothing else may be named like an axis. */
function isElementwise({ args, env }: Call): boolean {
  const second = args[1]?.value;
  if (second?.kind !== "name") return second !== undefined;
  return (
    !axisNames.includes(second.name) || (laterAxes.includes(second.name) && env.declarations.byName.has(second.name))
  );
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
  if (axes === null) return failed(call);
  const isThere = core.type.stage === "device" && axes.every((axis) => core.type.axes.includes(axis));
  if (!isThere) for (const { value } of call.args.slice(1)) call.env.report.withdrawPosition(value.span);
  return make(core, axes);
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
  blur: (call) => neighbours(call, "blur", "radius"),
  dilate: (call) => neighbours(call, "dilate", "n"),
  shift,
  others,
  assigned,
  quantile,
  dft,
  has,
  in: inDataset,
  key: (call) => {
    if (!inAttention(call) || !hasArguments(call, 1)) return failed(call);
    return attentionKey(call.env.report, call.value(0), call.span);
  },
  from,
};

type Three = readonly [Core, Core, Core];

function withValues(call: Call, count: number, make: (args: Three) => Core): Core {
  const args = hasArguments(call, count) ? values(call) : null;
  return args === null ? failed(call) : make(args as Three);
}

function toTokens(call: Call, x: Core): Core {
  const family = familyOf(x.type.axes);
  if (family !== null && family !== "clash" && !isPixelFamily(family) && !x.type.axes.some(isJoined)) {
    return x.type.axes.some((axis) => gridAxesOf(family).includes(axis)) ? tokens(x, family, call.span) : x;
  }
  return noGrid(call, x, "`tokens` takes values over frame, height and width, or over step");
}

export function toGrid(call: Call, x: Core): Core {
  const family = familyOf(x.type.axes);
  if (family !== null && x.type.axes.includes(`token:${family}`)) {
    const axes = x.type.axes.flatMap((axis) => (axis === `token:${family}` ? unfolded(call, family) : [axis]));
    return { op: "grid", arg: x, family, type: tensor(x.type.dtype, axes), span: call.span };
  }
  return noGrid(call, x, "`grid` takes values over tokens");
}

/** The axes that a family's tokens are the product of. */
function unfolded({ env }: Call, family: Family): readonly string[] {
  if (family === "video" || family === "audio") return gridAxes[family];
  const modality = env.declarations.references.get(family) ?? "video";
  return gridAxes[modality].map((axis) => `${axis}:${family}`);
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
    if (axis === "batch") return batchJoined(call);
    const axes = a.type.axes.map((own) => (own === axis ? joinedAxis(axis) : own));
    return { op: "concat", args: [a, b], axis: joinedAxis(axis), type: { ...a.type, axes }, span: call.span };
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

function batchJoined(call: Call): Core {
  call.env.report.error("LTX4020", call.span, "samples cannot be joined to one another", {
    help: "a loss is one number for each sample of the batch; join along another axis, or add two loss terms",
  });
  return failed(call);
}

/** `quantile(x, 0.9, token)`: the smallest of the numbers that at least this share of them does not exceed. */
function quantile(call: Call): Core {
  if (!hasArguments(call, 2, 9)) return failed(call);
  const [x, share] = [call.value(0), call.value(1)];
  if (x.op === "error" || share.op === "error" || !isKnownNumber(call, share, "q")) return failed(call);
  call.env.report.outsideUnit(share, "the share of `quantile`");
  const axes = axisArguments({ ...call, args: [...call.args.slice(0, 1), ...call.args.slice(2)] }, 1, x);
  if (axes === null) return failed(call);
  const reduced = reduce(call.env.report, "min", x, axes, call.span);
  if (reduced.op !== "reduce") return reduced;
  return { op: "quantile", arg: x, share, axes: reduced.axes, type: reduced.type, span: call.span };
}

/** `dft(x, axis=frame)`: the frequencies along axes of the grid, or of anything but the batch. */
function dft(call: Call): Core {
  if (!hasArguments(call, 2, 5)) return failed(call);
  const x = call.value(0);
  const { report } = call.env;
  if (x.op === "error") return x;
  if (isMask(x)) report.notANumber(x, "`dft`");
  if (isMask(x)) return failed(call);
  const names = call.args.slice(1).map(({ value }) => (value.kind === "name" ? value.name : ""));
  const onTokens = familyOf(x.type.axes);
  const needsGrid = names.some((name) => gridNames.includes(name)) && onTokens !== null;
  const grid = needsGrid && x.type.axes.includes(`token:${onTokens}`) ? toGrid(call, x) : x;
  if (grid.op === "error") return grid;
  const axes = axisArguments(call, 1, grid);
  return axes === null ? failed(call) : transformed(call, grid, axes);
}

const gridNames = [...gridAxes.video, ...gridAxes.audio];

function transformed(call: Call, arg: Core, axes: readonly string[]): Core {
  const own = arg.type.axes;
  const wrong = axes.find((axis, i) => !own.includes(axis) || axis === "batch" || axes.indexOf(axis) !== i);
  if (wrong !== undefined || own.includes("part") || arg.type.stage !== "device") {
    const message =
      wrong === undefined
        ? own.includes("part")
          ? "what `dft` gives cannot be transformed again"
          : `\`dft\` takes tensors, this is ${describe(arg.type)}`
        : `\`dft\` cannot run along \`${wrong}\` here: this is ${describe(arg.type)}`;
    call.env.report.error("LTX4025", call.span, message, {
      help: "name the axes of one value, each once and none of them `batch`: `dft(x, axis=height, axis=width)`",
    });
    return failed(call);
  }
  const rest = own.filter((axis) => !axes.includes(axis));
  const type = tensor("f32", [...rest, ...axes.map(frequencyAxis), "part"]);
  return { op: "dft", arg, axes, type, span: call.span };
}

// -------------------------------------------------------------------------------------------------------------- neighbours

/** `make` on the grid that `needed` axes are part of; what runs over tokens is laid out on the grid and back. */
function onGrid(call: Call, x: Core, make: (grid: Core) => Core): Core {
  const family = familyOf(x.type.axes);
  if (family === null || !x.type.axes.includes(`token:${family}`)) return make(x);
  const made = make(toGrid(call, x));
  return made.op === "error" ? made : tokens(made, family, call.span);
}

/** Over height and width. */
function neighbours(call: Call, fn: "blur" | "dilate", argument: string): Core {
  const args = hasArguments(call, 2) ? values(call) : null;
  const [x, radius] = args ?? [];
  if (x === undefined || radius === undefined) return failed(call);
  const { report } = call.env;
  if (fn === "blur" && isMask(x)) report.notANumber(x, "`blur`");
  else if (!isKnownNumber(call, radius, argument)) return failed(call);
  else return onGrid(call, x, (grid) => overHeightAndWidth(call, fn, grid, radius));
  return failed(call);
}

function overHeightAndWidth(call: Call, fn: "blur" | "dilate", grid: Core, radius: Core): Core {
  const has = (name: string) => grid.type.axes.some((axis) => axis.split(/[:/]/)[0] === name);
  if ((has("height") && has("width")) || (has("pixel_row") && has("pixel_column")))
    return { op: "neighbours", fn, arg: grid, radius, type: grid.type, span: call.span };
  return noGrid(call, grid, `\`${fn}\` works over height and width`);
}

/** `shift(x, frame, 1)`: the value one frame earlier. */
function shift(call: Call): Core {
  if (!hasArguments(call, 3)) return failed(call);
  const [x, by] = [call.value(0), call.value(2)];
  if (x.op === "error" || by.op === "error" || !isKnownNumber(call, by, "n")) return failed(call);
  return onGrid(call, x, (grid) => {
    const axis = axisArguments({ ...call, args: call.args.slice(0, 2) }, 1, grid)?.[0];
    if (axis === undefined) return failed(call);
    if (grid.type.axes.includes(axis)) return { op: "shift", arg: grid, axis, by, type: grid.type, span: call.span };
    return noGrid(call, grid, `\`shift\` moves along an axis that the value has, \`${axis}\` it has not`);
  });
}

function isKnownNumber({ name, env }: Call, core: Core, argument: string): boolean {
  if (core.type.stage === "host" && !isMask(core)) return true;
  env.report.error("LTX4014", spanOf(core), `\`${argument}\` of \`${name}\` is a number known before the run`, {
    help: "use a number or a parameter, in latent cells",
  });
  return false;
}

// --------------------------------------------------------------------------------------------------------------- attention

function inAttention({ name, env, span }: Call): boolean {
  if (env.sequence !== null) return true;
  env.report.error("LTX4016", span, `\`${name}\` has a meaning in \`attention\` only`, {
    help: "it says which token may attend to which: `attention: not (key(from(ref)) and hole)`",
  });
  return false;
}

/** `from(depth)`: the tokens of one source, none when its reference takes no part in the step. */
function from(call: Call): Core {
  const { env, span } = call;
  const { sequence } = env;
  if (!inAttention(call) || sequence === null || !hasArguments(call, 1)) return failed(call);
  const argument = call.args[0]?.value;
  const name = argument?.kind === "name" ? argument.name : "";
  const candidates = [...env.declarations.references].flatMap(([source, of]) => (of === sequence ? [source] : []));
  if (candidates.includes(name)) {
    env.declarations.used.add(name);
    return { op: "from", source: name, modality: sequence, type: tensor("bool", [`sequence:${sequence}`]), span };
  }
  const known = candidates.map((source) => `\`${source}\``).join(", ");
  env.report.error("LTX4006", argument?.span ?? span, `\`from\` takes a source that \`${sequence}.references\` lists`, {
    help: known === "" ? `\`${sequence}\` has no references` : `there are: ${known}`,
  });
  return failed(call);
}
