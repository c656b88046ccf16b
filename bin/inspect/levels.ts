/** How noise levels are distributed: as the run's sampler draws them, or as the strategy computes them. */
import { collate, philoxSource, type Engine } from "../../runtime/index.ts";
import { observe, type Circumstances, type ModalityName, type Observation } from "../probe/observe.ts";
import { gridsOf, tokensOf } from "../probe/locations.ts";
import type { Subject } from "../probe/subject.ts";
import { syntheticSamples, type SyntheticSizes } from "../probe/synthetic.ts";

export interface Levels {
  readonly tokens: number;
  readonly draws: number;
  /** Shares of the draws in equal intervals of [0, 1]. */
  readonly bins: readonly number[];
  /** The level of this sample; the mean if its tokens differ. */
  readonly own: number;
  /** Whether the strategy sets `sigma` itself. If not, the levels are those of the sampler. */
  readonly isWritten: boolean;
}

const binCount = 40;
const samplerDraws = 100_000;

export type LevelsByModality = Readonly<Record<ModalityName, Levels | null>>;

/** Null for a modality that is frozen or absent. */
export async function levelsOf(
  engine: Engine,
  subject: Subject,
  observation: Observation,
  circumstances: Circumstances,
): Promise<LevelsByModality> {
  const look = (name: ModalityName) => levelsOfModality(engine, subject, observation, circumstances, name);
  return { video: await look("video"), audio: await look("audio") };
}

async function levelsOfModality(
  engine: Engine,
  subject: Subject,
  observation: Observation,
  circumstances: Circumstances,
  name: ModalityName,
): Promise<Levels | null> {
  const sigma = observation.values.get(`${name}.sigma`);
  if (sigma === undefined || subject.step.strategy.modalities[name]?.generated !== true) return null;
  const tokens = tokensOf(gridsOf(subject.step.strategy, observation)(name));
  const isWritten = sigma.value.span !== null;
  const { sampler, seed } = circumstances;
  const levels = isWritten
    ? await writtenLevels(engine, subject, observation, circumstances, name)
    : [...sampler(philoxSource(seed, 0, 0), `${name}.sigma`, samplerDraws, tokens)];
  const { data } = sigma.tensor;
  const own = [...data].reduce((sum, level) => sum + level, 0) / data.length;
  return { tokens, draws: levels.length, bins: shares(levels), own, isWritten };
}

function shares(levels: readonly number[]): readonly number[] {
  const counts = Array.from({ length: binCount }, () => 0);
  for (const level of levels) {
    const bin = Math.min(binCount - 1, Math.max(0, Math.floor(level * binCount)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count) => count / levels.length);
}

/** Small batches of many samples; samplers of noise levels get the token counts of the inspected sample instead of theirs. */
const small = { samples: 256, batches: 16, sizes: { frames: 5, height: 2, width: 2, steps: 7 } } as const;

async function writtenLevels(
  engine: Engine,
  subject: Subject,
  observation: Observation,
  circumstances: Circumstances,
  name: ModalityName,
): Promise<number[]> {
  const { strategy } = subject.step;
  const gridOf = gridsOf(strategy, observation);
  const sizes: SyntheticSizes = { ...small.sizes, frames: gridOf("video").frames === 1 ? 1 : small.sizes.frames };
  const tokens = new Map([
    [tokensOf(sizes), tokensOf(gridOf("video"))],
    [sizes.steps, tokensOf(gridOf("audio"))],
  ]);
  const found: number[] = [];
  for (let i = 0; i < small.batches; i++) {
    const seed = circumstances.seed + i;
    const made = { sizes, samples: small.samples, masks: "scattered", reference: { space: 1, time: 1 }, seed } as const;
    const batch = collate(syntheticSamples(strategy, made));
    const { values } = await observe(engine, subject, batch, { ...circumstances, seed, samplerTokens: tokens });
    found.push(...(values.get(`${name}.sigma`)?.tensor.data ?? []));
  }
  return found;
}
