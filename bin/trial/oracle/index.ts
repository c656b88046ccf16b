/**
 * The oracle: tries on made-up batches, by the engine's own gradients, whether a strategy trains what a strategy can be meant to train. It
 * asks for no annotation. What it looks at, and from which number on it speaks, stands next to each check.
 */
import { withoutAllowed, type Code, type Diagnostic } from "../../../compiler/diagnostics/index.ts";
import type { Engine } from "../../../runtime/index.ts";
import type { Subject } from "../../probe/subject.ts";
import { withoutEffect } from "./effects.ts";
import { imagesKeptWhole, wrongPolarity } from "./masks.ts";
import { unseenReferences } from "./references.ts";
import { isOfPass, withOwnTerms } from "./own-terms.ts";
import { drivenAway } from "./preferences.ts";
import { bothTrained, fallsFromStart, nothingToLearn } from "./start.ts";
import { deadLosses, fadesOut, unequalGradients } from "./gradients.ts";
import { blindTo } from "./blind.ts";
import { fallsWithoutEnd, growsWithSize } from "./bounds.ts";
import { denoisedFits } from "./denoised.ts";
import { reachesKept } from "./kept.ts";
import { lowestAtTarget, stepLeadsAway } from "./lowest.ts";
import { noisyAtEnds, unusualLevels, unusualNoise } from "./noise.ts";
import { asDiagnostic, type Suspicion } from "./suspicion.ts";
import { imageBatches, openOn, oracleBatches, tryOn, usualPoint, type Trial } from "./trials.ts";

/** What the compiler already says of the same mistake: its finding is enough, and so is a comment that allows it. */
const sameMistake: Readonly<Partial<Record<Code, readonly Code[]>>> = {
  LTX5042: ["LTX5042"],
  LTX7110: ["LTX5031", "LTX5039"],
  LTX7111: ["LTX5043", "LTX5030"],
  LTX7113: ["LTX5044"],
  LTX7114: ["LTX5044"],
  LTX7115: ["LTX5032", "LTX5033"],
  LTX7116: ["LTX5044"],
  LTX7118: ["LTX5043"],
  LTX7119: ["LTX5035"],
  LTX7121: ["LTX5036"],
  LTX7124: ["LTX5037"],
  LTX7125: ["LTX5039"],
};

/** @param known what the compiler and the other checks found */
export async function consult(
  engine: Engine,
  subject: Subject,
  seed: number,
  known: readonly Diagnostic[],
): Promise<readonly Diagnostic[]> {
  const trials: Trial[] = [];
  for (const batch of oracleBatches(subject, seed))
    trials.push(await tryOn(engine, subject, batch, usualPoint(subject)));
  const suspicions = await suspicionsOf(engine, subject, trials, seed);
  for (const { step } of trials) step.close();
  const codes = new Set(known.map(({ code }) => code));
  const found = suspicions
    .filter(({ code }) => !(sameMistake[code] ?? []).some((same) => codes.has(same)))
    .map((suspicion) => asDiagnostic(subject, suspicion));
  return found.filter((finding) => isUnallowed(subject, finding));
}

function isUnallowed({ file }: Subject, finding: Diagnostic): boolean {
  const codes = [finding.code, ...(sameMistake[finding.code] ?? [])];
  return codes.every((code) => withoutAllowed(file, [{ ...finding, code }]).length > 0);
}

async function suspicionsOf(
  engine: Engine,
  subject: Subject,
  trials: readonly Trial[],
  seed: number,
): Promise<readonly Suspicion[]> {
  const [first, , , second] = trials;
  if (first === undefined || second === undefined) return [];
  const dead = await deadLosses(engine, subject, trials);
  // Without a gradient there is nothing further to say of the loss, and what it reads has no effect.
  if (dead.some(({ severity }) => severity === "error")) return dead;
  const few = [first, second];
  const meaning =
    subject.program.passes.length > 0
      ? await ofSeveralCalls(engine, subject, few)
      : await ofOneCall(engine, subject, few);
  if (meaning.some(({ severity }) => severity === "error")) return meaning;
  return [
    ...dead,
    ...(await onImages(engine, subject, seed)),
    ...meaning,
    ...(await unusualNoise(subject, trials)),
    ...(await unusualLevels(subject, trials)),
    ...(await unequalGradients(engine, subject, trials)),
    ...fadesOut(subject, trials),
    ...reachesKept(subject, trials),
    ...growsWithSize(subject, trials),
    ...wrongPolarity(subject, trials),
    ...(await unseenReferences(subject, trials)),
    ...(await withoutEffect(engine, subject, [second.batch, ...softBatch(trials)])),
  ];
}

/** Where the loss leads: to the target, and `denoised` with it to the clean tokens. */
async function ofOneCall(engine: Engine, subject: Subject, few: readonly Trial[]): Promise<readonly Suspicion[]> {
  const [, second] = few;
  const falls = await fallsWithoutEnd(subject, few);
  const denoised = await denoisedFits(subject, few);
  return [
    ...falls,
    ...(falls.length > 0 ? [] : await notAtTarget(subject, few)),
    ...denoised,
    ...(denoised.length > 0 || second === undefined ? [] : await noisyAtEnds(engine, subject, second.batch)),
  ];
}

/** What a loss of several calls leads to depends on the model; what can be said is how it begins, and of the terms of the own call. */
async function ofSeveralCalls(engine: Engine, subject: Subject, few: readonly Trial[]): Promise<readonly Suspicion[]> {
  const idle = await nothingToLearn(subject, few);
  if (idle.length > 0) return idle;
  const falls = await fallsFromStart(subject, few);
  const away = falls.length > 0 ? [] : await drivenAway(subject, few);
  const both = await bothTrained(subject, few);
  return [
    ...falls,
    ...away,
    ...both,
    ...(falls.length + away.length > 0 ? [] : await ofOwnTerms(engine, subject, few)),
  ];
}

async function ofOwnTerms(engine: Engine, subject: Subject, few: readonly Trial[]): Promise<readonly Suspicion[]> {
  const own = withOwnTerms(subject);
  if (own === null) return [];
  const trials: Trial[] = [];
  for (const { batch } of few) trials.push(await tryOn(engine, own, batch));
  const denoised = await denoisedFits(own, trials);
  const found = [...(await notAtTarget(own, trials)), ...denoised];
  for (const { step } of trials) step.close();
  const [, second] = few;
  const isMadeByPasses = own.program.modalities.some(({ name }) => isOfPass(own, `${name}.noisy`));
  return denoised.length > 0 || isMadeByPasses || second === undefined
    ? found
    : [...found, ...(await noisyAtEnds(engine, own, second.batch))];
}

async function onImages(engine: Engine, subject: Subject, seed: number): Promise<readonly Suspicion[]> {
  const images = imageBatches(subject, seed).map((batch) => ({ batch, step: openOn(engine, subject, batch) }));
  const found = await imagesKeptWhole(subject, images);
  for (const { step } of images) step.close();
  return found;
}

/** One finding for a loss that leads elsewhere. */
async function notAtTarget(subject: Subject, trials: readonly Trial[]): Promise<readonly Suspicion[]> {
  const lower = await lowestAtTarget(subject, trials);
  if (lower.length > 0) return lower;
  const away = await stepLeadsAway(subject, trials);
  return away.length > 0 ? away : await blindTo(subject, trials);
}

/** Soft masks, so that a threshold between 0 and 1 has an effect. */
const softBatch = (trials: readonly Trial[]) =>
  trials.map(({ batch }) => batch).filter(({ masks }) => masks === "soft");
