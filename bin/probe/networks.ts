/** What stands for a strategy's networks where none of their files is at hand: the same layers, or a smaller VAE, with made-up weights. */
import type { NetworkInfo, NetworkLayer, Ops, StepContext, StrategyInfo, Tensor } from "../../runtime/contract.ts";
import { runLayers, type HostBatch } from "../../runtime/index.ts";
import { madeUp } from "./made-up.ts";

/** Frames, rows and columns of pixels to a latent cell: fewer than in the released models, so that tries are quick. */
const [TIME, ROWS, COLUMNS] = [2, 2, 2] as const;
const CELL = 3 * TIME * ROWS * COLUMNS;

/** The networks of a strategy, the same in every step. `batch` says how many channels latents have. */
export function networksOf(ops: Ops, strategy: StrategyInfo, batch: HostBatch): StepContext<unknown>["network"] {
  const { networks = [] } = strategy;
  const [latents] = Object.values(batch.sources).flatMap((source) =>
    source.kind === "video_latents" ? [source.latents] : [],
  );
  return (name, x) => {
    const info = networks.find((network) => network.name === name);
    if (info === undefined) throw new Error(`the strategy has no network ${name}`);
    return called(ops, info, x, latents?.shape[1] ?? 1);
  };
}

function called(ops: Ops, { name, architecture }: NetworkInfo, x: Tensor, channels: number): Tensor {
  const weight = (part: string, shape: readonly number[], spread: number) =>
    madeUp(ops, { name: `network.${name}.${part}`, seed: 0 }, shape, spread);
  if (architecture === "ltx_video_decoder") return decoded(ops, weight, x);
  return architecture === "ltx_video_encoder"
    ? encoded(ops, weight, x, channels)
    : layered(ops, architecture, weight, x);
}

type Weights = (part: string, shape: readonly number[], spread: number) => Tensor;

/** Each cell becomes pixels by one matrix; of the first only the last frame stays. */
function decoded(ops: Ops, weight: Weights, x: Tensor): Tensor {
  const [batch = 0, channels = 0, frames = 0, rows = 0, columns = 0] = x.shape;
  const cells = ops.linear(
    ops.transpose(x, [0, 2, 3, 4, 1]),
    weight("decode", [CELL, channels], channels ** -0.5),
    null,
  );
  const split = ops.reshape(cells, [batch * frames, rows, columns, 3, TIME, ROWS * COLUMNS]);
  // [batch * frames, rgb, time, rows, columns, pixels of a cell], then rows and columns apart.
  const byPixel = ops.reshape(ops.transpose(split, [0, 3, 4, 1, 2, 5]), [
    batch,
    frames,
    3,
    TIME,
    rows,
    columns * ROWS * COLUMNS,
  ]);
  const inRows = ops.reshape(byPixel, [batch * frames * 3 * TIME * rows, columns, ROWS, COLUMNS]);
  const plane = ops.reshape(ops.transpose(inRows, [0, 2, 1, 3]), [
    batch,
    frames,
    3,
    TIME,
    rows * ROWS * columns * COLUMNS,
  ]);
  const whole = ops.reshape(ops.transpose(plane, [0, 2, 1, 3, 4]), [
    batch,
    3,
    frames * TIME,
    rows * ROWS,
    columns * COLUMNS,
  ]);
  return ops.slice(whole, [0, 0, TIME - 1, 0, 0], [-1, -1, -1, -1, -1]);
}

/** The same the other way round; the first frame stands for a whole cell. */
function encoded(ops: Ops, weight: Weights, x: Tensor, channels: number): Tensor {
  const first = ops.slice(x, [0, 0, 0, 0, 0], [-1, -1, 1, -1, -1]);
  const whole = ops.concat([...Array.from({ length: TIME - 1 }, () => first), x], 2);
  const [batch = 0, , length = 0, height = 0, width = 0] = whole.shape;
  const [frames, rows, columns] = [Math.floor(length / TIME), Math.floor(height / ROWS), Math.floor(width / COLUMNS)];
  const even = ops.slice(whole, [0, 0, 0, 0, 0], [-1, -1, frames * TIME, rows * ROWS, columns * COLUMNS]);
  const inTime = ops.reshape(even, [batch, 3, frames, TIME * rows * ROWS * columns * COLUMNS]);
  const byFrame = ops.reshape(ops.transpose(inTime, [0, 2, 1, 3]), [
    batch * frames,
    3 * TIME,
    rows,
    ROWS,
    columns * COLUMNS,
  ]);
  const byRow = ops.reshape(ops.transpose(byFrame, [0, 2, 1, 3, 4]), [
    batch * frames * rows,
    3 * TIME * ROWS,
    columns,
    COLUMNS,
  ]);
  const cells = ops.reshape(ops.transpose(byRow, [0, 2, 1, 3]), [batch, frames, rows, columns, CELL]);
  return ops.transpose(ops.linear(cells, weight("encode", [channels, CELL], CELL ** -0.5), null), [0, 4, 1, 2, 3]);
}

/** Features between layers are at most so many: fewer than networks have, so that tries are quick. Those that the strategy sees are all there. */
const HIDDEN = 8;

function layered(ops: Ops, layers: readonly NetworkLayer[], weight: Weights, x: Tensor): Tensor {
  const isConv = layers.some(({ kind }) => kind === "conv");
  const start = x.shape.at(isConv ? 1 : -1) ?? 1;
  const seen = layers.findLastIndex((layer) => "features" in layer);
  const after = layers.reduce<readonly number[]>((widths, layer, i) => {
    const most = i === seen ? Infinity : HIDDEN;
    return [...widths, "features" in layer ? Math.min(layer.features, most) : (widths.at(-1) ?? start)];
  }, []);
  const ofLayer = (i: number, kind: "weight" | "bias"): Tensor | null => {
    const [layer, features = start] = [layers[i], after[i]];
    if (layer === undefined || !("features" in layer)) return null;
    if (kind === "bias") return weight(`${i}.bias`, [features], 0.1);
    const width = after[i - 1] ?? start;
    const kernel = layer.kind === "conv" ? layer.kernel : [];
    const inputs = kernel.reduce((a, b) => a * b, width);
    return weight(`${i}.weight`, [features, width, ...kernel], inputs ** -0.5);
  };
  return runLayers(ops, layers, ofLayer, x);
}
