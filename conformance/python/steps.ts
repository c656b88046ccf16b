/**
 * Steps of strategies in both back ends: what the TypeScript of a strategy makes of a batch on the CPU engine, recorded for steps.py,
 * which does the same in Python. The draws are those of `ltxc run`; a prediction of random numbers takes the place of the model.
 */
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { trialBatches, type TrialBatch } from "../../bin/trial/batches.ts";
import { streamWidth, syntheticSamples } from "../../bin/probe/synthetic.ts";
import { loadStep } from "../../bin/project/load-step.ts";
import { pythonStrategies, sourceAt } from "../../compiler/4-emit/strategies-on-record.ts";
import { compile, compilePython, type Library } from "../../compiler/index.ts";
import type {
  HostTensor,
  ModalityInputs,
  ModelInputs,
  Prediction,
  Prepared,
  Step,
  StepContext,
  Tensor,
} from "../../runtime/contract.ts";
import { noNetworks, noWeights } from "../../runtime/training/forward.ts";
import { openEngine } from "../../runtime/engine/index.ts";
import {
  collate,
  createDraws,
  createPositions,
  createSampler,
  defaultFlowMatching,
  philoxSource,
  uploadBatch,
  type Engine,
  type HostBatch,
} from "../../runtime/index.ts";
import { expressionStrategies } from "./expressions.ts";

interface Source {
  readonly source: { readonly path: string; readonly text: string };
  readonly library?: Library;
}

const scaleFactors = { time: 8, height: 32, width: 32 };
const STEPS = 1000;

/** Of the batches that `ltxc test` tries: a single frame, a box, random cells with references of half the size, a parameter at a limit. */
const chosen = [0, 20, 45, 61];

/** Strategies as researchers write them, which use the language widely. */
const wideFolder = fileURLToPath(new URL("strategies", import.meta.url));
const wide = readdirSync(wideFolder).map((name) => join(wideFolder, name));

/**
 * Compiles every strategy that comes with ltxc, and those of this folder, into `folder`, and says what steps.py needs to know.
 * @param pattern for their file names
 */
export async function recordSteps(folder: string, pattern: RegExp): Promise<readonly unknown[]> {
  const all: readonly Source[] = [
    ...[...pythonStrategies, ...wide].map(sourceAt),
    ...expressionStrategies.map((source) => ({ source })),
  ];
  return recordOf(
    all.filter(({ source }) => pattern.test(source.path)),
    folder,
  );
}

async function recordOf(sources: readonly Source[], folder: string): Promise<readonly unknown[]> {
  const { engine } = await openEngine("cpu");
  const recorded = [];
  for (const [i, each] of sources.entries()) {
    const { step, python } = await compileBoth(each, folder);
    const module = join(folder, `step${i}.py`);
    await writeFile(module, python);
    const batches = trialBatches(step.strategy, 7);
    for (const batch of new Set(chosen.map((place) => batches[place % batches.length] as TrialBatch)))
      recorded.push({ module, ...(await recordStep(engine, step, withParams(batch, step))) });
  }
  return recorded;
}

/** Of strategies whose own ones make 2000 times as much of the rounding of float32 in what they compare. */
const params: Readonly<Record<string, Readonly<Record<string, number>>>> = { diffusion_dpo: { beta: 1 } };

const withParams = (batch: TrialBatch, { strategy }: Step): TrialBatch => ({
  ...batch,
  params: { ...batch.params, ...params[strategy.name] },
});

async function compileBoth({ source, library }: Source, folder: string) {
  const options = library === undefined ? {} : { library };
  const compiled = await compile(source, options);
  const [python] = compilePython(source, options).artifacts;
  if (compiled.program !== null && python !== undefined)
    return { step: await loadStep(compiled.artifacts, folder), python: python.text };
  const errors = compiled.diagnostics.filter(({ severity }) => severity === "error");
  throw new Error(`${source.path}: ${errors.map(({ message }) => message).join("; ")}`);
}

