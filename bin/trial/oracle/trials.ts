/** The batches on which the oracle tries a loss, and what it calculates on each: losses and gradients at chosen predictions. */
import type { HostTensor } from "../../../runtime/contract.ts";
import {
  collate,
  createSampler,
  defaultFlowMatching,
  philoxSource,
  type Engine,
  type Sampler,
} from "../../../runtime/index.ts";
import type { ModalityName } from "../../probe/observe.ts";
import { modalityNames, OpenedStep, type Predicted, type Slope } from "../../probe/opened-step.ts";
import { completeParams } from "../../probe/params.ts";
import type { Subject } from "../../probe/subject.ts";
import { syntheticSamples, type MaskPattern, type SyntheticSizes } from "../../probe/synthetic.ts";
import type { TrialBatch } from "../batches.ts";
import { norm, sum } from "./numbers.ts";

export const small: SyntheticSizes = { frames: 3, height: 4, width: 2, steps: 4 };
/** Five times as many tokens, so that what grows with their number shows. */
const large: SyntheticSizes = { frames: 5, height: 6, width: 4, steps: 20 };
const image: SyntheticSizes = { frames: 1, height: 4, width: 6, steps: 4 };

const samples = 4;

/** Videos small and large at the beginning, middle and end of a run, then every kind of mask. */
export function oracleBatches(subject: Subject, seed: number): readonly TrialBatch[] {
  const params = completeParams(subject.step.strategy);
  const made = (sizes: SyntheticSizes, masks: MaskPattern, progress: number, i: number): TrialBatch => ({
    sizes,
    samples,
    masks,
    reference: { space: 1, time: 1 },
    scores: "shares",
    seed: seed + 1000 + i,
    changed: {},
    params,
    progress,
  });
  const runs = [small, large].flatMap((sizes) => [0, 0.5, 1].map((progress) => ({ sizes, progress })));
  const masks = (["box", "full", "empty", "soft"] as const).map((pattern) => ({ pattern }));
  return [
    ...runs.map(({ sizes, progress }, i) => made(sizes, "scattered", progress, i)),
    ...masks.map(({ pattern }, i) => made(large, pattern, 0.5, runs.length + i)),
  ];
}

/** Single frames, on which masks leave something. */
export function imageBatches(subject: Subject, seed: number): readonly TrialBatch[] {
  const [first] = oracleBatches(subject, seed);
  if (first === undefined) return [];
  return [0, 1, 2].map((i) => ({ ...first, sizes: image, masks: "box", seed: seed + 2000 + i }));
}

/** The same latents, but other parameters: to see whether a term is only switched off. */
export function withParams(batch: TrialBatch, changed: Readonly<Record<string, unknown>>): TrialBatch {
  return { ...batch, changed, params: { ...batch.params, ...changed } };
}

const usual = createSampler(defaultFlowMatching);

/** All noise levels the same. */
export const atLevel =
  (level: number): Sampler =>
  (_, __, count) =>
    new Float32Array(count).fill(level);

type Samples = ReturnType<typeof syntheticSamples>;

interface Other {
  /** Of a strategy with passes: the prediction is that at the start of a training, moved by this part of a normal number. */
  readonly nearStart?: number;
  /** In place of that of a run without settings. */
  readonly sampler?: Sampler;
  /** In place of those of the batch. */
  readonly made?: Samples;
}

/** The step on a batch. */
export function openOn(engine: Engine, subject: Subject, batch: TrialBatch, other: Other = {}): OpenedStep {
  const { sampler = usual, made = syntheticSamples(subject.step.strategy, batch) } = other;
  const { params, seed, progress } = batch;
  const circumstances = { params, sampler, seed, progress, globalStep: Math.round(progress * 1000) };
  return new OpenedStep(engine, subject, collate(made), circumstances);
}

// ------------------------------------------------------------------------------------------------------------- predictions

/** What is known of a generated modality on a batch. */
export interface Aim {
  readonly target: HostTensor;
  readonly generated: HostTensor;
  /** Tokens of references in front of the target's. */
  readonly before: number;
  /** Normal numbers in the shape of `target`. */
  readonly error: Float32Array;
}

type Aims = ReadonlyMap<ModalityName, Aim>;

export async function aimsOf(step: OpenedStep, seed: number): Promise<Aims> {
  const found = new Map<ModalityName, Aim>();
  for (const name of modalityNames) {
    const seen = await step.generated(name);
    const [, sequence = 0] = step.parts.find((part) => part.name === name)?.shape ?? [];
    if (seen === null) continue;
    const error = philoxSource(seed, 0, 0).randn(`error.${name}`, seen.target.data.length);
    found.set(name, { ...seen, before: sequence - (seen.target.shape[1] ?? 0), error });
  }
  return found;
}

/** A prediction of the target tokens of one modality, from a value for each entry. */
export type Guess = (aim: Aim, entry: number, modality: ModalityName) => number;

export const atTarget: Guess = ({ target }, entry) => target.data[entry] ?? 0;
export const offTarget: Guess = ({ target, error }, entry) => (target.data[entry] ?? 0) + (error[entry] ?? 0);
export const atRandom: Guess = ({ error }, entry) => error[entry] ?? 0;

/** The prediction of a whole step; what no target is known of is normal. */
export function predictionOf(step: OpenedStep, aims: Aims, seed: number, guess: Guess): Predicted {
  const source = philoxSource(seed, 0, 0);
  const parts = step.parts.map(({ name, shape }): [string, HostTensor] => {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from(source.randn(`part.${name}`, count));
    const modality = modalityNames.find((each) => each === name);
    const aim = modality === undefined ? undefined : aims.get(modality);
    if (aim !== undefined && modality !== undefined)
      eachEntry(aim, (at, entry) => (data[at] = guess(aim, entry, modality)));
    return [name, { shape, dtype: "float32", data }];
  });
  return new Map(parts);
}

