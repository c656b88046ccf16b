/** Gradients at a prediction that is off its target: are there any, and do they fit together? */
import type { Engine } from "../../../runtime/index.ts";
import type { ModalityName } from "../../probe/observe.ts";
import { modalityNames } from "../../probe/opened-step.ts";
import type { Subject } from "../../probe/subject.ts";
import { median, norm, ofSample, short } from "./numbers.ts";
import type { TrialBatch } from "../batches.ts";
import { isTermOfPass } from "./own-terms.ts";
import { spanOfValue, type Suspicion } from "./suspicion.ts";
import { atLevel, tryOn, usualPoint, wholeGradient, type Trial } from "./trials.ts";
import { otherParams } from "./effects.ts";

/** Gradients of modalities, and of noise levels, of which one is so many times as large as the others count as unequal. */
const unequal = 100;

/** Loss terms, and modalities, that no gradient comes from or to on any batch. */
export async function deadLosses(engine: Engine, subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const { terms, modalities, outputs, passes } = subject.program;
  const flat: (typeof terms)[number][] = [];
  for (const term of terms) {
    if (trials.some((trial) => gradientOf(trial, term.name) > 0)) continue;
    // Before the first step all calls predict alike, so a bound on how far they are apart is reached later.
    if (trials.every((trial) => lossOf(trial, term.name) === 0) && isTermOfPass(subject, term)) continue;
    if (!(await isSwitchedOff(engine, subject, trials, term.name))) flat.push(term);
  }
  const partsOf = (name: ModalityName) => [
    name,
    ...outputs.flatMap((each) => (each.modality === name ? [each.name] : [])),
    ...passes.map((pass) => `${pass.name}.${name}`),
  ];
  const untrained = modalities.filter(
    ({ name, generated }) =>
      generated && !trials.some((trial) => terms.some((term) => gradientOf(trial, term.name, partsOf(name)) > 0)),
  );
  const reports = flat.map((term): Suspicion => {
    const trial = trials.find(({ batch }) => batch.masks === "box") ?? trials[0];
    const loss = trial === undefined ? 0 : lossOf(trial, term.name);
    return {
      code: "LTX7110",
      span: term.span,
      message: `no gradient of \`${term.name}\` reaches the model on any of ${trials.length} batches; the loss is ${short(loss)}`,
      help: reasonOf(subject, trials, untrained.length > 0),
      batch: trial?.batch ?? null,
      ...(untrained.length > 0 ? { severity: "error" } : {}),
    };
  });
  if (flat.length > 0 || terms.length === 0) return reports;
  return untrained.map(({ name, span }) => ({
    code: "LTX7110",
    span,
    message: `no gradient of any loss reaches \`${name}.prediction\` on any of ${trials.length} batches`,
    help: `add a term that compares \`${name}.prediction\`, or freeze ${name} with \`generate: false\``,
    batch: null,
    severity: "error",
  }));
}

/** The largest loss of a sample. */
const lossOf = ({ off }: Trial, term: string): number => Math.max(...(off.get(term)?.loss.data ?? [0]));

/** The size of a term's gradient by these parts of the prediction, by all if not given; 0 where it is not finite. */
function gradientOf({ off }: Trial, term: string, parts?: readonly string[]): number {
  const gradients = [...(off.get(term)?.gradients ?? [])].filter(([name]) => parts?.includes(name) ?? true);
  const size = Math.hypot(...gradients.map(([, gradient]) => (gradient === null ? 0 : norm(gradient.data))));
  return Number.isFinite(size) ? size : 0;
}

/** Whether another value of a parameter brings the gradient back: then the default switches the term off. */
async function isSwitchedOff(
  engine: Engine,
  subject: Subject,
  trials: readonly Trial[],
  term: string,
): Promise<boolean> {
  const [first] = trials;
  if (first === undefined) return false;
  for (const batch of otherParams(subject, first.batch)) {
    const trial = await tryOn(engine, subject, batch, usualPoint(subject));
    trial.step.close();
    if (gradientOf(trial, term) > 0) return true;
  }
  return false;
}

function reasonOf(subject: Subject, trials: readonly Trial[], isAll: boolean): string {
  const keepsAll = subject.program.modalities.find(({ name }) => {
    const aims = trials.flatMap(({ aims: each }) => each.get(name) ?? []);
    return aims.length > 0 && aims.every(({ generated }) => generated.data.every((value) => value === 0));
  });
  if (isAll && keepsAll !== undefined)
    return `\`${keepsAll.name}.keep\` keeps every token, so nothing is generated: compare its threshold with what the mask holds, here 0 to 1`;
  return "a bound that the loss never leaves (`clamp`, `min`), a mask that is always empty, or an import can end the gradient";
}

