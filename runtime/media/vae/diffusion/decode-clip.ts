/** The diffusion decoder on one clip: stages that make a context of its latent, and steps that make pixels of noise in that context. */
import type { HostTensor, Ops, Tensor } from "../../../contract.ts";
import type { Engine } from "../../../engine/engine.ts";
import { timestepSinusoid } from "../../../model/adaln.ts";
import { weightsOf } from "../run-stages.ts";
import { mean, spread } from "../statistics.ts";
import { part } from "../layers.ts";
import { depthToSpace, patchify, TIME, unpatchify } from "../space-to-depth.ts";
import { blockFlow, linear, WindowCache, type Modulation, type Running, type StageShape } from "./block.ts";
import { diffusionBlocks, ROWS } from "./parameters.ts";
import { CELL, geometryOf, type Geometry } from "./geometry.ts";
import { HeldFrames, mapped, type Flow } from "./flow.ts";
import { EPS } from "./neighbourhood.ts";
import type { DiffusionConfig, Triple } from "./config.ts";

/**
 * Standard normal noise for a clip of `[3, frames, rows, columns]`; what it gives is asked for some of the frames, `[3, end - start, ...]`, each
 * of which must be the same whenever it is asked for.
 */
export type ClipNoise = (shape: readonly number[]) => (start: number, end: number) => HostTensor;

/** What lies between the parts, for those who look at it; a clip may come in several pieces. */
type PieceTap = (name: string, value: Tensor) => Promise<void>;

interface DiffusionNetwork {
  readonly engine: Engine;
  readonly config: DiffusionConfig;
  readonly weights: ReadonlyMap<string, Tensor>;
}

export interface ClipDecoding {
  readonly noise: ClipNoise;
  readonly tap?: PieceTap | undefined;
  /** Numbers that a part computes at once; for tests. */
  readonly most?: number;
}

/** 128 MiB in float32. */
const MOST = 2 ** 25;

interface Context extends Running {
  readonly config: DiffusionConfig;
  readonly geometry: Geometry;
  readonly stages: readonly StageShape[];
  readonly tap: PieceTap | undefined;
}

/** The frames of a latent `[C, f, h, w]` in order, a few at a time: each `[3, H, W]` in about -1..1. */
export async function* decodeClip(
  { engine, config, weights }: DiffusionNetwork,
  latent: HostTensor,
  { noise, tap, most = MOST }: ClipDecoding,
): AsyncGenerator<Float32Array[]> {
  const [, f = 0, h = 0, w = 0] = latent.shape;
  const { headDim } = config;
  const geometry = geometryOf(config, [f, h, w]);
  const stages = config.stages.map(({ channels, kernel }, i) => ({
    channels,
    kernel,
    frames: geometry.stageFrames[i] ?? 0,
    windows: new WindowCache(engine, { heads: channels / headDim, headDim }),
  }));
  const weight = weightsOf(weights);
  const context: Context = { engine, weight, headDim, most, config, geometry, stages, tap };
  try {
    const made = diffused(context, contextOf(context, latent), noise);
    yield* pixelsOf(context, made, { frames: 1 + (f - 1) * CELL[0], rows: h * CELL[1], columns: w * CELL[2] });
  } finally {
    for (const { windows } of stages) windows.dispose();
  }
}

/** What the first four stages make of a latent, `[frames, rows, columns, channels]` of the last stage. */
function contextOf(context: Context, latent: HostTensor): Flow {
  const { engine, weight, config, stages, tap } = context;
  const { ops } = engine;
  let flow = mapped(engine, latentFlow(context, latent), (x) => linear(ops, weight, "conv_in", restored(context, x)));
  flow = tapped(flow, "conv_in", tap);
  for (const [i, { strides }] of config.upsamples.entries()) {
    const [stage, { depth = 0 } = {}] = [stages[i] as StageShape, config.stages[i]];
    for (let j = 0; j < depth; j++)
      flow = blockFlow(context, flow, { at: `det_stages.${i}.${j}`, stage, modulation: null });
    flow = tapped(enlarged(context, flow, `upsamples.${i}.proj`, strides), `upsample${i}`, tap);
  }
  return limited(engine, flow, stages.at(-1)?.frames ?? 0);
}

