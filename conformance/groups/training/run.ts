import { join } from "node:path";
import { resolveConfig } from "../../../runtime/config/resolve.ts";
import type { RunConfig } from "../../../runtime/config/run-config.ts";
import type { ScaleFactors, Tensor } from "../../../runtime/contract.ts";
import { openSafetensors } from "../../../runtime/data/safetensors/index.ts";
import type { Engine } from "../../../runtime/engine/engine.ts";
import { readTransformerConfig } from "../../../runtime/model/config.ts";
import { transformerLayout } from "../../../runtime/model/layout.ts";
import { createLora, matchTargets } from "../../../runtime/model/lora.ts";
import { createPositions } from "../../../runtime/model/positions.ts";
import { createTransformer } from "../../../runtime/model/transformer.ts";
import { loadPart } from "../../../runtime/model/weights.ts";
import { createAdamW } from "../../../runtime/optimizer/adamw.ts";
import type { Progress } from "../../../runtime/training/forward.ts";
import { accumulate, type MicroBatch, type OptimizerContext } from "../../../runtime/training/optimizer-step.ts";
import { createSampler, type SamplerChoice } from "../../../runtime/random/samplers.ts";
import { createSchedule } from "../../../runtime/optimizer/schedules.ts";
import { sampleLosses, stepMetrics } from "../../../runtime/training/step-metrics.ts";
import { golden, type Case, type GoldenTensor } from "../../case.ts";
import { compare, type Numbers, type Tolerance } from "../../compare.ts";
import { strategyOfCase, type CaseStrategy } from "../../compiled.ts";
import { goldenBatch, toHost } from "../../golden-batch.ts";
import { recordedDraws } from "../../recorded-draws.ts";

/** Trains as the case was trained, on its samples, draws and initial adapters, and compares every number on the way. */
export async function replayRun(replayed: Case, engine: Engine): Promise<string[]> {
  const strategy = await strategyOfCase(replayed.manifest);
  const config = configOf(replayed);
  const { context, weights } = await open(replayed, engine, strategy, config);
  const made = await train(replayed, context, strategy, config);
  const { trainable, optimizer } = context;
  for (const [i, parameter] of trainable.names.entries()) {
    made.set(`lora.final.${parameter}`, await engine.read(trainable.tensors()[i] as Tensor));
  }
  optimizer.dispose();
  engine.dispose(...trainable.tensors(), ...weights);
  return compareRecorded(replayed, made);
}

/** The case's settings as a run config, with the defaults of one. */
function configOf({ manifest, directory }: Case): RunConfig {
  const { learning_rate, steps, batch_size, gradient_accumulation_steps, max_grad_norm } = manifest["optimization"];
  const { scheduler_type, scheduler_params } = manifest["optimization"];
  const { rank, alpha, target_modules } = manifest["lora"];
  const { mode, params } = manifest["sampler"];
  const optimization = {
    learning_rate,
    steps,
    batch_size,
    gradient_accumulation_steps,
    max_grad_norm,
    scheduler_type,
    scheduler_params,
  };
  const raw = {
    model: { model_path: "weights.safetensors" },
    lora: { rank, alpha, target_modules },
    training_strategy: manifest["strategy"].config,
    optimization,
    data: { preprocessed_data_root: "." },
    flow_matching: { timestep_sampling_mode: mode, timestep_sampling_params: params },
  };
  const { config, findings } = resolveConfig(raw, { configDirectory: directory });
  if (config === null) throw new Error(findings.map(({ message }) => message).join("; "));
  return config;
}

async function open(replayed: Case, engine: Engine, { step, params }: CaseStrategy, config: RunConfig) {
  const { manifest, tensors, directory } = replayed;
  const model = readTransformerConfig(
    manifest["model_config"].transformer,
    modelType(manifest["model_config"].transformer),
  ).config;
  if (model === null) throw new Error("its model config is refused");
  const file = await openSafetensors(join(directory, "weights.safetensors"));
  const weights = await loadPart(engine, file, { prefix: "", parameters: transformerLayout(model) });
  await file.close();
  const { rank, alpha, targetModules } = { ...config.lora, targetModules: config.lora?.target_modules ?? [] } as {
    rank: number;
    alpha: number;
    targetModules: readonly string[];
  };
  const { targets } = matchTargets(transformerLayout(model), targetModules);
  const adapters = createLora(engine, targets, { rank, alpha }, (_, count) => new Float32Array(count));
  engine.dispose(...adapters.tensors());
  adapters.replace(adapters.names.map((name) => engine.keep(toHost(golden(tensors, `lora.init.${name}`)))));
  const transformer = createTransformer(engine.ops, model, weights, adapters);
  const { timestep_sampling_mode, timestep_sampling_params } = config.flow_matching;
  const sampler = createSampler({
    mode: timestep_sampling_mode,
    params: timestep_sampling_params,
  } as unknown as SamplerChoice);
  const scaleFactors: ScaleFactors = { time: 8, height: 32, width: 32 };
  const context: OptimizerContext = {
    engine,
    forward: {
      ops: engine.ops,
      step,
      params,
      model: (inputs) => ({ ...transformer.forward(inputs), outputs: {} }),
      sampler,
      positions: createPositions(scaleFactors),
      scaleFactors,
    },
    trainable: adapters,
    optimizer: createAdamW(engine, adapters.names.length),
    dropout: config.lora?.dropout ?? 0,
    maxGradNorm: config.optimization.max_grad_norm,
  };
  return { context, weights: [...weights.values()] };
}

