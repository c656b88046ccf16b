/** The values of a strategy's step for one sample, as plain data: the renderers only lay it out and calculate nothing. */
import type { Type } from "../../compiler/index.ts";
import { textAt } from "../../compiler/source/index.ts";
import type { StrategyInfo, VideoGrid } from "../../runtime/contract.ts";
import type { Levels, LevelsByModality } from "./levels.ts";
import { mapsOf, type TokenMap } from "./maps.ts";
import type { ModalityName, Observation, Seen } from "../probe/observe.ts";
import { gridsOf, partsOf, tokensOf, type Part } from "../probe/locations.ts";
import type { Subject } from "../probe/subject.ts";

export interface Inspection {
  readonly strategy: string;
  readonly description: string;
  /** Which sample this is. */
  readonly sample: string;
  readonly values: readonly ValueRow[];
  readonly modalities: readonly ModalityView[];
  readonly losses: readonly { readonly name: string; readonly modality: ModalityName; readonly value: number }[];
  /** The strategy's expectations as written, and whether each is true for this sample. */
  readonly expectations: readonly { readonly text: string; readonly holds: boolean }[];
}

export interface ValueRow {
  readonly key: string;
  readonly dtype: Type["dtype"];
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  /** A mask counts as 0 and 1, so its mean is the share that is true. */
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  /** How many entries are infinite or NaN; `min`, `mean` and `max` leave these out. */
  readonly notFinite: number;
}

export interface ModalityView {
  readonly name: ModalityName;
  readonly generated: boolean;
  readonly grid: VideoGrid;
  readonly tokens: number;
  /** References and target, in the order of the sequence. */
  readonly parts: readonly Part[];
  readonly shares: Shares;
  readonly maps: readonly TokenMap[];
  readonly attention: Attention | null;
  readonly levels: Levels | null;
}

/** Shares of the target's tokens. */
interface Shares {
  readonly kept: number;
  readonly noised: number;
  /** For each loss term, the share with a weight above 0. */
  readonly losses: readonly { readonly name: string; readonly share: number }[];
}

/** How much each query may attend to each key, in blocks of tokens. */
export interface Attention {
  readonly sequence: number;
  /** Blocks along each side; row-major means, queries by keys, in [0, 1]. */
  readonly side: number;
  readonly blocks: readonly number[];
  /** The same between the parts of the sequence, row-major. */
  readonly betweenParts: readonly number[];
}

const attentionSide = 96;

export function inspectionOf(
  { step: { strategy }, file }: Subject,
  observation: Observation,
  { sample, levels }: { readonly sample: string; readonly levels: LevelsByModality },
): Inspection {
  const seen = [...observation.values.values()];
  const isExpected = ({ value }: Seen) => value.key.startsWith("expect[");
  return {
    strategy: strategy.name,
    description: strategy.description,
    sample,
    values: seen.filter((each) => !isExpected(each)).map(rowOf),
    modalities: (["video", "audio"] as const).flatMap((name) =>
      strategy.modalities[name] === null ? [] : [modalityView(strategy, observation, name, levels[name])],
    ),
    losses: strategy.losses.map(({ name, modality }) => ({
      name,
      modality,
      value: observation.losses[name]?.data[0] ?? NaN,
    })),
    expectations: seen.filter(isExpected).map(({ value: { span }, tensor }) => ({
      text: span === null ? "" : textAt(file, span).replace(/\s+/g, " ").trim(),
      holds: !tensor.data.includes(0),
    })),
  };
}

function rowOf({ value, tensor }: Seen): ValueRow {
  const { key, type } = value;
  let [min, max, sum, finite] = [Infinity, -Infinity, 0, 0];
  for (const entry of tensor.data) {
    if (!Number.isFinite(entry)) continue;
    [min, max] = [Math.min(min, entry), Math.max(max, entry)];
    sum += entry;
    finite++;
  }
  const notFinite = tensor.data.length - finite;
  return { key, dtype: type.dtype, axes: type.axes, shape: tensor.shape, min, mean: sum / finite, max, notFinite };
}

function modalityView(
  strategy: StrategyInfo,
  observation: Observation,
  name: ModalityName,
  levels: Levels | null,
): ModalityView {
  const grid = gridsOf(strategy, observation)(name);
  const tokens = tokensOf(grid);
  const generated = strategy.modalities[name]?.generated ?? false;
  const parts = partsOf(strategy, observation, name);
  return {
    name,
    generated,
    grid,
    tokens,
    parts,
    shares: sharesOf(strategy, observation, name),
    maps: mapsOf(observation, name, grid),
    attention: attentionOf(observation, name, parts),
    levels,
  };
}

function sharesOf({ losses }: StrategyInfo, { values }: Observation, name: ModalityName): Shares {
  const generated = values.get(`${name}.generated`)?.tensor.data ?? [];
  const noised = shareOf(generated, (entry) => entry !== 0);
  return {
    kept: 1 - noised,
    noised,
    losses: losses.flatMap((term) => {
      const weights = term.modality === name ? values.get(`weight.${term.name}`) : undefined;
      return weights === undefined
        ? []
        : [{ name: term.name, share: shareOf(weights.tensor.data, (entry) => entry > 0) }];
    }),
  };
}

function shareOf(data: ArrayLike<number>, is: (entry: number) => boolean): number {
  return data.length === 0 ? 0 : Array.from(data).filter(is).length / data.length;
}

// --------------------------------------------------------------------------------------------------------------- attention

/** The attention mask of the first sample. */
function attentionOf({ inputs }: Observation, name: ModalityName, parts: readonly Part[]): Attention | null {
  const mask = inputs[name]?.attentionMask;
  if (mask === undefined || mask === null) return null;
  const sequence = mask.shape[1] ?? 0;
  const side = Math.min(sequence, attentionSide);
  const evenly = Array.from({ length: side + 1 }, (_, i) => Math.round((i * sequence) / side));
  const ends = parts.reduce((all: number[], { grid }) => [...all, (all.at(-1) ?? 0) + tokensOf(grid)], [0]);
  return {
    sequence,
    side,
    blocks: blockMeans(mask.data, sequence, evenly),
    betweenParts: blockMeans(mask.data, sequence, ends),
  };
}

/** Means over blocks: `edges` divide both the rows and the columns of a square matrix. */
function blockMeans(data: ArrayLike<number>, length: number, edges: readonly number[]): number[] {
  const count = edges.length - 1;
  const sums = Array.from({ length: count * count }, () => 0);
  const blockOf = new Int32Array(length);
  for (let block = 0; block < count; block++) blockOf.fill(block, edges[block], edges[block + 1]);
  for (let row = 0; row < length; row++) {
    for (let column = 0; column < length; column++) {
      const at = (blockOf[row] ?? 0) * count + (blockOf[column] ?? 0);
      sums[at] = (sums[at] ?? 0) + (data[row * length + column] ?? 0);
    }
  }
  const sizeOf = (block: number) => (edges[block + 1] ?? 0) - (edges[block] ?? 0);
  return sums.map((sum, at) => sum / (sizeOf(Math.floor(at / count)) * sizeOf(at % count)));
}
