/** What there is to say of a run that begins with weights, as it is said before the run and when it loads them. */
import { existsSync } from "node:fs";
import type { RunConfig } from "../config/run-config.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import type { Finding } from "../findings.ts";
import { findWeights, officialStatePath, statePath } from "./checkpoint-files.ts";
import { examineHeads } from "./head-weights.ts";
import { savedProgress } from "./training-state.ts";

function warn(code: string, message: string, help: string): Finding {
  return { code, severity: "warning", path: ["model", "load_checkpoint"], message, help };
}

/** LTX6308: a folder without weights. */
export function withoutWeights(path: string): Finding {
  const message = `${path} holds no \`*step_*.safetensors\`; training starts from the beginning`;
  return warn("LTX6308", message, "write the path of a weights file, or leave `load_checkpoint` out");
}

/** LTX6309: weights without a training state to go on from. */
export function notResumed(why: string): Finding {
  const message = `not resumed, training starts at step 0 with these weights: ${why}`;
  return warn("LTX6309", message, "if that is meant, `checkpoints.no_resume: true` says so");
}

/** LTX6312: a state with the step alone. */
export function withoutMoments(step: number): Finding {
  const message = `resumed at step ${step}; the optimizer's moments were not saved and start anew`;
  return warn("LTX6312", message, "`checkpoints.save_training_state: full` saves them, too");
}

/** LTX6312: a state of another optimizer. */
export function momentsOfOthers(step: number): Finding {
  const message = `resumed at step ${step}; the state has the moments of another optimizer, and this one's start anew`;
  return warn("LTX6312", message, "to keep them, go on with the optimizer of before");
}

/** Why no training state belongs to a weights file, as text; null if there is one. */
export function whyNoState(weights: string): string | null {
  const path = statePath(weights);
  if (path === null) return `${weights} has no step in its name`;
  if (existsSync(path)) return null;
  const official = officialStatePath(weights) ?? "";
  return existsSync(official) ? `${official} is a state of the official trainer` : `there is no ${path}`;
}

/**
 * The warnings of a run that loads weights, from the names of files and their headers. Those about the weights themselves are left to
 * `checkWeights`.
 * @param own names of the strategy's own tensors, heads and weights
 */
export async function beginningWarnings(
  { model, checkpoints }: RunConfig,
  own: readonly string[],
): Promise<readonly Finding[]> {
  const { load_checkpoint: path } = model;
  if (path === null || !existsSync(path)) return [];
  const weights = await findWeights(path);
  if (weights === null) return [withoutWeights(path)];
  const ofHeads = await examineHeads(weights, own);
  if (checkpoints.no_resume) return ofHeads;
  const why = whyNoState(weights);
  if (why !== null) return [...ofHeads, notResumed(why)];
  const state = statePath(weights) ?? "";
  const saved = await progressIn(state);
  if (saved === null) return [...ofHeads, notResumed(`${state}: it is not a training state`)];
  // A full state has the strategy's own tensors, too.
  return saved.isFull ? [] : [...ofHeads, withoutMoments(saved.step)];
}

/** @throws FindingsError for a file that is not sound, of which `checkState` has said so */
async function progressIn(state: string) {
  const file = await openSafetensors(state);
  await file.close();
  return savedProgress(file.metadata);
}
