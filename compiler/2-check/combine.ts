/** Builds nodes and checks their types: the rules of the language about axes, masks and numbers. */
import type { Span } from "../source/span.ts";
import {
  depthClash,
  familyOf,
  isFrequency,
  isPixelFamily,
  joinedClash,
  needsSequence,
  needsTokens,
  toTokenAxes,
  unionOf,
  unjoined,
} from "./axes.ts";
import {
  describe,
  poisoned,
  tensor,
  type Axis,
  type Core,
  type Elementwise,
  type Family,
  type ModalityName,
  type Reduction,
  type Stage,
  type Type,
} from "./core.ts";
import { missingAxisHelp } from "./missing-axis.ts";
import { spanOf, type Report } from "./report.ts";
import { unitOf } from "./units.ts";

export const isMask = (core: Core): boolean => core.type.dtype === "bool";

/** An elementwise operation on numbers (or for `and or not`, on masks). */
export function map(report: Report, fn: Elementwise, args: readonly Core[], span: Span | null, what: string): Core {
  if (args.some((arg) => arg.op === "error")) return poisoned(span);
  const takesMasks = fn === "and" || fn === "or" || fn === "not" || fn === "float";
  const wrong = args.find((arg, i) => isMask(arg) !== (takesMasks || (fn === "where" && i === 0)));
  if (wrong !== undefined) {
    if (takesMasks || (fn === "where" && wrong === args[0])) report.notAMask(wrong, what);
    else report.notANumber(wrong, what);
    return poisoned(span);
  }
  const unit = unitOf(report, fn, args, { span, what });
  if (unit === "clash") return poisoned(span);
  const core = broadcastMap(report, fn, args, span);
  return unit === null || core.op === "error" ? core : { ...core, type: { ...core.type, unit } };
}

/** `m ? a : b` of numbers or of masks. */
export function choose(report: Report, args: readonly Core[], span: Span, what: string): Core {
  const [m, a, b] = args;
  if (m === undefined || a === undefined || b === undefined) return poisoned(span);
  if (a.op === "error" || b.op === "error" || !isMask(a) || !isMask(b)) return map(report, "where", args, span, what);
  const apply = (fn: Elementwise, ...masks: Core[]) => map(report, fn, masks, span, what);
  return apply("or", apply("and", m, a), apply("and", apply("not", m), b));
}

function broadcastMap(report: Report, fn: Elementwise, args: readonly Core[], span: Span | null): Core {
  const [one, other] = differing(args);
  if (one !== undefined && other !== undefined && (isPixelFamily(one.family) || isPixelFamily(other.family)))
    return pixelClash(report, [one, other], span);
  if (axesClash(report, args, span)) return poisoned(span);
  const aligned = align(args);
  const axes = unionOf(aligned.map((arg) => arg.type.axes));
  if (familyOf(axes) === "clash") return clash(report, aligned, span);
  return {
    op: "map",
    fn,
    args: aligned,
    type: { dtype: resultType(fn), axes, stage: stageOf(aligned, resultType(fn)) },
    span,
  };
}

/** Reports values that their axes' names keep apart, though what they run over is the same. */
function axesClash(report: Report, args: readonly Core[], span: Span | null): boolean {
  const all = args.map((arg) => arg.type.axes);
  const place = span ?? spanOf(args.find((arg) => arg.span !== null) ?? (args[0] as Core));
  const joined = joinedClash(all);
  const depth = depthClash(all);
  if (joined !== null) {
    const [twice, once] = joined;
    report.error("LTX4020", place, `a value over \`${twice}\` meets one over \`${once}\``, {
      help: isFrequency(twice)
        ? "`dft` gives frequencies in place of this axis: transform the other value, too, or reduce the frequencies first"
        : `\`concat\` makes the axis twice as long: join the other value, too, or reduce the joined one first, e.g. \`mean(x, axis=${unjoined(twice).split(":")[0]})\``,
    });
  } else if (depth !== null) {
    const [first, second] = depth;
    report.error("LTX4021", place, `a value over \`${first}\` meets one over \`${second}\``, {
      help: `every \`${first}\` would meet every \`${second}\`: bring both to the same axis with a head, \`{linear: …, features: …}\` under \`outputs\`, or reduce one of them, e.g. \`mean(x, axis=${first})\``,
    });
  }
  return joined !== null || depth !== null;
}

