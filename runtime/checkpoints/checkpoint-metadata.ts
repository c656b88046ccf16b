import { basename } from "node:path";
import type { StrategyInfo } from "../contract.ts";
import { fail } from "../findings.ts";
import { referenceMetadata } from "../references.ts";
import type { LoadedBatch, Run } from "../training/run-inputs.ts";

export type CheckpointMetadata = Readonly<Record<string, string>>;

/** Metadata about the run that made a checkpoint. All keys begin with `ltxc.`, which other tools ignore. */
export function runMetadata(
  { config: { model }, fingerprint, step, id }: Pick<Run, "config" | "fingerprint" | "step" | "id">,
  globalStep: number,
): CheckpointMetadata {
  const { training_mode, lora_rank, lora_alpha, params = {}, base_model, quantization, base_stored } = fingerprint;
  const entries = {
    version: step.strategy.compiler,
    run: id,
    strategy: step.strategy.name,
    source_hash: step.strategy.sourceHash,
    params: JSON.stringify(params),
    training_mode,
    lora_rank,
    lora_alpha,
    base_model: basename(model.model_path),
    base_model_hash: base_model,
    base_model_quantization: base_stored ?? quantization,
    steps: globalStep,
  };
  const known = Object.entries(entries).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(known.map(([key, value]) => [`ltxc.${key}`, String(value)]));
}

/**
 * Metadata that the strategy decides: the scale of its references, and its own `metadata`, which takes precedence. It must be the same
 * for every batch of the run.
 * @param earlier the metadata of earlier batches; null before the first one
 * @throws FindingsError LTX7006 when this batch's metadata differs
 */
export function checkpointMetadata(
  { step, params }: Pick<Run, "step" | "params">,
  batch: Pick<LoadedBatch, "names" | "sizes" | "lacks">,
  earlier: CheckpointMetadata | null,
): CheckpointMetadata {
  const { names, sizes } = batch;
  const own = { ...scaleOf(step.strategy, batch, earlier), ...step.metadata(params, sizes) };
  if (earlier === null) return own;
  const keys = new Set([...Object.keys(earlier), ...Object.keys(own)]);
  const changed = [...keys].find((key) => earlier[key] !== own[key] && !isFirst(key, step.strategy, earlier));
  if (changed === undefined) return own;
  const [now, before] = [own[changed] ?? "left out", earlier[changed] ?? "left out"];
  const message = `${names.join(", ")}: the checkpoint's metadata \`${changed}\` would be ${now}, for earlier samples it was ${before}`;
  const help = isOfReferences(changed)
    ? "train on samples whose references are all scaled by the same factors"
    : "train on samples whose sizes agree in it, or take it out of the strategy's `metadata`";
  return fail("LTX7006", message, help, ["data", "preprocessed_data_root"]);
}

const isOfReferences = (key: string): boolean => /^(reference_|ltxc\.references$)/.test(key);

/** The scale of the references; of a batch that lacks one what is known already. */
function scaleOf(
  strategy: StrategyInfo,
  { sizes, lacks = [] }: Pick<LoadedBatch, "sizes" | "lacks">,
  earlier: CheckpointMetadata | null,
): CheckpointMetadata {
  if (!optionalReferences(strategy).some((source) => lacks.includes(source))) return referenceMetadata(strategy, sizes);
  return Object.fromEntries(Object.entries(earlier ?? {}).filter(([key]) => isOfReferences(key)));
}

/** Whether earlier batches may not have had the references of which this tells. */
function isFirst(key: string, strategy: StrategyInfo, earlier: CheckpointMetadata): boolean {
  return isOfReferences(key) && earlier[key] === undefined && optionalReferences(strategy).length > 0;
}

function optionalReferences({ sources, modalities: { video } }: StrategyInfo): readonly string[] {
  const isOptional = (source: string) => sources.some(({ name, optional }) => name === source && optional === true);
  return (video?.references ?? []).filter(isOptional);
}
