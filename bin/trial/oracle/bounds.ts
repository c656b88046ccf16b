/** Losses without a bound below, and losses that grow with the size of a video. */
import type { Subject } from "../../probe/subject.ts";
import { mean, ofSample, short, sum } from "./numbers.ts";
import type { Suspicion } from "./suspicion.ts";
import type { Trial } from "./trials.ts";

/** Distances from the target, in the direction of the same error. */
const distances = [1, 10, 100] as const;

/** Loss terms that fall below 0, and the further the prediction is off its target. */
export async function fallsWithoutEnd(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  for (const trial of trials) {
    const [samples = 0] = [...trial.aims.values()][0]?.target.shape ?? [];
    const series: Awaited<ReturnType<typeof trial.step.losses>>[] = [];
    for (const distance of distances)
      series.push(
        await trial.step.losses(
          trial.at((aim, entry) => (aim.target.data[entry] ?? 0) + distance * (aim.error[entry] ?? 0)),
        ),
      );
    for (let sample = 0; sample < samples; sample++) {
      const totals = series.map((losses) => sum([...losses.values()].map((loss) => mean(ofSample(loss, sample)))));
      const [near = 0, far = 0, farther = 0] = totals;
      if (!(farther < far && far < near && farther < 0)) continue;
      const [term] = subject.program.terms.toSorted(
        (a, b) => lossOf(series.at(-1), a.name, sample) - lossOf(series.at(-1), b.name, sample),
      );
      if (term === undefined) continue;
      const numbers = totals.map(short).join(", ");
      return [
        {
          code: "LTX7118",
          span: term.span,
          message: `the loss falls the further the prediction is off its target: for sample ${sample} it is ${numbers} at an error of ${distances.join(", ")}`,
          help: "a difference needs a square or `abs`, a weight must not be below 0, and what is subtracted must stay smaller than what is added",
          batch: trial.batch,
        },
      ];
    }
  }
  return [];
}

function lossOf(
  losses: Awaited<ReturnType<Trial["step"]["losses"]>> | undefined,
  term: string,
  sample: number,
): number {
  const loss = losses?.get(term);
  return loss === undefined ? 0 : mean(ofSample(loss, sample));
}

/** Between batches of which one has five times the tokens of the other, a mean stays and a sum grows by 5. */
const growth = 3;

/** Terms that grow with the number of tokens. */
export function growsWithSize(subject: Subject, trials: readonly Trial[]): Suspicion[] {
  return subject.program.terms.flatMap(({ name, span, modality }): Suspicion[] => {
    const of = (progress: number) =>
      trials.filter(({ batch }) => batch.masks === "scattered" && batch.progress === progress);
    const ratios = [0, 0.5, 1].flatMap((progress) => {
      const [few, many] = of(progress).map((trial) => mean(Array.from(trial.off.get(name)?.loss.data ?? [], Math.abs)));
      return few !== undefined && many !== undefined && few > 1e-9 ? [many / few] : [];
    });
    const trial = of(0).at(-1);
    const tokens = of(0).map(({ aims }) => aims.get(modality)?.target.shape[1] ?? 0);
    if (ratios.length < 3 || ratios.some((ratio) => ratio < growth)) return [];
    return [
      {
        code: "LTX7120",
        span,
        message: `\`${name}\` grows with the number of tokens: ${short(mean(ratios))} times as large for ${tokens[1]} tokens as for ${tokens[0]}`,
        help: "large videos would outweigh small ones, and the learning rate depend on the resolution: take a mean in place of the sum",
        batch: trial?.batch ?? null,
      },
    ];
  });
}