/** How far two lists of numbers are apart on generated tokens, as a share of the second's size. */
export function apart({ target, generated }: Aim, a: ArrayLike<number>, b: ArrayLike<number>): number {
  const channels = target.shape[2] ?? 1;
  const isGenerated = (_: unknown, i: number) => generated.data[Math.floor(i / channels)] !== 0;
  const difference = Array.from(b, (value, i) => value - (a[i] ?? 0)).filter(isGenerated);
  const size = norm(Array.from(b).filter(isGenerated));
  return size > 0 ? norm(difference) / size : 0;
}

/** The gradients of several terms by one part of the prediction, added up; null where none depends on it. */
export function wholeGradient(
  slopes: readonly Slope[],
  part: string,
): (Pick<HostTensor, "shape"> & { data: Float64Array }) | null {
  const gradients = slopes.flatMap((slope) => slope.gradients.get(part) ?? []);
  const [first] = gradients;
  if (first === undefined) return null;
  const data = Float64Array.from(first.data, (_, i) => gradients.reduce((all, each) => all + (each.data[i] ?? 0), 0));
  return { shape: first.shape, data };
}

/** For each entry of a target its place in the model's sequence, which may begin with references. */
export function eachEntry({ target, before }: Aim, visit: (at: number, entry: number) => void): void {
  const [samples = 0, tokens = 0, channels = 0] = target.shape;
  const [own, whole] = [tokens * channels, (before + tokens) * channels];
  for (let sample = 0; sample < samples; sample++)
    for (let i = 0; i < own; i++) visit(sample * whole + before * channels + i, sample * own + i);
}

// ------------------------------------------------------------------------------------------------------------------ trials

/** What is calculated on one batch. */
export interface Trial {
  readonly batch: TrialBatch;
  readonly step: OpenedStep;
  readonly aims: Aims;
  /** Of each loss term, with the prediction at a distance of 1 from the target. */
  readonly off: ReadonlyMap<string, Slope>;
  readonly at: (guess: Guess) => Predicted;
}

/** Opens a trial, whose step is to be closed. `other`: see `openOn`. */
export async function tryOn(engine: Engine, subject: Subject, batch: TrialBatch, other: Other = {}): Promise<Trial> {
  const step = openOn(engine, subject, batch, other);
  const aims = await aimsOf(step, batch.seed);
  const at = (guess: Guess) => predictionOf(step, aims, batch.seed, guess);
  const off = new Map<string, Slope>();
  const predicted =
    other.nearStart === undefined ? at(offTarget) : await movedFromStart(step, batch.seed, other.nearStart);
  for (const { name } of subject.program.terms) off.set(name, await step.slope(name, predicted));
  return { batch, step, aims, off, at };
}

/** How far predictions are from those of the start where a strategy with passes is judged: losses such as DPO's saturate further away. */
export const nearStart = 0.01;

/** Where gradients are looked at: off the target, or for a strategy with passes near the start of a training. */
export const usualPoint = ({ program }: Subject): Other => (program.passes.length > 0 ? { nearStart } : {});

/** What the model predicts at the start, where all weights are the base model's; of passes with the trained weights, nothing is added. */
async function startOf(step: OpenedStep, seed: number): Promise<Predicted> {
  const own = new Map([...predictionOf(step, new Map(), seed, atRandom), ...(await step.start())]);
  const calls = [...(await step.calls(own))].filter(([pass]) => step.isTrained(pass));
  const more = calls.flatMap(([pass, { predicted }]) =>
    modalityNames.flatMap((name): [string, HostTensor][] => {
      const made = predicted[name];
      return made === null ? [] : [[`${pass}.${name}`, { ...made, data: new Float32Array(made.data.length) }]];
    }),
  );
  return new Map([...own, ...more]);
}

const starts = new WeakMap<OpenedStep, Predicted>();

/** The prediction at the start, and normal numbers of this size added to that of each trained call, or of those that `parts` names. */
export async function movedFromStart(
  step: OpenedStep,
  seed: number,
  size: number,
  parts: readonly string[] | null = null,
): Promise<Predicted> {
  const start = starts.get(step) ?? (await startOf(step, seed));
  starts.set(step, start);
  const source = philoxSource(seed, 0, 0);
  const moved = (name: string, { shape, data }: HostTensor): HostTensor => {
    const error = source.randn(`moved.${name}`, data.length);
    return { shape, dtype: "float32", data: Float32Array.from(data, (x, i) => x + size * (error[i] ?? 0)) };
  };
  const isMoved = (name: string) =>
    /^(\w+\.)?(video|audio)$/.test(name) && (parts === null || parts.includes(name)) && size > 0;
  return new Map([...start].map(([name, tensor]) => [name, isMoved(name) ? moved(name, tensor) : tensor]));
}

/** Loss terms, each summed over the samples. */
export type Losses = ReadonlyMap<string, number>;

export async function lossesAt({ step, at }: Trial, guess: Guess): Promise<Losses> {
  const seen = await step.losses(at(guess));
  return new Map([...seen].map(([name, { data }]) => [name, sum(data)]));
}

export const totalOf = (losses: Losses): number => sum([...losses.values()]);

/** Off in one modality, exact in the other. */
export const onlyOff =
  (name: ModalityName): Guess =>
  (aim, entry, modality) =>
    (modality === name ? offTarget : atTarget)(aim, entry, modality);
