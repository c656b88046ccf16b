/**
 * The core language: what a checked strategy is made of. Every node has its axes and dtype; names are resolved, implicit conversions
 * (broadcasts by axis name, grid to tokens) are still implicit and follow from the axes.
 */
import type { Unit } from "../1-parse/expression/ast.ts";
import type { Span } from "../source/span.ts";

export type ModalityName = "video" | "audio";

/** `batch`, `token:video`, `channel`, `frame`, ... */
export type Axis = string;

/** Whose tokens a value lies on: a modality's target, or a source that is a reference. */
export type Family = string;

/**
 * Where a value exists: `host` values are plain numbers and booleans known before the run (parameters, sizes, literals); `step` values
 * are such numbers that change from step to step (global_step); `sample` values are host lists with a number for each sample (fps);
 * all others are tensors.
 */
export type Stage = "host" | "step" | "sample" | "device";

export interface Type {
  readonly dtype: "f32" | "bool";
  /** In the order in which they are stored; empty for numbers and booleans. */
  readonly axes: readonly Axis[];
  readonly stage: Stage;
  /** What a length is counted in; plain numbers have none. */
  readonly unit?: Unit;
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
    /** Whether a text parameter has this value. */
    | { readonly op: "paramIs"; readonly name: string; readonly value: string }
    /** The value of another binding. */
    | { readonly op: "ref"; readonly key: string }
    /** A size of a modality's target grid or of a source, in latent cells. */
    | { readonly op: "size"; readonly of: string; readonly size: GridSize }
    /** Frames per second of a source, one for each sample. */
    | { readonly op: "fps"; readonly source: string }
    /** Pixels along one side of a latent cell, or pixel frames of a latent frame, as the checkpoint's VAE has them. */
    | { readonly op: "scale"; readonly along: "time" | "height" | "width" }
    | { readonly op: "source"; readonly source: string }
    /** `bool[batch]`: the samples that have a file of an optional source. */
    | { readonly op: "has"; readonly source: string }
    /** `bool[batch]`: the samples of a data set. */
    | { readonly op: "in"; readonly dataset: string }
    | { readonly op: "prediction"; readonly modality: ModalityName }
    /**
     * What a pass gives the model: `fields` by their own keys (`video.noisy`), each the value that the pass has for it. `given`: fields that
     * exist only after another call; the value is then a function of them.
     */
    | {
        readonly op: "passInputs";
        readonly pass: string;
        readonly modalities: readonly PassModality[];
        readonly fields: readonly PassField[];
        readonly given: readonly PassField[];
      }
    /** Another call of the model; `args`: what `given` of its inputs asks for. */
    | { readonly op: "pass"; readonly pass: string; readonly inputs: Core; readonly args: readonly Core[] }
    /** What a pass predicts, constant to the gradient where its weights are not the trained ones. */
    | {
        readonly op: "passPrediction";
        readonly pass: string;
        readonly modality: ModalityName;
        readonly isConstant: boolean;
        readonly call: Core;
      }
    | { readonly op: "map"; readonly fn: Elementwise; readonly args: readonly Core[] }
    | { readonly op: "reduce"; readonly fn: Reduction; readonly arg: Core; readonly axes: readonly Axis[] }
    /** The smallest number along `axes` that at least `share` of them does not exceed. */
    | { readonly op: "quantile"; readonly arg: Core; readonly share: Core; readonly axes: readonly Axis[] }
    /**
     * The discrete Fourier transform of real numbers along `axes`. Behind all other axes stand those of the frequencies, in this order and the
     * last with half of them, and then `part`: the real and the imaginary part.
     */
    | { readonly op: "dft"; readonly arg: Core; readonly axes: readonly Axis[] }
    /** mean(error * weights) / max(mean(weights), 1e-8), per sample; without weights the mean. `overAll`: `over all` was written. */
    | { readonly op: "maskedMean"; readonly error: Core; readonly weights: readonly Core[]; readonly overAll: boolean }
    | { readonly op: "tokens"; readonly arg: Core; readonly family: Family }
    | { readonly op: "grid"; readonly arg: Core; readonly family: Family }
    | { readonly op: "broadcast"; readonly arg: Core }
    /** Of stage `sample` a list of uniform numbers on the host. `storage`: the source whose stored type normal numbers are rounded to; `of`: the modality that gives the channels. */
    | {
        readonly op: "draw";
        readonly fn: "randn" | "rand";
        readonly place: string;
        readonly storage: string | null;
        readonly of: ModalityName | null;
      }
    /** The run's sampler, or a shifted logit-normal of these parameters, each a number known before the run. */
    | {
        readonly op: "sampled";
        readonly place: string;
        readonly modality: ModalityName;
        readonly shifted: Shifted | null;
      }
    /** Of each target token, axes [token:modality]; in a `sequence` of each of its tokens, [sequence:modality]. */
    | {
        readonly op: "coordinate";
        readonly modality: ModalityName;
        readonly coordinate: Coordinate;
        readonly fps: Core | null;
        readonly sequence: boolean;
        /** Of a sequence: the pass with references of its own whose sequence it is. */
        readonly pass?: string;
      }
    /** Which of a modality's references take part in this step; nothing in an expression can name it. */
    | { readonly op: "references"; readonly modality: ModalityName; readonly entries: readonly ReferenceEntry[] }
    /** A value over target tokens as one over references and target: false or 0 on references. */
    | { readonly op: "extend"; readonly arg: Core; readonly modality: ModalityName; readonly pass?: string }
    /** The same value on the key side. */
    | { readonly op: "key"; readonly arg: Core }
    /** Which tokens of the sequence are those of a source: a reference, or the latents themselves. */
    | { readonly op: "from"; readonly source: string; readonly modality: ModalityName; readonly pass?: string }
    /** Latent cell that holds a pixel: clamp(floor(pixel / scale), 0, size). */
    | { readonly op: "cell"; readonly arg: Core; readonly along: "height" | "width" }
    /** Rounded to what the source's file stores. */
    | { readonly op: "round"; readonly arg: Core; readonly source: string }
    | { readonly op: "stopGradient"; readonly arg: Core }
    /** Over height and width: a Gaussian of `radius` cells, or the maximum within `radius` cells. */
    | { readonly op: "neighbours"; readonly fn: "blur" | "dilate"; readonly arg: Core; readonly radius: Core }
    /** The value `by` places earlier along an axis, the edge repeated. */
    | { readonly op: "shift"; readonly arg: Core; readonly axis: Axis; readonly by: Core }
    /** Finished optimizer steps, or their share of the run. */
    | { readonly op: "progress"; readonly name: "globalStep" | "progress" }
    /** The result of an imported function; its arguments have the axes that it asks for. */
    | { readonly op: "import"; readonly name: string; readonly args: readonly Core[] }
    /** What a frozen network makes of a value, whose axes are those that it takes. */
    | { readonly op: "network"; readonly name: string; readonly arg: Core }
    /** In the weights of a `maskedMean` over pixels: a value of latent cells for each pixel of them. `window`: the network whose window they are of. */
    | { readonly op: "enlarge"; readonly arg: Core; readonly window: string | null }
    /** An extra output of the model. */
    | { readonly op: "output"; readonly name: string }
    /** Along `other`, the values of all other samples of the batch, from the next one on. */
    | { readonly op: "others"; readonly arg: Core }
    /** The samples of `arg` in the order in which they lie nearest to those of `to`. */
    | { readonly op: "assigned"; readonly arg: Core; readonly to: Core }
    | { readonly op: "concat"; readonly args: readonly [Core, Core]; readonly axis: Axis }
    /** What is left of a mistake that was reported; fits everywhere. */
    | { readonly op: "error" }
  );