function resultType(fn: Elementwise): Type["dtype"] {
  switch (fn) {
    case "less":
    case "lessEqual":
    case "greater":
    case "greaterEqual":
    case "equal":
    case "notEqual":
    case "and":
    case "or":
    case "not":
      return "bool";
    default:
      return "f32";
  }
}

/** Host values stay on the host among themselves; lists of numbers (fps) stay lists in arithmetic. */
function stageOf(args: readonly Core[], dtype: Type["dtype"]): Stage {
  const has = (stage: Stage) => args.some((arg) => arg.type.stage === stage);
  if (has("device")) return "device";
  if (has("sample")) return dtype === "f32" ? "sample" : "device";
  return has("step") ? "step" : "host";
}

/**
 * Makes values meet: grid axes become tokens where another operand runs over tokens, target tokens become the sequence where another
 * runs over references and target.
 */
export function align(args: readonly Core[]): readonly Core[] {
  return extendAll(alignGrids(args));
}

function alignGrids(args: readonly Core[]): readonly Core[] {
  const all = args.flatMap((arg) => arg.type.axes);
  return args.map((arg) => {
    const family = needsTokens(arg.type.axes, all);
    return family === null ? arg : tokens(arg, family, null);
  });
}

function extendAll(args: readonly Core[]): readonly Core[] {
  const all = args.flatMap((arg) => arg.type.axes);
  return args.map((arg) => {
    const modality = needsSequence(arg.type.axes, all);
    return modality === null ? arg : extend(arg, modality);
  });
}

export function tokens(arg: Core, family: Family, span: Span | null): Core {
  const axes = toTokenAxes(arg.type.axes, family);
  return { op: "tokens", arg, family, type: tensor(arg.type.dtype, axes), span };
}

function extend(arg: Core, modality: ModalityName): Core {
  const axes = arg.type.axes.map((axis) => (axis === `token:${modality}` ? `sequence:${modality}` : axis));
  return { op: "extend", arg, modality, type: tensor(arg.type.dtype, axes), span: arg.span };
}

function clash(report: Report, args: readonly Core[], span: Span | null): Core {
  const [first, second] = differing(args);
  if (first === undefined || second === undefined) return poisoned(span);
  const [a, b] = [first, second].map(({ family }) => family) as [Family, Family];
  report.error("LTX4004", span ?? spanOf(second.arg), `a value over ${tokensOf(a)} meets one over ${tokensOf(b)}`, {
    labels: [report.originOf(first.arg, a), report.originOf(second.arg, b)],
    help: `${tokensOf(a)} and ${tokensOf(b)} are not the same; reduce one of them first, e.g. \`mean(x, axis=token)\``,
  });
  return poisoned(span);
}

/** Pixels meet pixels of the same grid alone. */
function pixelClash(report: Report, [first, second]: readonly [Met, Met], span: Span | null): Core {
  const labels = [first, second].map(({ arg, family }) => report.originOf(arg, family));
  const areBoth = isPixelFamily(first.family) && isPixelFamily(second.family);
  const message = areBoth ? "these pixels are of different grids" : "a value over pixels meets one over latent cells";
  report.error("LTX4031", span ?? spanOf(second.arg), message, {
    labels,
    help: areBoth
      ? "decode both by the same network, from latents of one grid, or reduce one of them first, e.g. `mean(x)`"
      : "decode the other value, too, as in `mae(decode(video.denoised), decode(video.clean))`, or reduce one of them first, e.g. `mean(x)`",
  });
  return poisoned(span);
}

