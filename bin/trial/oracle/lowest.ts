/** Whether the loss is lowest where the prediction is exactly the target, and training leads there. */
import type { ModalityName } from "../../probe/observe.ts";
import type { Slope } from "../../probe/opened-step.ts";
import type { Subject } from "../../probe/subject.ts";
import { rms, short } from "./numbers.ts";
import type { Suspicion } from "./suspicion.ts";
import {
  atRandom,
  atTarget,
  eachEntry,
  lossesAt,
  onlyOff,
  totalOf,
  wholeGradient,
  type Aim,
  type Guess,
  type Losses,
  type Trial,
} from "./trials.ts";

/**
 * The loss may fall below that at the target by this share of what an error of 1 costs. A minimum at a distance d falls by about d²: this
 * is a distance of 0.22, while negatives of contrastive losses move it by 0.05.
 */
const lowerShare = 0.05;

/** Steps from the target against the gradient, as a part of the target's own size. */
const strides = [0.1, 0.3, 1, 2] as const;

/** Where the prediction is exactly the target, no step may make the loss much lower. */
export async function lowestAtTarget(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const { name, generated } of subject.program.modalities) {
    if (!generated) continue;
    let [gained, cost] = [0, 0];
    const byTerm = new Map<string, number>();
    for (const trial of trials) {
      const aim = trial.aims.get(name);
      if (aim === undefined) continue;
      const here = await lossesAt(trial, atTarget);
      const lowest = await lowestAlong(subject, trial, name, { aim, here });
      const drop = totalOf(here) - totalOf(lowest);
      if (!Number.isFinite(drop)) continue;
      gained += Math.max(0, drop);
      cost += Math.max(0, totalOf(await lossesAt(trial, onlyOff(name))) - totalOf(here));
      for (const [term, loss] of here) byTerm.set(term, (byTerm.get(term) ?? 0) + loss - (lowest.get(term) ?? 0));
    }
    if (!(gained > lowerShare * cost) || gained < 1e-6) continue;
    found.push(notLowest(subject, name, { gained, cost, byTerm, trial: trials[0] }));
  }
  return found;
}

async function lowestAlong(
  subject: Subject,
  trial: Trial,
  name: ModalityName,
  { aim, here }: { readonly aim: Aim; readonly here: Losses },
): Promise<Losses> {
  let lowest = here;
  const moved = await directionAt(subject, trial, name, aim, atTarget);
  const scale = rms(aim.target.data) / rms(moved);
  if (!Number.isFinite(scale)) return lowest;
  for (const stride of strides) {
    const losses = await lossesAt(trial, (each, entry, modality) => {
      const target = atTarget(each, entry, modality);
      return modality === name ? target - stride * scale * (moved[entry] ?? 0) : target;
    });
    if (totalOf(losses) < totalOf(lowest)) lowest = losses;
  }
  return lowest;
}

/** The gradient of all terms by the target's tokens; empty where they do not depend on them. */
async function directionAt(
  subject: Subject,
  trial: Trial,
  name: ModalityName,
  aim: Aim,
  guess: Guess,
): Promise<Float64Array> {
  const predicted = trial.at(guess);
  const slopes: Slope[] = [];
  for (const { name: term } of subject.program.terms) slopes.push(await trial.step.slope(term, predicted));
  const gradient = wholeGradient(slopes, name);
  if (gradient === null) return new Float64Array();
  const moved = new Float64Array(aim.target.data.length);
  eachEntry(aim, (at, entry) => (moved[entry] = gradient.data[at] ?? 0));
  return moved;
}

function notLowest(
  { program }: Subject,
  name: ModalityName,
  seen: { readonly gained: number; readonly cost: number; readonly byTerm: Losses; readonly trial: Trial | undefined },
): Suspicion {
  const [blamed] = program.terms.toSorted((a, b) => (seen.byTerm.get(b.name) ?? 0) - (seen.byTerm.get(a.name) ?? 0));
  const share =
    seen.cost > 0 ? `${short((100 * seen.gained) / seen.cost)} % of what an error of 1 costs` : short(seen.gained);
  return {
    code: "LTX7111",
    span: blamed?.span ?? { start: 0, end: 0 },
    message: `where \`${name}.prediction\` is exactly \`${name}.target\`, the loss can still fall, by ${share}`,
    help: "the model learns whatever makes the loss lowest: compare both sides after the same mask, shift and factor, and weigh what else it adds less",
    batch: seen.trial?.batch ?? null,
  };
}

/** The length of the step from a random prediction, as a part of the prediction's own size. */
const shortStep = 0.05;
/** Losses that only some samples go by, such as preferences, lead half of them away. */
const awayShare = 0.9;

/** A step against the gradient makes `denoised` nearer to the clean tokens; without `denoised`, the prediction nearer to the target. */
export async function stepLeadsAway(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const { name, generated } of subject.program.modalities) {
    const grew: boolean[] = [];
    for (const trial of trials) {
      const aim = trial.aims.get(name);
      if (aim !== undefined) grew.push(...(await growing(subject, trial, name, aim)));
    }
    const [term] = subject.program.terms.filter(({ modality }) => modality === name);
    const away = grew.filter(Boolean).length;
    if (!generated || term === undefined || grew.length === 0 || away < awayShare * grew.length) continue;
    found.push({
      code: "LTX7112",
      span: term.span,
      message: `a step against the gradient leads away from the clean tokens of ${name}, for ${away} of ${grew.length} samples`,
      help: "look at the signs of the loss and of what it compares the prediction with",
      batch: trials[0]?.batch ?? null,
    });
  }
  return found;
}

/** For each sample with a gradient whether the distance grows. */
async function growing(subject: Subject, trial: Trial, name: ModalityName, aim: Aim): Promise<readonly boolean[]> {
  const direction = await directionAt(subject, trial, name, aim, atRandom);
  const samples = aim.target.shape[0] ?? 0;
  const own = direction.length / samples;
  const scales = Array.from({ length: samples }, (_, i) => shortStep / rms(direction.subarray(i * own, (i + 1) * own)));
  const stepped: Guess = (each, entry, modality) =>
    atRandom(each, entry, modality) -
    (modality === name ? (scales[Math.floor(entry / own)] ?? 0) * (direction[entry] ?? 0) : 0);
  const [before, after] = [await distances(trial, name, aim, atRandom), await distances(trial, name, aim, stepped)];
  return scales.flatMap((scale, i) => (Number.isFinite(scale) ? [(after[i] ?? 0) > (before[i] ?? 0)] : []));
}

async function distances(trial: Trial, name: ModalityName, aim: Aim, guess: Guess): Promise<readonly number[]> {
  const [denoised, clean] = [`${name}.denoised`, `${name}.clean`];
  const values = await trial.step.values([denoised, clean], trial.at(guess));
  const [from, to] = [values.get(denoised), values.get(clean)];
  const guessed = aim.target.data.map((_, entry) => guess(aim, entry, name));
  const [x, y] = from === undefined || to === undefined ? [guessed, aim.target.data] : [from.data, to.data];
  const samples = aim.target.shape[0] ?? 0;
  const own = x.length / samples;
  return Array.from({ length: samples }, (_, i) =>
    rms(Array.from({ length: own }, (__, at) => (x[i * own + at] ?? 0) - (y[i * own + at] ?? 0))),
  );
}
