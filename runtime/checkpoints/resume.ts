import { existsSync } from "node:fs";
import type { RunConfig } from "../config/run-config.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { findWeights, statePath } from "./checkpoint-files.ts";
import { changes, type Change, type Fingerprint } from "../training/fingerprint.ts";
import { savedFingerprint } from "./training-state.ts";

/**
 * Compares the run with the training state that it would resume from; only the state's header is read. A state that cannot be read is
 * left to `loadCheckpoint`, which warns.
 * @param now fingerprint of the run that is about to start
 * @throws FindingsError with an LTX6314 for each thing that changed since the state was saved, unless `runtime.resume_anyway`
 */
export async function checkResume(config: RunConfig, now: Fingerprint): Promise<void> {
  const { load_checkpoint: path } = config.model;
  if (path === null || config.checkpoints.no_resume || config.runtime.resume_anyway || !existsSync(path)) return;
  const weights = await findWeights(path);
  const state = weights === null ? null : statePath(weights);
  const before = state === null ? null : await fingerprintIn(state);
  if (state === null || before === null) return;
  const findings = changes(before, now).map((change) => refusal(change, state));
  if (findings.length > 0) throw new FindingsError(findings);
}

async function fingerprintIn(state: string): Promise<Fingerprint | null> {
  const file = await openSafetensors(state).catch((error: unknown) => {
    if (error instanceof FindingsError) return null;
    throw error;
  });
  if (file === null) return null;
  await file.close();
  return savedFingerprint(file.metadata);
}

function refusal({ path, name, before, now }: Change, state: string): Finding {
  return {
    code: "LTX6314",
    severity: "error",
    path,
    message: `${name} was ${before} when ${state} was saved, and is now ${now}`,
    help: "set it back, go on with `ltxc run --resume-anyway`, or begin at step 0 with these weights by `checkpoints.no_resume: true`",
  };
}