async function recordStep(engine: Engine, step: Step, made: TrialBatch): Promise<Record<string, unknown>> {
  const batch = collate(syntheticSamples(step.strategy, made));
  const globalStep = Math.round(made.progress * STEPS);
  const source = philoxSource(made.seed, globalStep, 0);
  const passes = passesOf(engine, step, (name, count) => source.randn(name, count));
  const contextOf = (): StepContext<unknown> => ({
    ops: engine.ops,
    draws: createDraws(engine.ops, source, createSampler(defaultFlowMatching)),
    params: made.params,
    positions: createPositions(scaleFactors),
    scaleFactors,
    globalStep,
    progress: made.progress,
    ...passes.model,
  });
  const prepare = () => step.prepare(contextOf(), uploadBatch(engine.ops, batch, contextsOf(engine, batch)));
  const prepared = engine.tidy(prepare);
  const predicted = predictionOf(step, prepared, (name, count) => source.randn(name, count));
  const own = Object.entries(predicted).map(([name, value]) => [name, engine.keep(value)] as const);
  const prediction = asPrediction(Object.fromEntries(own));
  // The loss may call the model, too.
  const given = engine.tidy(() => {
    step.loss(contextOf(), prepare(), prediction);
    return passes.given();
  });
  const kept = [...own, ...passes.trained()];
  const { loss, outputs, gradients } = engine.differentiate(
    () => {
      const terms = step.loss(contextOf(), prepare(), prediction);
      const sum = Object.values(terms).reduce((a, b) => engine.ops.add(a, b));
      return { loss: engine.ops.mean(sum), outputs: terms };
    },
    kept.map(([, tensor]) => tensor),
  );
  const readAll = readerOf(engine, batch.size);
  const result = {
    name: `${step.strategy.name}, seed ${made.seed}`,
    shared: step.strategy.sources.flatMap(({ name, shared }) => (shared === true ? [name] : [])),
    seed: made.seed,
    step: globalStep,
    steps: STEPS,
    ...paramsOf(made),
    batch: Object.fromEntries(Object.entries(batch.sources).map(([name, each]) => [name, plainSource(each)])),
    prediction: Object.fromEntries(
      Object.entries({ ...predicted, ...passes.predicted }).map(([name, value]) => [name, plain(value)]),
    ),
    expected: {
      ...(await readAll(inputsOf(prepared))),
      ...(await readAll(Object.entries(given))),
      ...(await readAll(Object.entries(outputs).map(([name, tensor]) => [`term.${name}`, tensor]))),
      ...(await readAll(kept.map(([name], i) => [`gradient.${name}`, gradients[i] ?? null]))),
      ...positionsOf(prepared),
    },
    metadata: step.metadata(made.params, sizesOf(batch)),
  };
  engine.dispose(loss, ...Object.values(outputs), ...gradients, ...own.map(([, tensor]) => tensor), ...passes.made());
  return result;
}

/** Also as a checkpoint has them. */
const paramsOf = ({ params }: TrialBatch) => ({ params, params_text: JSON.stringify(params) });

/** Random numbers in place of what the model predicts when it is called by passes, and what these give it. */
function passesOf(engine: Engine, { strategy }: Step, randn: Randn) {
  const predicted: Record<string, HostTensor> = {};
  const kept = new Map<string, Tensor>();
  const given: Record<string, Tensor | null> = {};
  const weightsOf = (pass: string) => strategy.passes?.find(({ name }) => name === pass)?.weights;
  const predict = (pass: string, modality: "video" | "audio", inputs: ModalityInputs | null) => {
    if (inputs === null) return null;
    for (const [field, tensor] of fieldsOf(inputs)) given[`pass.${pass}.${modality}.${field}`] = tensor;
    const name = `pass.${pass}.${modality}`;
    const host = (predicted[name] ??= normal(randn, name, inputs.latent.shape));
    const tensor = kept.get(name) ?? engine.keep(host);
    kept.set(name, tensor);
    return weightsOf(pass) === "trained" ? tensor : engine.ops.stopGradient(tensor);
  };
  return {
    /** What a step may ask of the model; strategies with weights of their own have no module in Python. */
    model: {
      call: (pass: string, { video, audio }: ModelInputs) => ({
        video: predict(pass, "video", video),
        audio: predict(pass, "audio", audio),
      }),
      weight: noWeights,
      network: noNetworks,
    },
    predicted,
    given: () => ({ ...given }),
    made: () => [...kept.values()],
    trained: () => [...kept].filter(([name]) => weightsOf(name.split(".")[1] ?? "") === "trained"),
  };
}

type Plain = { readonly shape: readonly number[]; readonly dtype: string; readonly data: readonly number[] };

const plain = ({ shape, dtype, data }: HostTensor): Plain => ({ shape, dtype, data: Array.from(data) });

/** Reads tensors by name. */
function readerOf(engine: Engine, samples: number) {
  const read = async (name: string, tensor: Tensor | null) => {
    if (tensor === null) return null;
    const value = plain(await engine.read(tensor));
    return name.endsWith("attention_mask") ? forAll(value, samples) : value;
  };
  return async (entries: readonly (readonly [string, Tensor | null])[]) =>
    Object.fromEntries(
      await Promise.all(entries.map(async ([name, tensor]) => [name, await read(name, tensor)] as const)),
    );
}

