/** Loss terms that train tokens which are kept clean. */
import { modalityNames } from "../../probe/opened-step.ts";
import type { Subject } from "../../probe/subject.ts";
import { norm, short } from "./numbers.ts";
import type { Suspicion } from "./suspicion.ts";
import { eachEntry, type Aim, type Trial } from "./trials.ts";

/** Less than this share of a gradient is a rounding of masks that are numbers. */
const leastShare = 0.01;

/**
 * Terms of whose gradient a part reaches kept tokens. Those are clean, and what the model says of them is not used: a mean trains it
 * on nothing, and a maximum or a quantile may be theirs alone. The compiler judges `mse(…) over …`; this sees all other ways to add up.
 */
export function reachesKept(subject: Subject, trials: readonly Trial[]): Suspicion[] {
  const { terms, undecided } = subject.program;
  return terms.flatMap(({ name, span }): Suspicion[] => {
    // Of these the run looks at the data, or the file says that it is meant.
    if (undecided.includes(name) || saysAll(subject, span)) return [];
    const worst = trials
      .map((trial) => ({ trial, share: shareOfKept(trial, name) }))
      .reduce((a, b) => (b.share > a.share ? b : a), { trial: null as Trial | null, share: leastShare });
    if (worst.trial === null) return [];
    return [
      {
        code: "LTX5042",
        span,
        message: `${short(100 * worst.share)} % of the gradient of \`${name}\` goes to tokens that are kept clean`,
        help: helpFor(subject),
        batch: worst.trial.batch,
      },
    ];
  });
}

function helpFor({ program }: Subject): string {
  const name = program.modalities.find(({ generated }) => generated)?.name ?? "video";
  return `multiply the errors by \`float(${name}.generated)\` before they are added up or the largest is taken, or write \`mse(…) over ${name}.generated\``;
}

/** The largest share of a term's gradient, by its length, that kept tokens of one modality get. */
function shareOfKept({ aims, off }: Trial, term: string): number {
  const shares = modalityNames.map((name) => {
    const [aim, gradient] = [aims.get(name), off.get(term)?.gradients.get(name)];
    return aim === undefined || gradient == null ? 0 : keptShare(aim, gradient.data);
  });
  return Math.max(...shares);
}

function keptShare(aim: Aim, gradient: ArrayLike<number>): number {
  const channels = aim.target.shape[2] ?? 1;
  const kept: number[] = [];
  eachEntry(aim, (at, entry) => {
    if (aim.generated.data[Math.floor(entry / channels)] === 0) kept.push(gradient[at] ?? 0);
  });
  const whole = norm(gradient);
  return whole > 0 ? norm(kept) / whole : 0;
}

/** Whether a text, or a value of `let` that it names, says `over all`. */
function saysAll(subject: Subject, span: Suspicion["span"], seen: ReadonlySet<string> = new Set()): boolean {
  const text = subject.file.text.slice(span.start, span.end);
  if (/\bover\s+all\b/.test(text)) return true;
  return subject.probed.some(({ key, span: own }) => {
    const isNamed = own !== null && /^\w+$/.test(key) && new RegExp(`\\b${key}\\b`).test(text) && !seen.has(key);
    return isNamed && saysAll(subject, own, new Set([...seen, key]));
  });
}
