/** Noise, noise levels and noised tokens: are they what the base model knows? */
import type { HostTensor } from "../../../runtime/contract.ts";
import type { Engine } from "../../../runtime/index.ts";
import type { ModalityName } from "../../probe/observe.ts";
import type { Subject } from "../../probe/subject.ts";
import type { TrialBatch } from "../batches.ts";
import { correlation, mean, rms, short } from "./numbers.ts";
import { isWritten, spanOfValue, type Suspicion } from "./suspicion.ts";
import { aimsOf, apart, atLevel, atTarget, openOn, predictionOf, type Aim, type Trial } from "./trials.ts";

/** Noise has mean 0 and deviation 1; over 10,000 numbers both are drawn to 0.02. Noise of several octaves has up to 1.12 on small grids. */
const [meanTolerance, deviationTolerance] = [0.1, 0.2];
/** Correlation with the clean tokens, or with another sample, that no independent draw of such a size has. */
const dependence = 0.2;
/** Correlation of neighbours from which on noise has no detail left; pyramid noise of half the weight has 0.2. */
const smooth = 0.6;

/** Numbers of one kind on all batches. */
function gather(seen: readonly (readonly [HostTensor, HostTensor])[]) {
  const noise = seen.flatMap(([tensor]) => Array.from(tensor.data));
  const clean = seen.flatMap(([, tensor]) => Array.from(tensor.data));
  return { noise, clean };
}

export async function unusualNoise(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const { name, generated } of subject.program.modalities) {
    const key = `${name}.noise`;
    if (!generated || !isWritten(subject, key)) continue;
    const seen: (readonly [HostTensor, HostTensor])[] = [];
    for (const trial of trials) {
      const values = await trial.step.values([key, `${name}.clean`], trial.at(atTarget));
      const [noise, clean] = [values.get(key), values.get(`${name}.clean`)];
      if (noise?.shape.length === 3 && clean !== undefined) seen.push([noise, clean]);
    }
    const message = seen.length === 0 ? null : whatIsUnusual(key, seen);
    if (message === null) continue;
    found.push({
      code: "LTX7115",
      span: spanOfValue(subject, key),
      message,
      help: "the base model knows `randn()`: a normal number of its own for each element; divide what is added up by its deviation",
      batch: trials[0]?.batch ?? null,
    });
  }
  return found;
}

function whatIsUnusual(key: string, seen: readonly (readonly [HostTensor, HostTensor])[]): string | null {
  const { noise, clean } = gather(seen);
  const [average, deviation] = [mean(noise), Math.sqrt(Math.max(0, rms(noise) ** 2 - mean(noise) ** 2))];
  if (Math.abs(average) > meanTolerance || Math.abs(deviation - 1) > deviationTolerance)
    return `\`${key}\` has mean ${short(average)} and deviation ${short(deviation)}, and not 0 and 1`;
  const shared = correlation(noise, clean);
  if (Math.abs(shared) > dependence)
    return `\`${key}\` depends on the clean tokens: their correlation is ${short(shared)}, and not 0`;
  const alike = mean(seen.map(([tensor]) => betweenSamples(tensor)));
  if (Math.abs(alike) > dependence)
    return `\`${key}\` of two samples is alike: their correlation is ${short(alike)}, and not 0`;
  const neighbours = mean(seen.map(([tensor]) => betweenTokens(tensor)));
  if (neighbours > smooth)
    return `\`${key}\` of neighbouring tokens is alike: their correlation is ${short(neighbours)}, and not 0`;
  return null;
}

function betweenSamples({ shape, data }: HostTensor): number {
  const size = data.length / (shape[0] ?? 1);
  return (shape[0] ?? 1) < 2 ? 0 : correlation(data.subarray(0, size), data.subarray(size, 2 * size));
}

/** Of tokens that follow each other. */
function betweenTokens({ shape, data }: HostTensor): number {
  const channels = shape[2] ?? 1;
  return correlation(data.subarray(0, -channels), data.subarray(channels));
}

// ------------------------------------------------------------------------------------------------------------------ levels

/** A level that is the same always, or always below this, is most often a number of another scale. */
const lowLevel = 0.05;

export async function unusualLevels(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const { name, generated } of subject.program.modalities) {
    const key = `${name}.sigma`;
    if (!generated || !isWritten(subject, key)) continue;
    const levels: number[] = [];
    for (const trial of trials)
      levels.push(...((await trial.step.values([key], trial.at(atTarget))).get(key)?.data ?? []));
    const [low, high] = [Math.min(...levels), Math.max(...levels)];
    if (levels.length === 0 || (high > low && high >= lowLevel)) continue;
    found.push({
      code: "LTX7117",
      span: spanOfValue(subject, key),
      message:
        high === low
          ? `\`${key}\` is ${short(low)} for every sample of ${trials.length} batches`
          : `\`${key}\` is never above ${short(high)}, on ${trials.length} batches`,
      help: "sampling goes through all levels from 1, pure noise, to 0, clean, and the model is trained on none but these: `sampled()` draws them",
      batch: trials[0]?.batch ?? null,
    });
  }
  return found;
}

/** How far noised tokens may be from the clean ones at level 0, and from noise at level 1, as a share of the size of both. */
const endTolerance = 0.2;

/** `noisy` at the ends of the levels; only where the file writes it, and where its levels are those of the sampler. */
export async function noisyAtEnds(engine: Engine, subject: Subject, batch: TrialBatch): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const { name, generated } of subject.program.modalities) {
    if (!generated || !isWritten(subject, `${name}.noisy`)) continue;
    for (const level of [0, 1]) {
      const step = openOn(engine, subject, batch, { sampler: atLevel(level) });
      const aims = await aimsOf(step, batch.seed);
      const keys = ["noisy", "clean", "noise", "timesteps"].map((field) => `${name}.${field}`);
      const values = await step.values(keys, predictionOf(step, aims, batch.seed, atTarget));
      step.close();
      const [noisy, clean, noise, timesteps] = keys.map((key) => values.get(key));
      const aim = aims.get(name);
      const end = level === 0 ? clean : noise;
      if (aim === undefined || noisy === undefined || end === undefined) continue;
      const off = apart(aim, noisy.data, end.data);
      if (!isAt(aim, timesteps, level) || off <= endTolerance) continue;
      found.push(notAtEnd(subject, name, level, off, batch));
      break;
    }
  }
  return found;
}

function isAt({ generated }: Aim, timesteps: HostTensor | undefined, level: number): boolean {
  const levels = Array.from(timesteps?.data ?? []).filter((_, token) => generated.data[token] !== 0);
  return levels.length > 0 && levels.every((value) => Math.abs(value - level) < 1e-3);
}

function notAtEnd(subject: Subject, name: ModalityName, level: number, off: number, batch: TrialBatch): Suspicion {
  const [at, what] = level === 0 ? ["0", "the clean tokens"] : ["1", "noise"];
  return {
    code: "LTX7116",
    span: spanOfValue(subject, `${name}.noisy`),
    message: `\`${name}.noisy\` at a level of ${at} differs from ${what} by ${short(100 * off)} % of their size`,
    help: "`sigma` is the share of noise: `(1 - sigma) * clean + sigma * noise`",
    batch,
  };
}
