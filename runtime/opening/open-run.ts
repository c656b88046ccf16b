import { engineWarnings } from "../checkpoints/resume.ts";
import { loraOf } from "../config/index.ts";
import type { RunConfig } from "../config/run-config.ts";
import type { Step } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { fail, FindingsError, type Finding } from "../findings.ts";
import type { BaseFile } from "../model/base-file.ts";
import { outputsWith } from "../model/outputs.ts";
import { isQuantization, type Quantization } from "../model/quantize.ts";
import type { OnInterrupt } from "../model/quantized-file.ts";
import { openNetworks } from "../networks/open-networks.ts";
import { createPositions } from "../model/positions.ts";
import { drawsAhead } from "../random/draws-ahead.ts";
import { philoxSource } from "../random/draws.ts";
import { lockFolder, type FolderLock } from "../run-folder/lock.ts";
import { lockNewFolder } from "../run-folder/new-folder.ts";
import { remove, type Removal } from "../run-folder/overwrite.ts";
import { loadBatches, loadHeldOut } from "./open-data.ts";
import { openModel, type ModelOpening } from "./open-model.ts";
import { openSamples } from "./open-samples.ts";
import { computedBy } from "../training/fingerprint.ts";
import type { Run } from "../training/run-inputs.ts";
import { preflight, type Preflight } from "./preflight.ts";
import { createTextContexts } from "./text-contexts.ts";

export interface OpenedRun {
  /** The `output_dir` of its config is the folder that the run has locked: with `new` maybe another one than asked for. */
  readonly run: Run;
  readonly warnings: readonly Finding[];
  /** What `overwrite` has deleted, in words; null if nothing was. */
  readonly deleted: string | null;
  /** Stops reading ahead, frees the model and unlocks the folder. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /**
   * What to do if the run would begin anew in a folder with the work of an earlier one: refuse (the default); train in a `new` folder
   * next to it, such as `outputs-2`; or `overwrite`, which deletes what ltxc wrote there once all else is checked and loaded.
   */
  readonly onWork?: "refuse" | "new" | "overwrite";
  /** What else there is to say of a run whose preflight has passed, before its model is loaded; an error among it ends the opening. */
  readonly judge?: (config: RunConfig, examined: Preflight) => Promise<readonly Finding[]>;
  /** Is told, in words for the user, what takes time before the first step. */
  readonly tell?: (text: string) => void;
  /** Listens for Ctrl-C while weights are quantized, which then throws QuantizingStopped. */
  readonly onInterrupt?: OnInterrupt;
}

/**
 * Locks the output folder and opens everything that a run needs, after its preflight: parameters, files, data, then the model.
 * @throws FindingsError with every mistake found, LTX60xx to LTX63xx; LTX6340 where another run has the folder, LTX6341 where work of an
 * earlier one lies there; QuantizingStopped
 */
