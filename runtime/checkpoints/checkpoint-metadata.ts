import { basename } from "node:path";
import { fail } from "../findings.ts";
import { referenceMetadata } from "../references.ts";
import type { LoadedBatch, Run } from "../training/run-inputs.ts";

export type CheckpointMetadata = Readonly<Record<string, string>>;

/** Metadata about the run that made a checkpoint. All keys begin with `ltxc.`, which other tools ignore. */
export function runMetadata(
  { config: { model }, fingerprint, step, id }: Pick<Run, "config" | "fingerprint" | "step" | "id">,
  globalStep: number,
): CheckpointMetadata {
  const { training_mode, lora_rank, lora_alpha, params = {}, base_model, quantization } = fingerprint;
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
    base_model_quantization: quantization,
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
  { names, sizes }: Pick<LoadedBatch, "names" | "sizes">,
  earlier: CheckpointMetadata | null,
): CheckpointMetadata {
  const own = { ...referenceMetadata(step.strategy, sizes), ...step.metadata(params, sizes) };
  if (earlier === null) return own;
  const keys = new Set([...Object.keys(earlier), ...Object.keys(own)]);
  const changed = [...keys].find((key) => earlier[key] !== own[key]);
  if (changed === undefined) return own;
  const [now, before] = [own[changed] ?? "left out", earlier[changed] ?? "left out"];
  const message = `${names.join(", ")}: the checkpoint's metadata \`${changed}\` would be ${now}, for earlier samples it was ${before}`;
  const help = /^(reference_|ltxc\.references$)/.test(changed)
    ? "train on samples whose references are all scaled by the same factors"
    : "train on samples whose sizes agree in it, or take it out of the strategy's `metadata`";
  return fail("LTX7006", message, help, ["data", "preprocessed_data_root"]);
}
