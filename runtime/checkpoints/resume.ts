import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { RunConfig } from "../config/run-config.ts";
import { openSafetensors, type SafetensorsFile } from "../files/safetensors/index.ts";
import { fail, FindingsError, type Finding } from "../findings.ts";
import { findWeights, statePath, stepOf } from "./checkpoint-files.ts";
import { lastBefore } from "./last-saved.ts";
import { metadataOf, runKey } from "./prune.ts";
import {
  changes,
  drawsByOthers,
  evaluatesOthers,
  otherEngine,
  type Change,
  type ComputedBy,
  type Fingerprint,
} from "../training/fingerprint.ts";
import { some } from "../some.ts";
import { savedFingerprint, strayState } from "./training-state.ts";

/**
 * Compares the run with the training state that it would resume from; only the state's header is read. A state that cannot be read is
 * left to `loadCheckpoint`, which warns.
 * @param now fingerprint of the run that is about to start
 * @param fileOf the path of a sample's file, by which changed files are named
 * @throws FindingsError with an LTX6314 for each thing that changed since the state was saved, unless `runtime.resume_anyway`; with an
 * LTX6150 when the state is damaged
 */
export async function checkResume(config: RunConfig, now: Fingerprint, fileOf?: FileOf): Promise<void> {
  const { load_checkpoint: path } = config.model;
  if (path === null || config.checkpoints.no_resume || config.runtime.resume_anyway || !existsSync(path)) return;
  const weights = await findWeights(path);
  const state = weights === null ? null : statePath(weights);
  const before = state === null ? null : await fingerprintIn(state);
  if (weights === null || state === null || before === null) return;
  const findings = changes(before, now).map((change) => refusal(change, state, fileOf));
  if (findings.length === 0) return;
  await verifyState(state, weights);
  throw new FindingsError(findings);
}

/**
 * Judges the training state that the run would resume from, by its header.
 * @param isThorough reads the whole of it
 * @throws FindingsError LTX6150 when it is damaged, or belongs to another step
 */
export async function checkState({ model, checkpoints }: RunConfig, isThorough: boolean): Promise<void> {
  const { load_checkpoint: path } = model;
  if (path === null || checkpoints.no_resume || !existsSync(path)) return;
  const weights = await findWeights(path);
  const state = weights === null ? null : statePath(weights);
  if (weights === null || state === null || !existsSync(state)) return;
  await openedState(state, weights, async (file) => {
    const stray = strayState(file.metadata, stepOf(weights));
    if (stray !== null) throw ofStray(`${state}: ${stray}`);
    if (isThorough) await file.verify();
  });
}

/**
 * Whether a run that has done `done` steps has any left.
 * @throws FindingsError LTX6306 if not
 */
export function checkStepsLeft({ optimization: { steps } }: RunConfig, done: number): void {
  if (done < steps) return;
  const help = `\`steps\` counts from the very beginning: write more than ${done}, or begin anew with \`ltxc run --new\``;
  fail("LTX6306", `nothing is left to do: ${done} of ${steps} steps are done`, help, ["optimization", "steps"]);
}

/** What a damaged state says of its run is worth nothing. @throws FindingsError LTX6150 */
const verifyState = (state: string, weights: string): Promise<void> =>
  openedState(state, weights, (file) => file.verify());

/** @throws FindingsError LTX6150 for a state that cannot be read, and where `use` finds it damaged */
async function openedState(
  state: string,
  weights: string,
  use: (file: SafetensorsFile) => Promise<void>,
): Promise<void> {
  const file = await openSafetensors(state).catch((error: unknown) => failDamaged(error, weights));
  try {
    await use(file);
  } catch (error) {
    await failDamaged(error, weights);
  } finally {
    await file.close();
  }
}

/** To begin at step 0 because a state is damaged would throw away the work that it stands for: the user decides. @throws FindingsError LTX6150 */
export async function failDamaged(error: unknown, weights: string): Promise<never> {
  if (!(error instanceof FindingsError)) throw error;
  const message = error.findings.map((finding) => finding.message).join("; ");
  const before = await lastBefore(weights);
  const goOn =
    before === null
      ? "no checkpoint before it is whole"
      : `go on from the checkpoint before it: \`model.load_checkpoint: ${before}\``;
  const help = `${goOn}; or begin at step 0 with these weights by \`checkpoints.no_resume: true\``;
  fail("LTX6150", message, help, ["model", "load_checkpoint"]);
}

/** A state of another step would go on with that one's count. @throws FindingsError LTX6150 */
export const failStray = (message: string, weights: string): Promise<never> => failDamaged(ofStray(message), weights);

const ofStray = (message: string): FindingsError =>
  new FindingsError([{ code: "LTX6150", severity: "error", path: ["model", "load_checkpoint"], message }]);

/** What a run would go on from. */
export interface ResumePoint {
  readonly weights: string;
  readonly step: number;
  /** In what the run differs from the one that saved it. */
  readonly changes: readonly Change[];
  /** Whether its losses at evaluations and those from now on are of different samples. */
  readonly evaluatesOthers: boolean;
  /** Settings of samples to draw whose files have other contents now. */
  readonly drawsByOthers: readonly string[];
  /** Of the run that saved it; null in files of earlier versions. */
  readonly run: string | null;
}

