/**
 * The core language: what a checked strategy is made of. Every node has its axes and dtype; names are resolved, implicit conversions
 * (broadcasts by axis name, grid to tokens) are still implicit and follow from the axes.
 */
import type { Span } from "../source/span.ts";

export type ModalityName = "video" | "audio";

/** `batch`, `token:video`, `channel`, `frame`, ... */
export type Axis = string;

/**
 * Where a value exists: `host` values are plain numbers and booleans known before the step runs (parameters, sizes, literals);
 * `sample` values are host lists with a number for each sample (fps); all others are tensors.
 */
export type Stage = "host" | "sample" | "device";

export interface Type {
  readonly dtype: "f32" | "bool";
  /** In the order in which they are stored; empty for numbers and booleans. */
  readonly axes: readonly Axis[];
  readonly stage: Stage;
}

export type Elementwise =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "pow"
  | "maximum"
  | "minimum"
  | "less"
  | "lessEqual"
  | "greater"
  | "greaterEqual"
  | "equal"
  | "notEqual"
  | "and"
  | "or"
  | "not"
  | "where"
  | "float"
  | "neg"
  | "abs"
  | "sqrt"
  | "square"
  | "exp"
  | "log"
  | "tanh"
  | "sigmoid"
  | "sin"
  | "cos"
  | "floor";

export type Reduction = "mean" | "sum" | "max" | "min" | "any" | "all";

export type GridSize = "frames" | "height" | "width" | "steps";

export type Coordinate = "frame_index" | "row" | "column" | "step_index" | "time";

interface Node {
  readonly type: Type;
  /** What was written for it, null for what the compiler adds. */
  readonly span: Span | null;
}

export type Core = Node &
  (
    | { readonly op: "literal"; readonly value: number | boolean }
    /** A parameter, or an item of a list parameter. */
    | { readonly op: "param"; readonly name: string; readonly index: number | null }
    /** The value of another binding. */
    | { readonly op: "ref"; readonly key: string }
    /** A size of a modality's target grid or of a source, in latent cells. */
    | { readonly op: "size"; readonly of: string; readonly size: GridSize }
    /** Frames per second of a source, one for each sample. */
    | { readonly op: "fps"; readonly source: string }
    | { readonly op: "source"; readonly source: string }
    | { readonly op: "prediction"; readonly modality: ModalityName }
    | { readonly op: "map"; readonly fn: Elementwise; readonly args: readonly Core[] }
    | { readonly op: "reduce"; readonly fn: Reduction; readonly arg: Core; readonly axes: readonly Axis[] }
    /** mean(error * weights) / max(mean(weights), 1e-8), per sample; without weights the mean. `overAll`: `over all` was written. */
    | { readonly op: "maskedMean"; readonly error: Core; readonly weights: readonly Core[]; readonly overAll: boolean }
    | { readonly op: "tokens"; readonly arg: Core; readonly modality: ModalityName }
    | { readonly op: "grid"; readonly arg: Core; readonly modality: ModalityName }
    | { readonly op: "broadcast"; readonly arg: Core }
    /** `storage`: the source whose stored type normal numbers are rounded to; `of`: the modality that gives the channels. */
    | {
        readonly op: "draw";
        readonly fn: "randn" | "rand";
        readonly place: string;
        readonly storage: string | null;
        readonly of: ModalityName | null;
      }
    | { readonly op: "sampled"; readonly place: string; readonly modality: ModalityName }
    /** Of each target token, axes [token:modality]. */
    | {
        readonly op: "coordinate";
        readonly modality: ModalityName;
        readonly coordinate: Coordinate;
        readonly fps: Core | null;
      }
    /** Latent cell that holds a pixel: clamp(floor(pixel / scale), 0, size). */
    | { readonly op: "cell"; readonly pixel: Core; readonly along: "height" | "width" }
    /** Rounded to what the source's file stores. */
    | { readonly op: "round"; readonly arg: Core; readonly source: string }
    | { readonly op: "stopGradient"; readonly arg: Core }
    | { readonly op: "concat"; readonly args: readonly [Core, Core]; readonly axis: Axis }
    /** What is left of a mistake that was reported; fits everywhere. */
    | { readonly op: "error" }
  );

export const hostNumber: Type = { dtype: "f32", axes: [], stage: "host" };
export const hostBoolean: Type = { dtype: "bool", axes: [], stage: "host" };

export function tensor(dtype: Type["dtype"], axes: readonly Axis[]): Type {
  return { dtype, axes, stage: "device" };
}

export function poisoned(span: Span | null): Core {
  return { op: "error", type: hostNumber, span };
}

export function literal(value: number | boolean, span: Span | null = null): Core {
  return { op: "literal", value, type: typeof value === "number" ? hostNumber : hostBoolean, span };
}

/** The children of a node, left to right. */
export function childrenOf(core: Core): readonly Core[] {
  switch (core.op) {
    case "map":
    case "concat":
      return core.args;
    case "maskedMean":
      return [core.error, ...core.weights];
    case "reduce":
    case "tokens":
    case "grid":
    case "broadcast":
    case "round":
    case "stopGradient":
      return [core.arg];
    case "cell":
      return [core.pixel];
    case "coordinate":
      return core.fps === null ? [] : [core.fps];
    default:
      return [];
  }
}

/** `f32[batch, token:video]`; `number`, `mask without axes` for what has none. */
export function describe({ dtype, axes }: Type): string {
  if (axes.length === 0) return dtype === "f32" ? "a number" : "a mask without axes";
  return `\`${dtype}[${axes.join(", ")}]\``;
}
