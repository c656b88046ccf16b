/** Blocks of residual layers: `res_x` with one width, `res_x_y` from one width to another. */
import type { Tensor } from "../../contract.ts";
import { timestepSinusoid } from "../../model/adaln.ts";
import {
  convolution,
  convolve,
  inStep,
  lookaheadOf,
  pixelNorm,
  part,
  pointwise,
  type Computing,
  type Edges,
  type Parameter,
  type Stage,
} from "./layers.ts";
import { TIME } from "./space-to-depth.ts";

interface ResidualSettings {
  readonly edges: Edges;
  readonly layers: number;
  readonly isConditioned: boolean;
  readonly injectsNoise: boolean;
}

/** A scale or shift of a conditioned layer, by its row; broadcasts to the layer's values. */
type Rows = (row: number) => Tensor;

/** `layers` times x + conv2(silu(pn(conv1(silu(pn(x)))))). */
export function residualStage(name: string, width: number, settings: ResidualSettings): Stage {
  const { layers, isConditioned, injectsNoise } = settings;
  const blocks = Array.from({ length: layers }, (_, i) => `${name}.res_blocks.${i}`);
  return {
    name,
    parameters: [
      ...blocks.flatMap((block) => [
        ...convolution(`${block}.conv1.conv`, width, width),
        ...convolution(`${block}.conv2.conv`, width, width),
        ...(isConditioned ? [{ name: `${block}.scale_shift_table`, shape: [4, width] }] : []),
        ...(injectsNoise ? noiseScales(block, width) : []),
      ]),
      ...(isConditioned ? timeEmbedder(`${name}.time_embedder`, 4 * width) : []),
    ],
    lookahead: lookaheadOf(settings.edges, 2 * layers),
    run(given, x) {
      const embedded = isConditioned ? embedTimestep(given, `${name}.time_embedder`) : null;
      return blocks.reduce((y, block) => {
        const rows = embedded && rowsOf(given, `${block}.scale_shift_table`, embedded);
        const made = inner(given, block, settings, y, rows);
        return given.ops.add(inStep(given, block, y, made.shape[TIME] ?? 0), made);
      }, x);
    },
  };
}

/** One residual layer whose shortcut changes the width. */
export function wideningStage(
  name: string,
  [inputs, outputs]: readonly [number, number],
  settings: ResidualSettings,
): Stage {
  const isSame = inputs === outputs;
  return {
    name,
    parameters: [
      ...convolution(`${name}.conv1.conv`, inputs, outputs),
      ...convolution(`${name}.conv2.conv`, outputs, outputs),
      ...(settings.injectsNoise ? noiseScales(name, outputs) : []),
      ...(isSame ? [] : shortcutParameters(name, inputs, outputs)),
    ],
    ...(isSame ? {} : { needsWhole: true }),
    lookahead: lookaheadOf(settings.edges, 2),
    run(given, x) {
      const made = inner(given, name, settings, x, null);
      return given.ops.add(isSame ? inStep(given, name, x, made.shape[TIME] ?? 0) : shortcut(given, name, x), made);
    },
  };
}

function inner(given: Computing, at: string, settings: ResidualSettings, x: Tensor, rows: Rows | null): Tensor {
  const { ops } = given;
  const layer = (input: Tensor, i: 1 | 2): Tensor => {
    const normed = pixelNorm(ops, input);
    // Rows shift1, scale1, shift2, scale2.
    const modulated = rows === null ? normed : scaled(given, normed, rows(2 * i - 1), rows(2 * i - 2));
    const y = convolve(given, `${at}.conv${i}.conv`, settings.edges, ops.silu(modulated));
    return settings.injectsNoise ? noised(given, `${at}.per_channel_scale${i}`, y) : y;
  };
  return layer(layer(x, 1), 2);
}

/** x (1 + scale) + shift. */
export function scaled({ ops }: Computing, x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  return ops.add(ops.mul(x, ops.add(scale, 1)), shift);
}

const noiseScales = (block: string, width: number): Parameter[] =>
  [1, 2].map((i) => ({ name: `${block}.per_channel_scale${i}`, shape: [width, 1, 1] }));

/** One map of noise, the same for all samples, channels and frames, times a number for each channel. */
function noised({ ops, weight, noise }: Computing, name: string, x: Tensor): Tensor {
  const [, channels = 0, , rows = 0, columns = 0] = x.shape;
  const map = ops.mul(noise([rows, columns]), ops.reshape(weight(name), [channels, 1, 1, 1]));
  return ops.add(x, map);
}

const shortcutParameters = (name: string, inputs: number, outputs: number): Parameter[] => [
  { name: `${name}.norm3.weight`, shape: [inputs] },
  { name: `${name}.norm3.bias`, shape: [inputs] },
  { name: `${name}.conv_shortcut.weight`, shape: [outputs, inputs, 1, 1, 1] },
  { name: `${name}.conv_shortcut.bias`, shape: [outputs] },
];

/** A norm over everything of a sample, then a change of width. */
function shortcut(given: Computing, name: string, x: Tensor): Tensor {
  const { ops, weight } = given;
  const [, channels = 0] = x.shape;
  const all = [1, 2, 3, 4];
  const centred = ops.sub(x, ops.mean(x, all, true));
  const normed = ops.div(centred, ops.sqrt(ops.add(ops.mean(ops.square(centred), all, true), 1e-6)));
  const column = (kind: string) => ops.reshape(weight(`${name}.norm3.${kind}`), [channels, 1, 1, 1]);
  return pointwise(given, `${name}.conv_shortcut`, ops.add(ops.mul(normed, column("weight")), column("bias")));
}

/** The embedding of the noise level that the decoder is conditioned on. */
export function timeEmbedder(name: string, width: number): Parameter[] {
  return [
    { name: `${name}.timestep_embedder.linear_1.weight`, shape: [width, 256] },
    { name: `${name}.timestep_embedder.linear_1.bias`, shape: [width] },
    { name: `${name}.timestep_embedder.linear_2.weight`, shape: [width, width] },
    { name: `${name}.timestep_embedder.linear_2.bias`, shape: [width] },
  ];
}

/** `[1, width]` */
export function embedTimestep({ ops, weight, timestep }: Computing, name: string): Tensor {
  if (timestep === null) throw new Error(`${name} has no timestep to embed`);
  const linear = (i: 1 | 2, x: Tensor) => {
    const at = `${name}.timestep_embedder.linear_${i}`;
    return ops.linear(x, weight(`${at}.weight`), weight(`${at}.bias`));
  };
  return linear(2, ops.silu(linear(1, timestepSinusoid(ops, timestep))));
}

/** Rows of a table `[rows, n]`, to which an embedding `[1, rows * n]` is added; each `[1, n, 1, 1, 1]`. */
export function rowsOf({ ops, weight }: Computing, table: string, embedded: Tensor): Rows {
  const [count = 0, width = 0] = weight(table).shape;
  const all = ops.add(weight(table), ops.reshape(embedded, [count, width]));
  return (row) => ops.reshape(part(ops, all, 0, row, 1), [1, width, 1, 1, 1]);
}
