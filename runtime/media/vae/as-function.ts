/** Halves of a video VAE as functions within a recorded step, through which gradients flow to what they are given. */
import type { Ops, Tensor } from "../../contract.ts";
import { part, type Computing, type Stage } from "./layers.ts";
import { TIME } from "./space-to-depth.ts";
import { mean, spread } from "./statistics.ts";

/** Runs a stage: as it is, or so that nothing is kept of it for the backward pass. */
export type RunStage = (stage: (x: Tensor) => Tensor, x: Tensor) => Tensor;

interface Given {
  readonly ops: Ops;
  /** A parameter by its name, statistics by theirs. */
  readonly weight: (name: string) => Tensor;
  readonly run: RunStage;
}

/** `[B, C, f, h, w]` to `[B, 3, F, H, W]` in about -1..1, of a decoder that draws nothing. */
export function decodeIn(given: Given, stages: readonly Stage[], latent: Tensor): Tensor {
  const { ops, weight } = given;
  const start = ops.add(ops.mul(latent, column(ops, weight(spread))), column(ops, weight(mean)));
  return through(given, stages, start);
}

/** `[B, 3, F, H, W]` in -1..1 to the normalised latent `[B, C, f, h, w]`. Frames that do not fill a latent frame are left out. */
export function encodeIn(given: Given, stages: readonly Stage[], framesPerCell: number, pixels: Tensor): Tensor {
  const { ops, weight } = given;
  const frames = pixels.shape[TIME] ?? 0;
  const whole = part(ops, pixels, TIME, 0, frames - ((frames - 1) % framesPerCell));
  const [channels = 0] = weight(mean).shape;
  const made = part(ops, through(given, stages, whole), 1, 0, channels);
  return ops.div(ops.sub(made, column(ops, weight(mean))), column(ops, weight(spread)));
}

function through({ ops, weight, run }: Given, stages: readonly Stage[], x: Tensor): Tensor {
  const computing: Computing = { ops, weight, noise: drawsNothing, timestep: null };
  return stages.reduce((y, stage) => run((z) => stage.run(computing, z), y), x);
}

const column = (ops: Ops, x: Tensor): Tensor => ops.reshape(x, [1, -1, 1, 1, 1]);

const drawsNothing: Computing["noise"] = () => {
  throw new Error("a network of a strategy draws nothing");
};