const modelType = (section: object) => ("audio_num_attention_heads" in section ? "audio-video" : "video-only");

async function train(
  replayed: Case,
  context: OptimizerContext,
  strategy: CaseStrategy,
  config: RunConfig,
): Promise<Map<string, Numbers>> {
  const { manifest } = replayed;
  const { steps, gradient_accumulation_steps: count, batch_size: size } = config.optimization;
  const schedule = createSchedule(config.optimization);
  const [loss, sigma, norms, rates, next]: number[][] = [[], [], [], [], []];
  const made = new Map<string, Numbers>();
  for (let j = 0; j < steps; j++) {
    const micro = async (i: number) =>
      microBatch(replayed, context, strategy, manifest["batches"][j * count + i], j * count + i, {
        globalStep: j,
        progress: j / steps,
      });
    const done = await accumulate(context, count, micro);
    const last = stepMetrics(done.reports.slice(-1));
    loss?.push(...done.reports.flatMap(sampleLosses));
    sigma?.push(...done.reports.flatMap((report) => [...report.sigma]));
    norms?.push(done.gradNorm);
    rates?.push(schedule(j));
    next?.push(schedule(j + 1));
    made.set(`metrics.${j}`, { shape: [1], data: [last.loss] });
    await done.apply(schedule(j));
    if (j === 0) await readAfterFirst(context, made);
  }
  const list = (data: number[] | undefined, shape: readonly number[]): Numbers => ({ shape, data: data ?? [] });
  made.set("out.loss", list(loss, [steps * count, size]));
  made.set("out.sigma", list(sigma, [steps * count, size]));
  made.set("out.grad_norm", list(norms, [steps]));
  made.set("out.lr_used", list(rates, [steps]));
  made.set("out.lr_logged", list(next, [steps]));
  made.set(
    "out.logged_loss",
    list(
      Array.from({ length: steps }, (_, j) => made.get(`metrics.${j}`)?.data[0] ?? NaN),
      [steps],
    ),
  );
  return made;
}

async function readAfterFirst({ engine, trainable }: OptimizerContext, made: Map<string, Numbers>): Promise<void> {
  for (const [i, name] of trainable.names.entries()) {
    made.set(`lora.after_step1.${name}`, await engine.read(trainable.tensors()[i] as Tensor));
  }
}

function microBatch(
  replayed: Case,
  { engine }: OptimizerContext,
  { section, step, keyOf }: CaseStrategy,
  samples: readonly number[],
  index: number,
  progress: Progress,
): MicroBatch {
  const { manifest, tensors } = replayed;
  const draws = manifest["draws"].filter((draw: { micro_step: number }) => draw.micro_step === index);
  return {
    size: samples.length,
    progress,
    draws: recordedDraws(draws, { section, sampler: manifest["sampler"] }, (name) => golden(tensors, name)),
    batch: () => goldenBatch(collate(tensors, samples), step.strategy.sources, keyOf, engine.ops),
    release: () => {},
  };
}

/** `sample.<i>.<field>` of the chosen samples, stacked to `batch.<field>`. */
function collate(tensors: Case["tensors"], samples: readonly number[]): Map<string, GoldenTensor> {
  const batch = new Map<string, GoldenTensor>();
  const first = `sample.${samples[0]}.`;
  for (const [name, { dtype, shape }] of tensors) {
    if (!name.startsWith(first)) continue;
    const field = name.slice(first.length);
    const parts = samples.map((sample) => golden(tensors, `sample.${sample}.${field}`).data);
    const data = Float64Array.from(parts.flatMap((part) => [...part]));
    batch.set(`batch.${field}`, { dtype, shape: [samples.length, ...shape], data });
  }
  return batch;
}

function compareRecorded({ manifest, tensors }: Case, made: ReadonlyMap<string, Numbers>): string[] {
  const reasons: string[] = [];
  for (const [name, expected] of tensors) {
    const tolerance = toleranceOf(name, manifest["tolerance"]);
    if (tolerance === null) continue;
    const actual = made.get(name);
    reasons.push(...(actual === undefined ? [`${name}: missing`] : compare(name, actual, expected, tolerance)));
  }
  return reasons;
}

/** Null for what is an input, and for the first gradients, which the weights after the first step stand for. */
function toleranceOf(name: string, tolerance: Readonly<Record<string, Tolerance>>): Tolerance | null {
  if (/^out\.(loss|logged_loss)$/.test(name)) return tolerance["loss"] ?? "exact";
  if (name === "out.sigma") return { atol: 2e-6 };
  if (name === "out.grad_norm") return tolerance["grad_norm"] ?? "exact";
  if (name.startsWith("out.lr_")) return tolerance["lr"] ?? "exact";
  return /^lora\.(final|after_step1)\./.test(name) ? (tolerance["lora.final"] ?? "exact") : null;
}
