/** Builds nodes and checks their types: the rules of the language about axes, masks and numbers. */
import type { Span } from "../source/span.ts";
import { modalityOf, needsTokens, toTokenAxes, unionOf } from "./axes.ts";
import {
  describe,
  poisoned,
  tensor,
  type Axis,
  type Core,
  type Elementwise,
  type ModalityName,
  type Reduction,
  type Stage,
  type Type,
} from "./core.ts";
import { spanOf, type Report } from "./report.ts";

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
  return broadcastMap(report, fn, args, span);
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
  const aligned = alignGrids(args);
  const axes = unionOf(aligned.map((arg) => arg.type.axes));
  if (modalityOf(axes) === "clash") return clash(report, aligned, span);
  return {
    op: "map",
    fn,
    args: aligned,
    type: { dtype: resultType(fn), axes, stage: stageOf(aligned, resultType(fn)) },
    span,
  };
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
  if (args.every((arg) => arg.type.stage === "host")) return "host";
  const onHost = args.every((arg) => arg.type.stage !== "device");
  return onHost && dtype === "f32" ? "sample" : "device";
}

/** Turns grid axes into tokens where another operand runs over tokens. */
export function alignGrids(args: readonly Core[]): readonly Core[] {
  const all = args.flatMap((arg) => arg.type.axes);
  return args.map((arg) => {
    const modality = needsTokens(arg.type.axes, all);
    return modality === null ? arg : tokens(arg, modality, null);
  });
}

export function tokens(arg: Core, modality: ModalityName, span: Span | null): Core {
  const axes = toTokenAxes(arg.type.axes, modality);
  return { op: "tokens", arg, modality, type: tensor(arg.type.dtype, axes), span };
}

function clash(report: Report, args: readonly Core[], span: Span | null): Core {
  const video = args.find((arg) => modalityOf(arg.type.axes) === "video");
  const audio = args.find((arg) => modalityOf(arg.type.axes) === "audio");
  if (video === undefined || audio === undefined) return poisoned(span);
  report.error("LTX4004", span ?? spanOf(audio), "a value over video tokens meets one over audio tokens", {
    labels: [report.originOf(video, "video"), report.originOf(audio, "audio")],
    help: "video and audio have different tokens; reduce one of them first, e.g. `mean(x, token)`",
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
      help:
        arg.type.axes.length === 0
          ? "a single number needs no reduction"
          : `it has ${arg.type.axes.map((axis) => `\`${axis}\``).join(", ")}`,
    });
    return poisoned(span);
  }
  const left = arg.type.axes.filter((axis) => !chosen.includes(axis));
  return { op: "reduce", fn, arg, axes: chosen, type: tensor(arg.type.dtype, left), span };
}

/** The value with exactly these axes, for places where the shape matters (masks of tokens, noise levels). */
export function broadcastTo(core: Core, axes: readonly Axis[]): Core {
  if (core.op === "error") return core;
  const modality = needsTokens(core.type.axes, axes);
  const arg = modality === null ? core : tokens(core, modality, null);
  if (arg.type.stage === "device" && arg.type.axes.join() === axes.join()) return arg;
  return { op: "broadcast", arg, type: tensor(core.type.dtype, axes), span: core.span };
}