/** A mask that all samples share, once for each: the official trainer takes no other. */
function forAll({ shape, dtype, data }: Plain, samples: number): Plain {
  const [own = 0, ...rest] = shape;
  if (own === samples) return { shape, dtype, data };
  return { shape: [samples, ...rest], dtype, data: Array.from({ length: samples }, () => data).flat() };
}

/** A source as the trainer's data set gives it. */
function plainSource(source: HostBatch["sources"][string]): Record<string, unknown> {
  switch (source.kind) {
    case "video_latents":
      return { latents: plain(source.latents), fps: source.fps };
    case "audio_latents":
      return { latents: plain(source.latents) };
    case "text_embeddings":
      return { video: plain(source.video), mask: plain(source.mask), audio: source.audio && plain(source.audio) };
    case "tensor":
      return { value: plain(source.value) };
    default:
      return { mask: plain(source.mask) };
  }
}

/** The text features without the connectors: no value of a strategy depends on them. */
function contextsOf({ ops }: Engine, { sources }: HostBatch) {
  const entries = Object.entries(sources).flatMap(([role, source]) => {
    if (source.kind !== "text_embeddings") return [];
    const input = (field: string, value: HostTensor) => ops.input(`batch.${role}.${field}`, value);
    const { video, audio, mask } = source;
    const own = { video: input("video", video), audio: input("audio", audio ?? video), mask: input("mask", mask) };
    return [[role, own] as const];
  });
  return Object.fromEntries(entries);
}

type Randn = (name: string, count: number) => Float32Array;

const normal = (randn: Randn, name: string, shape: readonly number[]): HostTensor => ({
  shape,
  dtype: "float32",
  data: randn(
    name,
    shape.reduce((a, b) => a * b, 1),
  ),
});

function predictionOf({ strategy }: Step, prepared: Prepared, randn: Randn) {
  const { inputs } = prepared;
  const made: Record<string, HostTensor> = {};
  for (const name of ["video", "audio"] as const) {
    if (inputs[name] !== null) made[name] = normal(randn, `prediction.${name}`, inputs[name].latent.shape);
  }
  for (const output of strategy.outputs) {
    const [samples = 0, tokens = 0] = prepared[output.modality]?.generated.shape ?? [];
    const width = output.kind === "linear" ? output.features : streamWidth;
    made[`output.${output.name}`] = normal(randn, `output.${output.name}`, [samples, tokens, width]);
  }
  return made;
}

function asPrediction(made: Readonly<Record<string, Tensor>>): Prediction {
  const outputs = Object.entries(made).flatMap(([name, value]) =>
    name.startsWith("output.") ? [[name.slice("output.".length), value] as const] : [],
  );
  return { video: made["video"] ?? null, audio: made["audio"] ?? null, outputs: Object.fromEntries(outputs) };
}

function inputsOf(prepared: Prepared): (readonly [string, Tensor | null])[] {
  return (["video", "audio"] as const).flatMap((name) => {
    const inputs: ModalityInputs | null = prepared.inputs[name];
    if (inputs === null) return [];
    const { target = null, generated = null } = prepared[name] ?? {};
    const all = [...fieldsOf(inputs), ...Object.entries(target === null ? {} : { target, generated })];
    return all.map(([field, tensor]) => [`${name}.${field}`, tensor] as const);
  });
}

function fieldsOf({ latent, sigma, timesteps, context, contextMask, attentionMask, keyframesMask }: ModalityInputs) {
  return Object.entries({
    latent,
    sigma,
    timesteps,
    context,
    context_mask: contextMask,
    attention_mask: attentionMask,
    keyframes_mask: keyframesMask,
  });
}

function positionsOf({ inputs }: Prepared): Record<string, Plain> {
  const { video, audio } = inputs;
  return {
    ...(video === null ? {} : { "video.positions": plain(video.positions) }),
    ...(audio === null ? {} : { "audio.positions": plain(audio.positions) }),
  };
}

function sizesOf({ sources }: HostBatch) {
  const none = { frames: 0, height: 0, width: 0, steps: 0 };
  return Object.fromEntries(
    Object.entries(sources).map(([name, source]) => {
      if (source.kind === "video_latents")
        return [name, { ...none, frames: source.frames, height: source.height, width: source.width }];
      return [name, source.kind === "audio_latents" ? { ...none, steps: source.steps } : none];
    }),
  );
}