/** The nodes of one kind. */
export type Term<Op extends Core["op"]> = Extract<Core, { readonly op: Op }>;

/** A modality as a pass gives it to the model. */
export interface PassModality {
  readonly name: ModalityName;
  readonly generated: boolean;
  /** Names of sources. */
  readonly text: string;
  /** All of them, in the order in which they are drawn; `text` is the last. */
  readonly texts: readonly string[];
  /** Of each text, the weights whose tokens stand in front of its own. */
  readonly inserted: readonly (readonly string[])[];
  readonly references: readonly string[];
  /** Those of them that are noised. */
  readonly noisyReferences: readonly string[];
  readonly attention: boolean;
  /** Whether a pass names its references itself, so that its sequence is another one than the step's own. */
  readonly hasOwnReferences?: boolean;
}

export interface PassField {
  /** `video.noisy` */
  readonly field: string;
  readonly core: Core;
}

interface Shifted {
  readonly std: Core;
  readonly eps: Core;
  readonly uniformProb: Core;
}

export interface ReferenceEntry {
  readonly source: string;
  /** The name of its draw. */
  readonly place: string;
  /** Null: it always takes part. */
  readonly probability: Core | null;
}

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

export function withUnit(core: Core, unit: Unit | undefined): Core {
  return unit === undefined ? core : { ...core, type: { ...core.type, unit } };
}