interface Met {
  readonly arg: Core;
  readonly family: Family;
}

/** One operand of each family, as the families first come; video before audio. */
function differing(args: readonly Core[]): Met[] {
  const known = new Map<Family, Core>();
  for (const arg of args) {
    const family = familyOf(arg.type.axes);
    if (family !== null && !known.has(family)) known.set(family, arg);
  }
  const found = [...known].map(([family, arg]) => ({ arg, family }));
  return found.toSorted((a, b) => Number(b.family === "video") - Number(a.family === "video"));
}

const tokensOf = (family: Family): string =>
  family === "video" || family === "audio" ? `${family} tokens` : `tokens of \`${family}\``;

/** `key(x)`: the value of each token, on the key side of `attention`. */
export function attentionKey(report: Report, x: Core, span: Span): Core {
  if (x.op === "error") return x;
  const { axes, dtype } = x.type;
  const family = familyOf(axes);
  const isPerToken = axes.every((axis) => axis === "batch" || (familyOf([axis]) !== null && !axis.startsWith("key:")));
  if ((family === "video" || family === "audio") && isPerToken) {
    const batch = axes.includes("batch") ? ["batch"] : [];
    const arg = broadcastTo(x, [...batch, `sequence:${family}`]);
    return { op: "key", arg, type: tensor(dtype, [...batch, `key:${family}`]), span };
  }
  report.error("LTX4005", span, `\`key\` takes a value for each token, this is ${describe(x.type)}`, {
    help: "e.g. `key(frame_index) <= frame_index`: a token attends to its own frame and earlier ones",
  });
  return poisoned(span);
}

/** A reduction over `axes`; an empty list means every axis but `batch`. */
export function reduce(report: Report, fn: Reduction, arg: Core, axes: readonly Axis[], span: Span): Core {
  if (arg.op === "error") return poisoned(span);
  const masks = fn === "any" || fn === "all";
  if (isMask(arg) !== masks) {
    if (masks) report.notAMask(arg, `\`${fn}\``);
    else report.notANumber(arg, `\`${fn}\``);
    return poisoned(span);
  }
  const chosen = axes.length > 0 ? axes : arg.type.axes.filter((axis) => axis !== "batch");
  const missing = chosen.find((axis) => !arg.type.axes.includes(axis));
  if (missing !== undefined || arg.type.stage !== "device") {
    const lacks = missing === undefined ? "no axes to reduce" : `no axis \`${missing}\``;
    report.error("LTX4005", span, `${describe(arg.type)} has ${lacks}`, {
      help: missingAxisHelp(report, arg, missing ?? null),
    });
    return poisoned(span);
  }
  const left = arg.type.axes.filter((axis) => !chosen.includes(axis));
  return { op: "reduce", fn, arg, axes: chosen, type: tensor(arg.type.dtype, left), span };
}

/** The value with exactly these axes, for places where the shape matters (masks of tokens, noise levels). */
export function broadcastTo(core: Core, axes: readonly Axis[]): Core {
  if (core.op === "error") return core;
  const family = needsTokens(core.type.axes, axes);
  const onTokens = family === null ? core : tokens(core, family, null);
  const modality = needsSequence(onTokens.type.axes, axes);
  const arg = modality === null ? onTokens : extend(onTokens, modality);
  if (arg.type.stage === "device" && arg.type.axes.join() === axes.join()) return arg;
  return { op: "broadcast", arg, type: tensor(core.type.dtype, axes), span: core.span };
}

/** A number as it is written, with its sign; null for anything else. */
export function writtenNumber(core: Core): number | null {
  if (core.op === "literal") return typeof core.value === "number" ? core.value : null;
  const inner = core.op === "map" && core.fn === "neg" ? core.args[0] : undefined;
  return inner?.op === "literal" && typeof inner.value === "number" ? -inner.value : null;
}
