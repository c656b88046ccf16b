/** What both halves of a video VAE are made of. Tensors are `[B, C, frames, rows, columns]`. */
import type { Ops, Tensor } from "../../contract.ts";
import type { Padding } from "./config.ts";
import { COLUMNS, ROWS, TIME } from "./space-to-depth.ts";

/** What a stage computes with. */
export interface Computing {
  readonly ops: Ops;
  /** A parameter by its full name. */
  weight(name: string): Tensor;
  /** Standard normal numbers, drawn anew at each call; only what injects noise asks. */
  noise(shape: readonly number[]): Tensor;
  /** What came before, of a clip that comes piece by piece; without it, `x` is the whole clip. */
  readonly past?: Past | undefined;
  /** `[1]`: the noise level, scaled, that the decoder is conditioned on; null for what is not conditioned. */
  readonly timestep: Tensor | null;
}

/** What layers have seen of a clip before the piece that comes now. */
export interface Past {
  readonly isFirst: boolean;
  /** Whether the clip ends with this piece; layers that see only the past need not know, and are not told. */
  readonly isLast: boolean;
  /** The frames that a layer kept of the piece before; null in the first piece. */
  before(layer: string): Tensor | null;
  /** Keeps frames for the next piece. */
  keep(layer: string, frames: Tensor): void;
}

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A part of the network that runs by itself. */
export interface Stage {
  /** As its tensors are called, such as `down_blocks.0`. */
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Whether it must have the whole clip: what it computes for a frame depends on later ones, too. */
  readonly needsWhole?: true;
  /**
   * Of a clip that comes piece by piece: by how many frames of its input its result is late, 0 if not given. Its first piece must be longer than
   * that, unless it is the last, in which the result catches up.
   */
  readonly lookahead?: number;
  run(given: Computing, x: Tensor): Tensor;
}

/** How convolutions go on at the edges: frames, and rows and columns. */
export interface Edges {
  /** In time only the past is seen: two copies of the first frame stand in front, and nothing behind. */
  readonly isCausal: boolean;
  readonly padding: Padding;
}

/** A 3x3x3 convolution. */
export const convolution = (name: string, inputs: number, outputs: number): Parameter[] => [
  { name: `${name}.weight`, shape: [outputs, inputs, 3, 3, 3] },
  { name: `${name}.bias`, shape: [outputs] },
];

export function convolve(given: Computing, name: string, edges: Edges, x: Tensor): Tensor {
  const { ops, weight } = given;
  const inTime = edges.isCausal ? afterPast(given, name, x) : withFuture(given, name, x);
  const parameters = [weight(`${name}.weight`), weight(`${name}.bias`)] as const;
  if (edges.padding === "zeros") return ops.convolve(inTime, ...parameters, [0, 1, 1]);
  const inRows = atEdges(ops, inTime, ROWS, edges.padding);
  return ops.convolve(atEdges(ops, inRows, COLUMNS, edges.padding), ...parameters);
}

/** A 1x1x1 convolution, whose weight may have been stored with fewer axes of length 1. */
export function pointwise({ ops, weight }: Computing, name: string, x: Tensor): Tensor {
  const [outputs = 0, inputs = 0] = weight(`${name}.weight`).shape;
  const cells = ops.reshape(weight(`${name}.weight`), [outputs, inputs, 1, 1, 1]);
  return ops.convolve(x, cells, weight(`${name}.bias`));
}

/** With the two frames before it in front; at the clip's beginning these are copies of the first. */
function afterPast({ ops, past }: Computing, name: string, x: Tensor): Tensor {
  const before = past?.before(name) ?? null;
  const whole = before === null ? extended(ops, x, TIME, [0, 0], []) : ops.concat([before, x], TIME);
  past?.keep(name, part(ops, whole, TIME, (whole.shape[TIME] ?? 0) - 2, 2));
  return whole;
}

/** With a frame before and behind; at the clip's ends these are copies. Of a clip in pieces the last frame waits for the one behind it. */
function withFuture({ ops, past }: Computing, name: string, x: Tensor): Tensor {
  if (past === undefined) return extended(ops, x, TIME, [0], [-1]);
  const behind = past.isLast ? [-1] : [];
  const before = past.before(name);
  const whole =
    before === null
      ? extended(ops, x, TIME, [0], behind)
      : extended(ops, ops.concat([before, x], TIME), TIME, [], behind);
  if (!past.isLast) past.keep(name, part(ops, whole, TIME, (whole.shape[TIME] ?? 0) - 2, 2));
  return whole;
}

/** How many frames a result of a layer is late in a clip that comes piece by piece, by how many convolutions there are on its way. */
export const lookaheadOf = (edges: Edges, convolutions: number): number => (edges.isCausal ? 0 : convolutions);

/** The first `count` frames of `x`, with what was kept of it: as many as another layer has made of it by now. The others are kept. */
export function inStep({ ops, past }: Computing, name: string, x: Tensor, count: number): Tensor {
  const before = past?.before(name) ?? null;
  const whole = before === null ? x : ops.concat([before, x], TIME);
  const late = (whole.shape[TIME] ?? 0) - count;
  if (late === 0) return whole;
  past?.keep(name, part(ops, whole, TIME, count, late));
  return part(ops, whole, TIME, 0, count);
}

/** Copies of slices along an axis in front and behind, by their index; negative ones count from the end. */
function extended(ops: Ops, x: Tensor, axis: number, front: readonly number[], behind: readonly number[]): Tensor {
  const at = (index: number) => part(ops, x, axis, index < 0 ? (x.shape[axis] ?? 0) + index : index, 1);
  return front.length + behind.length === 0 ? x : ops.concat([...front.map(at), x, ...behind.map(at)], axis);
}

/** One element more on each side. */
function atEdges(ops: Ops, x: Tensor, axis: number, padding: Exclude<Padding, "zeros">): Tensor {
  switch (padding) {
    case "reflect":
      return extended(ops, x, axis, [1], [-2]);
    case "replicate":
      return extended(ops, x, axis, [0], [-1]);
    case "circular":
      return extended(ops, x, axis, [-1], [0]);
  }
}

/** `count` slices along an axis. */
export function part(ops: Ops, x: Tensor, axis: number, begin: number, count: number): Tensor {
  return ops.slice(
    x,
    x.shape.map((_, i) => (i === axis ? begin : 0)),
    x.shape.map((_, i) => (i === axis ? count : -1)),
  );
}

/** x / sqrt(mean over channels of x^2 + 1e-8). */
export function pixelNorm(ops: Ops, x: Tensor): Tensor {
  return ops.div(x, ops.sqrt(ops.add(ops.mean(ops.square(x), [1], true), 1e-8)));
}