export async function openRun(
  engine: Engine,
  written: RunConfig,
  step: Step,
  { onWork = "refuse", judge = async () => [], ...opening }: OpenOptions = {},
): Promise<OpenedRun> {
  const lock = await lockOrExplain(written, step, onWork);
  try {
    const config = { ...written, output_dir: lock.folder };
    const examined = await preflight(config, step, { onWork: onWork === "new" ? "refuse" : onWork });
    const judged = [...(await engineWarnings(config, computedBy(engine))), ...(await judge(config, examined))];
    if (judged.some(({ severity }) => severity === "error")) throw new FindingsError(judged);
    const opened = await openExamined(engine, config, step, examined, opening);
    const deleted = await carryOut(examined.removal);
    const close = async () => {
      await opened.close().finally(lock.release);
    };
    return { ...opened, warnings: [...opened.warnings, ...judged], deleted, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The lock of the run's folder. Where it cannot be had, whatever else is wrong is found as well. */
async function lockOrExplain(config: RunConfig, step: Step, onWork: OpenOptions["onWork"]): Promise<FolderLock> {
  try {
    return await (onWork === "new" ? lockNewFolder : lockFolder)(config.output_dir);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    const { findings } = error;
    const [more] = await Promise.allSettled([preflight(config, step)]);
    if (more.status === "fulfilled") throw error;
    if (!(more.reason instanceof FindingsError)) throw more.reason;
    const isKnown = ({ path }: Finding) => more.reason.findings.some((other: Finding) => other.path[0] === path[0]);
    throw new FindingsError([...findings.filter((finding) => !isKnown(finding)), ...more.reason.findings]);
  }
}

/** In how many bits the frozen weights of a run are; null for as they are stored. */
function quantizationOf({ acceleration: { quantization } }: RunConfig): Quantization | null {
  return isQuantization(quantization) ? quantization : null;
}

/** Names of the sources that are one file for all samples. */
const sharedRoles = ({ strategy }: Step): ReadonlySet<string> =>
  new Set(strategy.sources.flatMap(({ name, shared }) => (shared === true ? [name] : [])));

async function carryOut(removal: Removal | null): Promise<string | null> {
  if (removal === null || removal.files.length === 0) return null;
  await remove(removal);
  return removal.text;
}

/** The model must be what the run's fingerprint and its recordings say. */
async function expectUnchanged(base: BaseFile): Promise<void> {
  const change = await base.change();
  if (change === null) return;
  const message = `${base.path} was changed while the run was reading it: ${change}`;
  fail("LTX6161", message, "begin again when nothing writes to the file any more", ["model", "model_path"]);
}

interface ModelsToOpen {
  readonly found: Preflight["networks"];
  readonly base: BaseFile;
  readonly opening: ModelOpening;
}

/** The model with what is trained of it, and the frozen networks of the strategy. */
async function openModels(
  engine: Engine,
  config: RunConfig,
  strategy: Step["strategy"],
  { found, base, opening }: ModelsToOpen,
) {
  const isCheckpointed = config.optimization.enable_gradient_checkpointing;
  const model = await openModel(engine, strategy, config.model, {
    lora: loraOf(config),
    seed: config.seed,
    isCheckpointed,
    hasEma: config.runtime.optimization.ema_decay !== null,
    quantization: quantizationOf(config),
    ...opening,
  });
  try {
    await expectUnchanged(base);
    const networks = await openNetworks(engine, found, { model: model.config, isCheckpointed });
    const free = () => {
      networks.dispose();
      model.dispose();
    };
    return { model, networks, free };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * Opens a run whose preflight has passed.
 * @throws FindingsError as `openRun`, where files have changed since
 */
export async function openExamined(
  engine: Engine,
  config: RunConfig,
  written: Step,
  { params, data, networks: found, fingerprint, base, id, warnings }: Preflight,
  opening: ModelOpening = {},
): Promise<Omit<OpenedRun, "deleted">> {
  const step = { ...written, strategy: outputsWith(written.strategy, params) };
  const { base_model: model_hash, source_hash, quantization = null, networks: hashes = {} } = fingerprint;
  engine.remember?.(JSON.stringify([model_hash, source_hash, params, quantization, hashes]));
  const { model, networks, free } = await openModels(engine, config, step.strategy, { found, base, opening });
  const contexts = createTextContexts(engine, model.embeddings, { shared: sharedRoles(step) });
  const batches = loadBatches(engine, config, data, contexts);
  return {
    run: {
      id,
      config,
      step,
      params,
      fingerprint: { ...fingerprint, computed_by: computedBy(engine) },
      base,
      engine,
      model: model.forward,
      trainable: model.trainable,
      ema: model.ema,
      weight: model.weight,
      network: networks.call,
      positions: createPositions(model.scaleFactors),
      scaleFactors: model.scaleFactors,
      data: batches,
      heldOut: loadHeldOut(engine, data, contexts),
      samples: openSamples(engine, config, step.strategy, model, JSON.stringify([model_hash, quantization])),
      draws: drawsAhead(
        (j, microBatch) => philoxSource(config.seed, j, microBatch),
        config.optimization.gradient_accumulation_steps,
      ),
    },
    warnings,
    async close() {
      await batches.close();
      contexts.dispose();
      free();
    },
  };
}