/** A modality, or a noise level, whose gradient drowns that of the others. */
export async function unequalGradients(
  engine: Engine,
  subject: Subject,
  trials: readonly Trial[],
): Promise<Suspicion[]> {
  const [first] = trials;
  const levels = first === undefined ? [] : await unequalLevels(engine, subject, first.batch);
  return [...unequalModalities(subject, trials), ...levels];
}

/**
 * For a mean square over n numbers the gradient has length 2 |error| / n, so that of a modality is compared after multiplication with
 * the root of its n.
 */
function unequalModalities(subject: Subject, trials: readonly Trial[]): Suspicion[] {
  const sizes = modalityNames.flatMap((name) => {
    const seen = trials.filter(({ aims }) => aims.has(name));
    const found = seen.map((trial) => {
      const count = trial.aims.get(name)?.target.data.length ?? 0;
      return Math.hypot(...sumOver(subject, trial, name)) * Math.sqrt(count);
    });
    return found.length === 0 ? [] : [{ name, size: median(found) }];
  });
  const [strong, weak] = sizes.toSorted((a, b) => b.size - a.size);
  if (strong === undefined || weak === undefined || !(weak.size > 0) || strong.size < unequal * weak.size) return [];
  const term = subject.program.terms.find(({ modality }) => modality === strong.name);
  const times = short(strong.size / weak.size);
  return [
    {
      code: "LTX7119",
      span: term?.span ?? spanOfValue(subject, `${strong.name}.latents`),
      message: `the gradient of ${strong.name} is ${times} times that of ${weak.name}`,
      help: `the weights of the terms leave nearly nothing of ${weak.name} to train: bring them nearer to each other`,
      batch: trials[0]?.batch ?? null,
    },
  ];
}

/** Lengths of the whole gradient of each sample by one modality. */
function sumOver(subject: Subject, trial: Trial, name: ModalityName): readonly number[] {
  const slopes = subject.program.terms.flatMap((term) => trial.off.get(term.name) ?? []);
  const total = wholeGradient(slopes, name);
  return total === null ? [] : Array.from({ length: total.shape[0] ?? 0 }, (_, i) => norm(ofSample(total, i)));
}

/** Levels near the ends, at which weights of the level have no bound, compared with the middle. */
const [middle, ends] = [0.5, [0.001, 0.999]];

/** The same batch at levels near the ends and in the middle: one that weighs so much more decides alone. */
async function unequalLevels(engine: Engine, subject: Subject, batch: TrialBatch): Promise<Suspicion[]> {
  const at = async (level: number) => {
    const trial = await tryOn(engine, subject, batch, { ...usualPoint(subject), sampler: atLevel(level) });
    trial.step.close();
    return trial;
  };
  const usual = await at(middle);
  const found: Suspicion[] = [];
  for (const level of ends) {
    const trial = await at(level);
    for (const term of subject.program.terms) {
      const times = gradientOf(trial, term.name) / gradientOf(usual, term.name);
      if (!(times > unequal) || !Number.isFinite(times)) continue;
      found.push({
        code: "LTX7119",
        span: term.span,
        message: `at a level of ${level} the gradient of \`${term.name}\` is ${short(times)} times that at ${middle}`,
        help: "a weight without a bound lets a few samples decide: cap it, as `min(weight, 5)` does",
        batch,
      });
    }
  }
  return found;
}

/** A loss that is trained at the beginning of the run and not at its end. */
export function fadesOut(subject: Subject, trials: readonly Trial[]): Suspicion[] {
  const whole = (trial: Trial) => Math.hypot(...subject.program.terms.map(({ name }) => gradientOf(trial, name)));
  const at = (progress: number) =>
    trials.filter(({ batch }) => batch.progress === progress && batch.masks === "scattered");
  const [begin, end] = [Math.max(0, ...at(0).map(whole)), Math.max(0, ...at(1).map(whole))];
  const [term] = subject.program.terms;
  if (term === undefined || begin === 0 || end > 0) return [];
  return [
    {
      code: "LTX7125",
      span: term.span,
      message: `at the end of the run the gradient is 0; at its beginning it is ${short(begin)}`,
      help: "`progress` runs from 0 to 1: a weight such as `1 - progress` needs another term that goes on, or a floor above 0",
      batch: at(1)[0]?.batch ?? null,
    },
  ];
}