/** What a run would go on from with these weights; null if they have no training state that can be read. */
export async function resumePointAt(weights: string, now: Fingerprint): Promise<ResumePoint | null> {
  const state = statePath(weights);
  const before = state === null || !existsSync(state) ? null : await fingerprintIn(state);
  if (before === null) return null;
  const run = (await metadataOf(weights))?.[runKey] ?? null;
  const compared = {
    changes: changes(before, now),
    evaluatesOthers: evaluatesOthers(before, now),
    drawsByOthers: drawsByOthers(before, now),
  };
  return { weights, step: stepOf(weights), ...compared, run };
}

/** What `model.load_checkpoint` lets a run go on from; null if it begins at step 0. */
export async function resumePointOf({ model, checkpoints }: RunConfig, now: Fingerprint): Promise<ResumePoint | null> {
  const { load_checkpoint: path } = model;
  if (path === null || checkpoints.no_resume || !existsSync(path)) return null;
  const weights = await findWeights(path);
  return weights === null ? null : resumePointAt(weights, now);
}

/** LTX6164 and LTX6186 where evaluation losses and samples do not compare with those of before. */
export function curveWarnings(point: ResumePoint | null): readonly Finding[] {
  return point === null ? [] : [...ofEvaluation(point), ...ofSamples(point)];
}

function ofSamples({ drawsByOthers: settings, step }: ResumePoint): readonly Finding[] {
  if (settings.length === 0) return [];
  const files = some(settings.map((setting) => `\`${setting}\``));
  const message = `what ${files} name${settings.length === 1 ? "s" : ""} has other contents than up to step ${step}: the samples of before and after do not compare`;
  const help = "put the files back as they were, or draw in another `output_dir`; the training does not depend on them";
  return [{ code: "LTX6186", severity: "warning", path: ["validation", "samples"], message, help }];
}

function ofEvaluation(point: ResumePoint): readonly Finding[] {
  if (!point.evaluatesOthers) return [];
  const message = `the samples to evaluate with are others than up to step ${point.step}, or have other contents: the evaluation losses do not compare`;
  const help = "put their files back as they were, or begin a new curve in another `output_dir`";
  return [{ code: "LTX6164", severity: "warning", path: ["evaluation"], message, help }];
}

/** LTX6194 where a run goes on with another engine, or in another precision, than computed it so far. */
export async function engineWarnings({ model, checkpoints }: RunConfig, now: ComputedBy): Promise<readonly Finding[]> {
  const { load_checkpoint: path } = model;
  if (path === null || checkpoints.no_resume || !existsSync(path)) return [];
  const weights = await findWeights(path);
  const state = weights === null ? null : statePath(weights);
  const saved = state === null || !existsSync(state) ? null : await fingerprintIn(state);
  const before = saved === null ? null : otherEngine(saved, now);
  if (weights === null || before === null) return [];
  const change = `the engine was ${engineText(before)} up to step ${stepOf(weights)}, and is now ${engineText(now)}`;
  const message = `${change}: the run goes on, but not bit for bit as if it had never stopped`;
  const help = `to stay with the engine: \`${asBefore(before, now).join(" ")}\``;
  return [{ code: "LTX6194", severity: "warning", path: ["runtime", "engine"], message, help }];
}

const engineText = ({ engine, provider, precision }: ComputedBy): string =>
  `${engine}${typeof provider === "string" ? ` on ${provider}` : ""} in ${precision}`;

/** The options of `ltxc run` that take the engine of `before`. */
function asBefore(before: ComputedBy, now: ComputedBy): readonly string[] {
  const mode = before.precision === "bfloat16" ? "bf16" : '"no"';
  return [
    `runtime.engine=${before.engine}`,
    ...(typeof before.provider === "string" ? [`runtime.provider=${before.provider}`] : []),
    ...(before.precision === now.precision ? [] : [`acceleration.mixed_precision_mode=${mode}`]),
  ].map((setting) => `--set ${setting.includes('"') ? `'${setting}'` : setting}`);
}

/**
 * The id of a run: that of the one that it goes on with, unless it differs from it. A run that begins has a hash of all that its steps
 * follow from, so that the same settings give the same files, byte for byte.
 */
export function runIdOf(config: RunConfig, now: Fingerprint, point: ResumePoint | null): string {
  if (point?.changes.length === 0 && point.run !== null) return point.run;
  const { steps: _steps, ...optimization } = config.optimization;
  const from = point?.weights ?? config.model.load_checkpoint;
  const begun = from === null ? null : basename(from);
  const { held_out: _heldOut, drawn: _drawn, ...ofSteps } = now;
  const text = JSON.stringify([
    ofSteps,
    optimization,
    config.lora,
    config.flow_matching,
    config.evaluation.samples,
    begun,
  ]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
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

type FileOf = (role: string, sample: number) => string;

function filesText(files: NonNullable<Change["files"]>, fileOf: FileOf): string {
  return some(files.map(({ role, sample }) => fileOf(role, sample)));
}

function refusal(
  { path, name, before, now, files }: Change,
  state: string,
  fileOf: FileOf = (role, sample) => `\`${role}\` of sample ${sample + 1}`,
): Finding {
  return {
    code: "LTX6314",
    severity: "error",
    path,
    message:
      files === undefined
        ? `${name} was ${before} when ${state} was saved, and is now ${now}`
        : `${name} have other contents than when ${state} was saved: ${filesText(files, fileOf)}`,
    help: "set it back, go on with `ltxc run --resume-anyway`, or begin at step 0 with these weights by `checkpoints.no_resume: true` in another folder",
  };
}
