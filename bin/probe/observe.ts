/** Runs a strategy's step on one batch, with random numbers instead of the model's prediction, and reads back all its values. */
import type { ProbedValue } from "../../compiler/index.ts";
import type {
  Draws,
  HostTensor,
  ModalityInputs,
  Ops,
  Prediction,
  Prepared,
  Probe,
  StepContext,
  StrategyInfo,
  Tensor,
} from "../../runtime/contract.ts";
import {
  createDraws,
  createPositions,
  philoxSource,
  uploadBatch,
  type DrawSource,
  type Engine,
  type HostBatch,
  type Sampler,
} from "../../runtime/index.ts";
import { networksOf } from "./networks.ts";
import type { Subject } from "./subject.ts";
import { streamWidth } from "./synthetic.ts";

export type ModalityName = "video" | "audio";

/** A value of the step on the host. */
export interface Seen {
  readonly value: ProbedValue;
  /** A number or boolean that is the same for the whole batch has no axes. */
  readonly tensor: HostTensor;
}

/** The model's inputs for a modality, references first. */
interface SeenInputs {
  readonly latent: HostTensor;
  readonly timesteps: HostTensor;
  readonly attentionMask: HostTensor | null;
}

export interface Observation {
  readonly batch: HostBatch;
  /** By key, in the order of the step's `probe`. */
  readonly values: ReadonlyMap<string, Seen>;
  readonly inputs: Readonly<Record<ModalityName, SeenInputs | null>>;
  readonly losses: Readonly<Record<string, HostTensor>>;
  /** Names of the references that took part, in the order in which their tokens stand in front of the target. */
  readonly references: Readonly<Record<ModalityName, readonly string[]>>;
}

export interface Circumstances {
  readonly params: Readonly<Record<string, unknown>>;
  readonly sampler: Sampler;
  readonly seed: number;
  /** Finished optimizer steps, of `steps`. */
  readonly globalStep: number;
  readonly progress: number;
  /** Maps token counts of the batch to those that samplers of noise levels get instead. */
  readonly samplerTokens?: ReadonlyMap<number, number>;
}

/** Pixels per latent cell of the released models. There is no checkpoint here that could have others. */
const scaleFactors = { time: 8, height: 32, width: 32 };

export async function observe(
  engine: Engine,
  { step, probed }: Subject,
  batch: HostBatch,
  circumstances: Circumstances,
): Promise<Observation> {
  const source = philoxSource(circumstances.seed, circumstances.globalStep, 0);
  const drawn = new Map<string, boolean>();
  const { prepared, losses, probe } = engine.tidy(() => {
    const ctx = {
      ...contextOf(engine, source, circumstances, drawn),
      ...modelOf(engine, step.strategy, batch, source),
    };
    const prepared = step.prepare(ctx, uploadBatch(engine.ops, batch, contextsOf(engine, batch)));
    const prediction = predict(engine, step.strategy, prepared, source);
    return {
      prepared,
      losses: step.loss(ctx, prepared, prediction),
      probe: step.probe?.(ctx, prepared, prediction) ?? {},
    };
  });
  const read = reader(engine);
  const observation: Observation = {
    batch,
    values: await readProbe(probed, probe, read),
    inputs: {
      video: await readInputs(prepared.inputs.video, read),
      audio: await readInputs(prepared.inputs.audio, read),
    },
    losses: Object.fromEntries(
      await Promise.all(Object.entries(losses).map(async ([name, term]) => [name, await read(term)] as const)),
    ),
    references: {
      video: referencesOf(step.strategy, "video", drawn),
      audio: referencesOf(step.strategy, "audio", drawn),
    },
  };
  engine.dispose(...tensorsIn([prepared, losses, probe]));
  return observation;
}

// ---------------------------------------------------------------------------------------------------------------- the step

/** What a step is called with. Stores the outcome of each draw of `chance` in `drawn`. */
export function contextOf(
  { ops }: Engine,
  source: DrawSource,
  { params, sampler, globalStep, progress, samplerTokens }: Circumstances,
  drawn: Map<string, boolean>,
): Omit<StepContext<unknown>, "call" | "weight" | "network"> {
  const made = createDraws(ops, source, sampler);
  const told = (tokens: number) => samplerTokens?.get(tokens) ?? tokens;
  const draws: Draws = {
    ...made,
    sampled: (name, shape, tokens) => made.sampled(name, shape, told(tokens)),
    shiftedLogitNormal: (name, shape, tokens, shifted) => made.shiftedLogitNormal(name, shape, told(tokens), shifted),
    chance(name, probability) {
      const outcome = made.chance(name, probability);
      drawn.set(name, outcome);
      return outcome;
    },
  };
  return { ops, draws, params, positions: createPositions(scaleFactors), scaleFactors, globalStep, progress };
}

/** The text features without the connectors: no value of a strategy depends on them. */
export function contextsOf({ ops }: Engine, { sources }: HostBatch) {
  const texts = Object.entries(sources).flatMap(([role, source]) => {
    if (source.kind !== "text_embeddings") return [];
    const input = (field: string, value: HostTensor) => ops.input(`batch.${role}.${field}`, value);
    const { video, audio, mask } = source;
    const context = { video: input("video", video), audio: input("audio", audio ?? video), mask: input("mask", mask) };
    return [[role, context] as const];
  });
  return Object.fromEntries(texts);
}