/** The latent in pieces, its edges repeated to what the kernels need, and its last frame as often as there are ghosts. */
async function* latentFlow({ engine, config, geometry, most }: Context, { shape, data }: HostTensor): Flow {
  const [channels = 0, f = 0, h = 0, w = 0] = shape;
  const { frames, ghosts, rows, columns, top, left } = geometry;
  const last = config.stages.at(-1)?.channels ?? 1;
  const made = CELL[0] * (CELL[1] / config.patchSize) * (CELL[2] / config.patchSize) * last * rows * columns;
  const atOnce = Math.max(1, Math.floor(most / made));
  const inside = (i: number, length: number) => Math.min(Math.max(i, 0), length - 1);
  for (let start = 0; start < frames + ghosts; start += atOnce) {
    const count = Math.min(atOnce, frames + ghosts - start);
    const own = new Float32Array(count * rows * columns * channels);
    let to = 0;
    for (let t = start; t < start + count; t++)
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++) {
          const from = (inside(t, f) * h + inside(y - top, h)) * w + inside(x - left, w);
          for (let c = 0; c < channels; c++) own[to++] = data[c * f * h * w + from] ?? NaN;
        }
    yield { start, x: engine.keep({ shape: [count, rows, columns, channels], dtype: "float32", data: own }) };
  }
}

/** With the statistics of the channels undone. */
function restored({ engine: { ops }, weight }: Context, x: Tensor): Tensor {
  return ops.add(ops.mul(x, weight(spread)), weight(mean));
}

/** Channels become cells of frames, rows and columns. The first frame stands for one: the first of the two that it became goes. */
function enlarged({ engine, weight }: Context, input: Flow, name: string, strides: Triple): Flow {
  const { ops } = engine;
  const inTime = strides[0];
  const flow = mapped(engine, input, (x, start) => {
    const made = linear(ops, weight, name, x);
    const cells = toCells(ops, depthToSpace(ops, toChannels(ops, made), strides));
    return inTime === 2 && start === 0 ? part(ops, cells, 0, 1, (cells.shape[0] ?? 0) - 1) : cells;
  });
  return inTime === 2 ? renumbered(flow, (start) => (start === 0 ? 0 : 2 * start - 1)) : flow;
}

async function* renumbered(input: Flow, number: (start: number) => number): Flow {
  for await (const { start, x } of input) yield { start: number(start), x };
}

/** `[frames, rows, columns, C]` and `[1, C, frames, rows, columns]`. */
const toChannels = (ops: Ops, x: Tensor): Tensor => ops.transpose(ops.reshape(x, [1, ...x.shape]), [0, 4, 1, 2, 3]);
const toCells = (ops: Ops, x: Tensor): Tensor => {
  const y = ops.transpose(x, [0, 2, 3, 4, 1]);
  return ops.reshape(y, y.shape.slice(1));
};

/** The first `frames` of a clip. */
async function* limited(engine: Engine, input: Flow, frames: number): Flow {
  for await (const piece of input) {
    const { start, x } = piece;
    const [size = 0, count] = [x.shape[0], frames - start];
    if (size <= count) yield piece;
    else {
      const kept = engine.tidy(() => part(engine.ops, x, 0, 0, count));
      engine.dispose(x);
      yield { start, x: kept };
    }
    if (size >= count) return;
  }
}

async function* tapped(input: Flow, name: string, tap: PieceTap | undefined): Flow {
  for await (const piece of input) {
    await tap?.(name, piece.x);
    yield piece;
  }
}

/** Noise to pixels, as patches: `[frames, rows, columns, 3 * patch^2]`. */
async function* diffused(context: Context, input: Flow, noise: ClipNoise): Flow {
  const { engine, config } = context;
  const held = new HeldFrames(engine);
  try {
    let flow = started(context, input, held, noise);
    for (let step = 0; step < config.steps; step++) flow = diffusionStep(context, flow, held, step);
    yield* flow;
  } finally {
    held.dispose();
  }
}

/** For each piece of the context, which is held from now on, its noise. */
async function* started(context: Context, input: Flow, held: HeldFrames, noise: ClipNoise): Flow {
  const { engine, config, geometry, stages } = context;
  // With several steps the last frame's noise is used again for frames that only the kernel's size demands; one step draws all anew.
  const isDrawnWhole = config.predicts === "x0" && config.steps === 1;
  const frames = isDrawnWhole ? (stages.at(-1)?.frames ?? 0) : geometry.pixelFrames;
  const size = [geometry.rows * CELL[1], geometry.columns * CELL[2]];
  const drawn = noise([3, frames, ...size]);
  for await (const piece of input) {
    held.add(piece);
    const { start, x } = piece;
    const end = start + (x.shape[0] ?? 0);
    const from = Math.min(start, frames - 1);
    const own = drawn(from, Math.min(end, frames));
    const given = engine.keep({ ...own, shape: [1, ...own.shape] });
    const patches = engine.tidy(() => {
      const { ops } = engine;
      const all = toCells(ops, patchify(ops, given, config.patchSize));
      const count = all.shape[0] ?? 0;
      const again = Array.from({ length: end - start - count }, () => part(ops, all, 0, count - 1, 1));
      return again.length === 0 ? all : ops.concat([all, ...again], 0);
    });
    engine.dispose(given);
    yield { start, x: patches };
  }
}