/** The same node with other children; they are visited from left to right. */
export function withChildren(core: Core, change: (child: Core) => Core): Core {
  switch (core.op) {
    case "map":
    case "import":
      return { ...core, args: core.args.map(change) };
    case "concat":
      return { ...core, args: [change(core.args[0]), change(core.args[1])] };
    case "maskedMean":
      return { ...core, error: change(core.error), weights: core.weights.map(change) };
    case "reduce":
    case "tokens":
    case "grid":
    case "broadcast":
    case "round":
    case "stopGradient":
    case "extend":
    case "key":
    case "others":
    case "dft":
    case "network":
    case "cell":
    case "enlarge":
      return { ...core, arg: change(core.arg) };
    case "quantile":
      return { ...core, arg: change(core.arg), share: change(core.share) };
    case "assigned":
      return { ...core, arg: change(core.arg), to: change(core.to) };
    case "neighbours":
      return { ...core, arg: change(core.arg), radius: change(core.radius) };
    case "shift":
      return { ...core, arg: change(core.arg), by: change(core.by) };
    case "sampled":
      return core.shifted === null ? core : { ...core, shifted: shiftedWith(core.shifted, change) };
    case "coordinate":
      return { ...core, fps: core.fps && change(core.fps) };
    case "references":
      return { ...core, entries: core.entries.map((entry) => entryWith(entry, change)) };
    case "passInputs":
    case "pass":
    case "passPrediction":
      return passWith(core, change);
    case "literal":
    case "param":
    case "paramIs":
    case "ref":
    case "size":
    case "fps":
    case "scale":
    case "source":
    case "has":
    case "in":
    case "prediction":
    case "output":
    case "draw":
    case "from":
    case "progress":
    case "error":
      return core;
  }
}

function passWith(core: Term<"passInputs" | "pass" | "passPrediction">, change: (child: Core) => Core): Core {
  if (core.op === "pass") return { ...core, inputs: change(core.inputs), args: core.args.map(change) };
  if (core.op === "passPrediction") return { ...core, call: change(core.call) };
  return { ...core, fields: core.fields.map((each) => ({ ...each, core: change(each.core) })) };
}

function shiftedWith({ std, eps, uniformProb }: Shifted, change: (child: Core) => Core): Shifted {
  return { std: change(std), eps: change(eps), uniformProb: change(uniformProb) };
}

function entryWith(entry: ReferenceEntry, change: (child: Core) => Core): ReferenceEntry {
  return { ...entry, probability: entry.probability && change(entry.probability) };
}

/** The children of a node, left to right. */
export function childrenOf(core: Core): readonly Core[] {
  const children: Core[] = [];
  withChildren(core, (child) => (children.push(child), child));
  return children;
}

/** `f32[batch, token:video]`; `number`, `mask without axes` for what has none. */
export function describe({ dtype, axes }: Type): string {
  if (axes.length === 0) return dtype === "f32" ? "a number" : "a mask without axes";
  return `\`${dtype}[${axes.join(", ")}]\``;
}

const sizes = new WeakMap<Core, number>();

/** How many nodes a value has as a tree, in which a node counts as often as it is used. References are not followed. */
export function sizeOf(core: Core): number {
  const known = sizes.get(core);
  if (known !== undefined) return known;
  const size = childrenOf(core).reduce((sum, child) => sum + sizeOf(child), 1);
  sizes.set(core, size);
  return size;
}