/** What stands for the model: predictions of passes, weights of the strategy's own, and its networks. */
export function modelOf(
  engine: Engine,
  strategy: StrategyInfo,
  batch: HostBatch,
  source: DrawSource,
): Pick<StepContext<unknown>, "call" | "weight" | "network"> {
  return {
    call: passesOf(engine, source),
    weight: weightsOf(engine, strategy, batch, source),
    network: networksOf(engine.ops, strategy, batch),
  };
}

/** Random numbers, as wide as the texts of the batch. */
function weightsOf(
  { ops }: Engine,
  { weights = [] }: StrategyInfo,
  { sources }: HostBatch,
  source: DrawSource,
): StepContext<unknown>["weight"] {
  const [text] = Object.values(sources).flatMap((each) => (each.kind === "text_embeddings" ? [each] : []));
  return (name) => {
    const features = name.endsWith(".audio") ? (text?.audio ?? text?.video) : text?.video;
    const tokens = weights.find((weight) => name.startsWith(`${weight.name}.`))?.tokens ?? 0;
    return randomInput(ops, source, `weight.${name}`, [tokens, features?.shape.at(-1) ?? 1]);
  };
}

/** What passes predict: random numbers, the same whenever a pass of the step is called. */
function passesOf({ ops }: Engine, source: DrawSource): StepContext<unknown>["call"] {
  return (pass, inputs) => {
    const velocity = (name: ModalityName) => {
      const latent = inputs[name]?.latent;
      return latent === undefined ? null : randomInput(ops, source, `prediction.${pass}.${name}`, latent.shape);
    };
    return { video: velocity("video"), audio: velocity("audio") };
  };
}

function randomInput(ops: Ops, source: DrawSource, name: string, shape: readonly number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return ops.input(name, { shape, dtype: "float32", data: source.randn(name, count) });
}

function predict({ ops }: Engine, strategy: StrategyInfo, prepared: Prepared, source: DrawSource): Prediction {
  const normal = (name: string, shape: readonly number[]) => randomInput(ops, source, name, shape);
  const velocity = (name: ModalityName) => {
    const latent = prepared.inputs[name]?.latent;
    return latent === undefined ? null : normal(`prediction.${name}`, latent.shape);
  };
  const outputs = strategy.outputs.map((output) => {
    const [samples = 0, tokens = 0] = targetShape(prepared, output.modality);
    const width = output.kind === "linear" ? output.features : streamWidth;
    return [output.name, normal(`output.${output.name}`, [samples, tokens, width])] as const;
  });
  return { video: velocity("video"), audio: velocity("audio"), outputs: Object.fromEntries(outputs) };
}

/** `generated` covers the target alone, timesteps may cover references as well. */
export function targetShape(prepared: Prepared, modality: ModalityName): readonly number[] {
  return prepared[modality]?.generated.shape ?? prepared.inputs[modality]?.timesteps.shape ?? [];
}

/** Tokens of the reference that is listed last come first. */
function referencesOf(
  { modalities }: StrategyInfo,
  modality: ModalityName,
  drawn: ReadonlyMap<string, boolean>,
): string[] {
  const listed = modalities[modality]?.references ?? [];
  return listed.filter((_, i) => drawn.get(`${modality}.references[${i}]`) ?? true).toReversed();
}

// ------------------------------------------------------------------------------------------------------------- reading back

type Read = (tensor: Tensor) => Promise<HostTensor>;

/** Reads each tensor once: many appear several times. */
function reader(engine: Engine): Read {
  const known = new Map<Tensor, Promise<HostTensor>>();
  return (tensor) => {
    const made = known.get(tensor) ?? engine.read(tensor);
    known.set(tensor, made);
    return made;
  };
}

async function readProbe(probed: readonly ProbedValue[], probe: Probe, read: Read): Promise<ReadonlyMap<string, Seen>> {
  const entries = probed.map(async (value): Promise<readonly [string, Seen]> => {
    const shown = probe[value.key];
    if (shown === undefined) throw new Error(`the step does not show ${value.key}`);
    return [value.key, { value, tensor: isTensor(shown) ? await read(shown) : hostTensor(shown) }];
  });
  return new Map(await Promise.all(entries));
}

async function readInputs(inputs: ModalityInputs | null, read: Read): Promise<SeenInputs | null> {
  if (inputs === null) return null;
  const { latent, timesteps, attentionMask } = inputs;
  return {
    latent: await read(latent),
    timesteps: await read(timesteps),
    attentionMask: attentionMask === null ? null : await read(attentionMask),
  };
}

/** Whether it is a tensor of an engine. */
export function isTensor(value: unknown): value is Tensor {
  if (typeof value !== "object" || value === null || !("dtype" in value) || !("shape" in value)) return false;
  // Positions are host tensors, all others belong to the engine.
  return !("data" in value && ArrayBuffer.isView(value.data));
}

/** A number, a boolean or a list of the probe as a tensor. */
export function hostTensor(value: number | boolean | readonly number[] | Tensor): HostTensor {
  if (typeof value === "boolean") return { shape: [], dtype: "bool", data: Uint8Array.of(value ? 1 : 0) };
  if (typeof value === "number") return { shape: [], dtype: "float32", data: Float32Array.of(value) };
  if ("dtype" in value) throw new Error("a tensor is read from its engine");
  return { shape: [value.length], dtype: "float32", data: Float32Array.from(value) };
}

/** All tensors of an engine in a value, each once. */
export function tensorsIn(value: unknown): Tensor[] {
  if (isTensor(value)) return [value];
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  return [...new Set(Object.values(value).flatMap(tensorsIn))];
}
