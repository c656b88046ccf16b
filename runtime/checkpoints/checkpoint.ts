import { rm } from "node:fs/promises";
import type { LoraConfig } from "../config/run-config.ts";
import type { HostTensor, Tensor } from "../contract.ts";
import type { Finding } from "../findings.ts";
import { isOfStrategy } from "../model/strategy-weights.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import { besidesBase, withoutBase } from "./base-change.ts";
import { momentsOfOthers, notResumed, whyNoState, withoutMoments, withoutWeights } from "./beginning.ts";
import { emaPaths, findWeights, headsPath, statePath, stepOf, weightsPath } from "./checkpoint-files.ts";
import { runMetadata, type CheckpointMetadata } from "./checkpoint-metadata.ts";
import { loadHeads, saveHeads } from "./head-weights.ts";
import { loadLora } from "./fit-lora.ts";
import { toFile, type LoraScale, type NamedTensors } from "./lora-weights.ts";
import { loadModelWeights, saveModelWeights } from "./model-weights.ts";
import type { Engine } from "../engine/engine.ts";
import type { Trainable } from "../training/optimizer-step.ts";
import type { Run } from "../training/run-inputs.ts";
import { readTensorFile, writeTensorFile } from "./tensor-file.ts";
import { checkResume, checkStepsLeft, failDamaged, failStray } from "./resume.ts";
import { decodeState, encodeState, strayState, type TrainingState } from "./training-state.ts";

/**
 * Saves a checkpoint after `globalStep` steps: the training state (as `checkpoints.save_training_state` asks), the heads, and the weights
 * with the metadata of run and strategy. Each file is written whole or not at all. The weights come last, so that a weights file is
 * never without the files that belong to it.
 * @returns the path of the weights file, and LTX6162 or LTX6163 if the base model is no longer what it was
 * @throws FindingsError LTX6190, LTX6191 when it can not be written; earlier checkpoints are untouched
 */
export async function saveCheckpoint(
  run: Run,
  optimizer: Optimizer,
  { globalStep, metadata: strategy }: { globalStep: number; metadata: Readonly<Record<string, string>> },
): Promise<Saved> {
  const { checkpoints, output_dir } = run.config;
  const path = weightsPath(output_dir, globalStep, run.config.model.training_mode);
  const parameters = await readAll(run.engine, run.trainable);
  const averages = run.ema === null ? null : await readAll(run.engine, run.ema);
  const { own, heads } = divided(parameters);
  const mode = checkpoints.save_training_state;
  const stateFile = statePath(path);
  // Remove an earlier run's state: it does not match these weights.
  if (mode === "off" && stateFile !== null) await rm(stateFile, { force: true });
  if (mode !== "off" && stateFile !== null) {
    const full = mode === "full" ? await fullState(optimizer, parameters, averages) : null;
    const state = encodeState({ globalStep, fingerprint: run.fingerprint, full }, run.trainable.names);
    await writeTensorFile(stateFile, state, "float32");
  }
  const described = { ...runMetadata(run, globalStep), ...strategy };
  await saveHeads(headsPath(path), heads, run.step.strategy, checkpoints.precision);
  if (averages === null) for (const stale of Object.values(emaPaths(path) ?? {})) await rm(stale, { force: true });
  else await saveAverages(run, path, averages, described);
  const ofBase = await saveWeights(run, path, own, described);
  return { path, ofBase };
}

async function fullState(optimizer: Optimizer, parameters: NamedTensors, averages: NamedTensors | null) {
  const numbers = optimizer.numbers?.();
  return {
    parameters: [...parameters.values()],
    moments: await optimizer.save(),
    ...(numbers === undefined ? {} : { numbers }),
    ...(averages === null ? {} : { ema: [...averages.values()] }),
  };
}

/** The moving average next to the weights, in the same form, so that it is used like them. */
async function saveAverages(run: Run, path: string, averages: NamedTensors, described: CheckpointMetadata) {
  const paths = emaPaths(path);
  if (paths === null) return;
  const { own, heads } = divided(averages);
  const decay = String(run.config.runtime.optimization.ema_decay);
  await saveHeads(paths.heads, heads, run.step.strategy, run.config.checkpoints.precision);
  await saveWeights(run, paths.weights, own, { ...described, "ltxc.ema_decay": decay });
}

interface Saved {
  readonly path: string;
  readonly ofBase: Finding | null;
}

async function saveWeights(
  { base, config: { model, lora, checkpoints } }: Run,
  path: string,
  weights: NamedTensors,
  described: CheckpointMetadata,
): Promise<Finding | null> {
  const { precision } = checkpoints;
  if (model.training_mode === "full") {
    if (base === null) throw new Error("a full training without a base model");
    const change = await saveModelWeights(path, base, weights, { metadata: described, precision });
    return change === null ? null : withoutBase(base.path, change, path);
  }
  await writeTensorFile(path, { tensors: toFile(weights, scaleOf(lora)), metadata: described }, precision);
  const change = await base?.change();
  return base === null || change == null ? null : besidesBase(base.path, change);
}

/** Where a run begins. */
interface Beginning {
  readonly globalStep: number;
  /** The weights file that was loaded. */
  readonly loaded: string | null;
  readonly warnings: readonly Finding[];
}

/**
 * Loads the weights that `model.load_checkpoint` names and, if there is a training state next to them, resumes from it. A state that
 * cannot be used is a warning, and the run begins at step 0 with the loaded weights.
 * @throws FindingsError LTX6150 for weights, heads or a state that are damaged, LTX6307 for weights that do not exist, LTX6311 and LTX6360
 * to LTX6367 for those that do not fit, LTX6306 when nothing is left to do, LTX6314 for the state of another run
 */
