/** Errors of the prediction that a loss does not see. */
import type { ModalityName } from "../../probe/observe.ts";
import type { Subject } from "../../probe/subject.ts";
import type { Suspicion } from "./suspicion.ts";
import { atTarget, lossesAt, onlyOff, totalOf, type Aim, type Guess, type Losses, type Trial } from "./trials.ts";

/** Errors that every loss should see, by what they add to the target. */
const errors: readonly { readonly what: string; readonly guess: (name: ModalityName) => Guess }[] = [
  { what: "twice the target", guess: (name) => added(name, (aim, entry) => aim.target.data[entry] ?? 0) },
  { what: "off by the same number everywhere", guess: (name) => added(name, () => 1) },
  {
    what: "off by opposite numbers in neighbouring channels",
    guess: (name) => added(name, ({ target }, entry) => (channelOf(target.shape, entry) % 2 === 0 ? 1 : -1)),
  },
  {
    what: "off by opposite numbers in neighbouring tokens",
    guess: (name) => added(name, ({ target }, entry) => (tokenOf(target.shape, entry) % 2 === 0 ? 1 : -1)),
  },
];

function added(name: ModalityName, error: (aim: Aim, entry: number) => number): Guess {
  return (aim, entry, modality) => atTarget(aim, entry, modality) + (modality === name ? error(aim, entry) : 0);
}

const channelOf = (shape: readonly number[], entry: number): number => entry % (shape[2] ?? 1);
const tokenOf = (shape: readonly number[], entry: number): number =>
  Math.floor(entry / (shape[2] ?? 1)) % (shape[1] ?? 1);

/** A loss that is unchanged by one of them is blind to it: below this share of what an error of 1 costs. */
const blindShare = 1e-4;

/** Errors of the prediction that change the loss on no batch. */
export async function blindTo(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const { name, generated } of subject.program.modalities) {
    const [term] = subject.program.terms.filter(({ modality }) => modality === name);
    if (!generated || term === undefined) continue;
    const exact: Losses[] = [];
    for (const trial of trials) exact.push(await lossesAt(trial, atTarget));
    const cost = await mostChanged(trials, exact, onlyOff(name));
    if (!(cost > 0)) continue;
    for (const { what, guess } of errors) {
      const change = await mostChanged(trials, exact, guess(name));
      if (change > blindShare * cost) continue;
      found.push({
        code: "LTX7124",
        span: term.span,
        message: `the loss is the same where \`${name}.prediction\` is ${what}`,
        help: `nothing keeps the model from such errors: compare \`${name}.prediction\` itself, by \`mse\` or \`mae\`, in one of the terms`,
        batch: trials[0]?.batch ?? null,
      });
      break;
    }
  }
  return found;
}

/** @param exact the losses at the target, on each batch */
async function mostChanged(trials: readonly Trial[], exact: readonly Losses[], guess: Guess): Promise<number> {
  let most = 0;
  for (const [i, trial] of trials.entries()) {
    const change = totalOf(await lossesAt(trial, guess)) - totalOf(exact[i] ?? new Map());
    most = Math.max(most, Number.isFinite(change) ? Math.abs(change) : Infinity);
  }
  return most;
}
