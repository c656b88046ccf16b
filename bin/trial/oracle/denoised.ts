/** Whether `target`, `noisy` and `denoised` of a file belong together. */
import type { ModalityName } from "../../probe/observe.ts";
import type { Subject } from "../../probe/subject.ts";
import { short } from "./numbers.ts";
import { isWritten, spanOfValue, type Suspicion } from "./suspicion.ts";
import { apart, atTarget, type Trial } from "./trials.ts";

/**
 * A file's `denoised` may be off the clean tokens by this share of their size: latents and targets are rounded to bfloat16, and noise that is
 * perturbed by a tenth, as in "Input Perturbation Reduces Exposure Bias" (Ning et al. 2023), gives up to 0.07.
 */
const denoisedShare = 0.15;

/** With a perfect prediction `denoised` is clean; without `denoised` the target is the velocity that the base model predicts. */
export async function denoisedFits(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const { name, generated } of subject.program.modalities) {
    const own = (field: string) => isWritten(subject, `${name}.${field}`);
    if (!generated || !(own("target") || own("noisy") || own("denoised"))) continue;
    const [trial] = trials;
    const aim = trial?.aims.get(name);
    if (trial === undefined || aim === undefined) continue;
    const keys = ["clean", "noise", "denoised"].map((field) => `${name}.${field}`);
    const values = await trial.step.values(keys, trial.at(atTarget));
    const [clean, noise, denoised] = keys.map((key) => values.get(key)?.data);
    if (clean === undefined) continue;
    const isOff = own("denoised") && denoised !== undefined ? apart(aim, denoised, clean) : 0;
    if (isOff > denoisedShare) found.push(denoisedOff(subject, name, isOff, trial));
    if (own("denoised") || !own("target") || noise === undefined) continue;
    const velocity = Float32Array.from(noise, (value, i) => value - (clean[i] ?? 0));
    const off = apart(aim, aim.target.data, velocity);
    if (off > targetShare)
      found.push(
        notVelocity(subject, name, {
          off,
          isReversed:
            apart(
              aim,
              aim.target.data,
              velocity.map((x) => -x),
            ) < denoisedShare,
          trial,
        }),
      );
  }
  return found;
}

/** A target may differ from the velocity by this share of its size, before `denoised` has to say what it is. */
const targetShare = 0.5;

function denoisedOff(subject: Subject, name: ModalityName, off: number, { batch }: Trial): Suspicion {
  return {
    code: "LTX7113",
    span: spanOfValue(subject, `${name}.denoised`),
    message: `where \`${name}.prediction\` is exactly the target, \`${name}.denoised\` differs from the clean tokens by ${short(100 * off)} % of their size`,
    help: "solve `noisy` and `target` for the clean tokens: for a target of `noise - clean` that is `noisy - timesteps * prediction`",
    batch,
  };
}

function notVelocity(
  subject: Subject,
  name: ModalityName,
  { off, isReversed, trial }: { readonly off: number; readonly isReversed: boolean; readonly trial: Trial },
): Suspicion {
  return {
    code: "LTX7114",
    span: spanOfValue(subject, `${name}.target`),
    message: isReversed
      ? `\`${name}.target\` is the velocity with the wrong sign`
      : `\`${name}.target\` differs from the velocity \`noise - clean\` by ${short(100 * off)} % of its size`,
    help: isReversed
      ? "the base model and its samplers take the prediction for `noise - clean`: leave `target` out"
      : "the base model and its samplers take the prediction for `noise - clean`; if another target is meant, write under `denoised` how the clean tokens follow from it",
    batch: trial.batch,
  };
}