export async function loadCheckpoint(run: Run, optimizer: Optimizer): Promise<Beginning> {
  const { load_checkpoint: path } = run.config.model;
  if (path === null) return { globalStep: 0, loaded: null, warnings: [] };
  const weights = await findWeights(path);
  if (weights === null) return { globalStep: 0, loaded: null, warnings: [withoutWeights(path)] };
  await checkResume(run.config, run.fingerprint);
  const { warnings, ofHeads } = await loadWeights(run, weights);
  const state = await readState(run, optimizer, weights);
  if (state === null) return { globalStep: 0, loaded: weights, warnings: [...warnings, ...ofHeads] };
  if (typeof state === "string")
    return { globalStep: 0, loaded: weights, warnings: [...warnings, ...ofHeads, notResumed(state)] };
  const restored = [...(state.full === null ? ofHeads : []), ...restore(run, optimizer, state)];
  return { globalStep: state.globalStep, loaded: weights, warnings: [...warnings, ...restored] };
}

function scaleOf(lora: LoraConfig | null): LoraScale {
  if (lora === null) throw new Error("a LoRA run without a section `lora`");
  return lora;
}

async function readAll(engine: Engine, { names, tensors }: Trainable): Promise<NamedTensors> {
  const values = new Map<string, HostTensor>();
  for (const [i, tensor] of tensors().entries()) values.set(names[i] ?? "", await engine.read(tensor));
  return values;
}

const wantedOf = ({ trainable }: Run) =>
  trainable.tensors().map(({ shape }, i) => ({ name: trainable.names[i] ?? "", shape }));

/** Warnings about the heads' file are separate: a full training state contains the heads as well, and makes these warnings void. */
async function loadWeights(run: Run, path: string) {
  const wanted = wantedOf(run);
  const own = wanted.filter(({ name }) => !isOfStrategy(name));
  const loaded = await loadOwn(run, path, own);
  const heads = await loadHeads(
    path,
    wanted.filter(({ name }) => isOfStrategy(name)),
  );
  const fitted = new Map(own.map(({ name }, i) => [name, loaded.values[i] ?? null]));
  const values = wanted.map(({ name }) => heads.values.get(name) ?? fitted.get(name) ?? null);
  replaceWeights(run.engine, run.trainable, values);
  // Where there is a state with an average, that takes the place of this one.
  if (run.ema !== null) replaceWeights(run.engine, run.ema, values);
  return { warnings: loaded.warnings, ofHeads: heads.warnings };
}

/** The model's trained tensors, or those of adapters; without any layers that have some there is nothing to load. */
async function loadOwn({ config: { model, lora } }: Run, path: string, own: Wanted): Promise<LoadedWeights> {
  if (own.length === 0) return { values: [], warnings: [] };
  return model.training_mode === "full" ? readModel(path, own) : loadLora(path, own, scaleOf(lora));
}

type Wanted = ReturnType<typeof wantedOf>;

interface LoadedWeights {
  readonly values: readonly (HostTensor | null)[];
  readonly warnings: readonly Finding[];
}

async function readModel(path: string, wanted: Wanted): Promise<LoadedWeights> {
  return { values: await loadModelWeights(path, wanted), warnings: [] };
}

/** Separates the model's trained tensors from those of the strategy's own, heads and weights, which are saved in a file of their own. */
function divided(parameters: NamedTensors): { readonly own: NamedTensors; readonly heads: NamedTensors } {
  const those = (keep: (name: string) => boolean) => new Map([...parameters].filter(([name]) => keep(name)));
  return { own: those((name) => !isOfStrategy(name)), heads: those(isOfStrategy) };
}

/** Replaces the trained tensors; a tensor whose value is null stays as it is. */
function replaceWeights(engine: Engine, trainable: Trainable, values: readonly (HostTensor | null)[]): void {
  const next = trainable.tensors().map((old, i): Tensor => {
    const value = values[i] ?? null;
    if (value === null) return old;
    engine.dispose(old);
    return engine.keep(value);
  });
  trainable.replace(next);
}

/** The state to resume from, the reason why it cannot be used, or null when `no_resume` asks for the weights alone. */
async function readState(run: Run, optimizer: Optimizer, weights: string): Promise<TrainingState | string | null> {
  if (run.config.checkpoints.no_resume) return null;
  const why = whyNoState(weights);
  const path = statePath(weights);
  if (why !== null || path === null) return why;
  const file = await readTensorFile(path).catch((error: unknown) => failDamaged(error, weights));
  const stray = strayState(file.metadata, stepOf(weights));
  if (stray !== null) await failStray(`${path}: ${stray}`, weights);
  const state = decodeState(file, wantedOf(run), optimizer.kinds);
  return typeof state === "string" ? `${path}: ${state}` : state;
}

function restore(run: Run, optimizer: Optimizer, { globalStep, full }: TrainingState): readonly Finding[] {
  checkStepsLeft(run.config, globalStep);
  if (full === null) return [withoutMoments(globalStep)];
  replaceWeights(run.engine, run.trainable, full.parameters);
  if (run.ema !== null) replaceWeights(run.engine, run.ema, full.ema ?? full.parameters);
  if (full.moments === null) return [momentsOfOthers(globalStep)];
  optimizer.restore(full.moments, full.numbers);
  return [];
}