/** One step for all frames: what comes in is noisy, what goes out less so, and after the last step the pixels. */
async function* diffusionStep(context: Context, input: Flow, held: HeldFrames, step: number): Flow {
  const { engine, weight, config, stages, tap } = context;
  const { ops } = engine;
  const [time, next] = [1 - step / config.steps, 1 - (step + 1) / config.steps];
  const noisy = new HeldFrames(engine);
  const { embedded, modulations } = engine.tidy(() => modulationsOf(context, time));
  try {
    await tap?.("t_embedder", embedded);
    let flow = entered(context, input, noisy);
    for (const [i, at] of diffusionBlocks(config).entries()) {
      const informed = (z: Tensor, start: number) =>
        ops.add(z, linear(ops, weight, `${at}.context_proj`, held.range(ops, start, start + (z.shape[0] ?? 0))));
      const [stage, modulation] = [stages.at(-1) as StageShape, modulations[i] as Modulation];
      flow = blockFlow(context, mapped(engine, flow, informed), { at, stage, modulation });
    }
    const left = mapped(engine, flow, (z, start) => {
      const out = linear(ops, weight, "conv_out", ops.rmsNorm(z, EPS, weight("norm_out.weight")));
      if (config.predicts === "x0" && next === 0) return out;
      const before = noisy.range(ops, start, start + (z.shape[0] ?? 0));
      const velocity = config.predicts === "v" ? out : ops.div(ops.sub(before, out), time);
      return ops.sub(before, ops.mul(velocity, time - next));
    });
    for await (const piece of left) {
      const end = piece.start + (piece.x.shape[0] ?? 0);
      noisy.drop(end);
      // Frames that left the last step need no context any more.
      if (step === config.steps - 1) held.drop(end);
      yield piece;
    }
  } finally {
    noisy.dispose();
    engine.dispose(embedded, ...modulations.flatMap(({ attention, mlp }) => [...attention, ...mlp]));
  }
}

/** Patches of pixels to the channels of the last stage; the patches are held. */
async function* entered({ engine, weight }: Context, input: Flow, noisy: HeldFrames): Flow {
  for await (const piece of input) {
    noisy.add(piece);
    yield { start: piece.start, x: engine.tidy(() => linear(engine.ops, weight, "conv_in_x_t", piece.x)) };
  }
}

/** How each block is told the noise level, of 0 to 1. */
function modulationsOf({ engine: { ops }, weight, config }: Context, time: number) {
  const sinusoid = timestepSinusoid(ops, ops.fill([1], time * config.timestepScale));
  const embedded = linear(ops, weight, "t_embedder.mlp.2", ops.silu(linear(ops, weight, "t_embedder.mlp.0", sinusoid)));
  const shared = ops.reshape(linear(ops, weight, "shared_adaln.proj", ops.silu(embedded)), [ROWS, -1]);
  const modulations = diffusionBlocks(config).map((at): Modulation => {
    const all = ops.add(shared, weight(`${at}.scale_shift_table`));
    const row = (i: number) => part(ops, all, 0, i, 1);
    return { attention: [row(0), row(1)], mlp: [row(3), row(4)] };
  });
  return { embedded, modulations };
}

/** The size of the clip that was asked for. */
interface Wanted {
  readonly frames: number;
  readonly rows: number;
  readonly columns: number;
}

/** Patches to pixels, without what was added to the latent. */
async function* pixelsOf(
  { engine, config, geometry }: Context,
  input: Flow,
  { frames, rows, columns }: Wanted,
): AsyncGenerator<Float32Array[]> {
  const { ops } = engine;
  for await (const { start, x } of input) {
    const count = Math.min(x.shape[0] ?? 0, frames - start);
    const made = engine.tidy(() => {
      const pixels = unpatchify(ops, toChannels(ops, x), config.patchSize);
      const begin = [0, 0, 0, geometry.top * CELL[1], geometry.left * CELL[2]];
      return ops.transpose(ops.slice(pixels, begin, [1, 3, count, rows, columns]), [0, TIME, 1, 3, 4]);
    });
    const { data } = await engine.read(made);
    engine.dispose(x, made);
    const size = 3 * rows * columns;
    yield Array.from({ length: count }, (_, i) => Float32Array.from(data.subarray(i * size, (i + 1) * size)));
    if (start + count >= frames) return;
  }
}
