/** What a strategy expects on average, `mean(video.keep) about 0.1`: tried over many draws. */
import { entryOf, type Diagnostic } from "../../compiler/diagnostics/index.ts";
import type { Engine } from "../../runtime/index.ts";
import type { Subject } from "../probe/subject.ts";
import { mean, short } from "./oracle/numbers.ts";
import { atRandom, oracleBatches, openOn, predictionOf } from "./oracle/trials.ts";

/** Samples of a batch, and how many batches are tried at least and at most. What is drawn once for a batch counts once. */
const [samples, fewest, most] = [32, 20, 100];

/** Standard errors of a mean that chance is allowed: it is further off in one of 16,000 trials. */
const allowed = 4;

/** The number may be off by this share of it, and by this much where it is small, if the file does not say `within`. */
const [usualShare, usualLeast] = [0.1, 0.01];

interface Expected {
  readonly key: string;
  readonly span: { readonly start: number; readonly end: number };
  readonly about: number;
  readonly within: number;
  /** The mean of each batch. */
  readonly means: number[];
}

/** Expectations that the mean over many batches, spread over the whole run, does not meet. The same `seed` gives the same draws. */
export async function sharesOff(engine: Engine, subject: Subject, seed: number): Promise<readonly Diagnostic[]> {
  const keys = subject.probed.flatMap(({ key, span }) =>
    /^share\[\d+\]$/.test(key) && span !== null ? [{ key, span }] : [],
  );
  const [batch] = oracleBatches(subject, seed);
  if (keys.length === 0 || batch === undefined) return [];
  let expected: readonly Expected[] = [];
  for (let i = 0; i < most && (i < fewest || !expected.every(isSettled)); i++) {
    const progress = (i % fewest) / (fewest - 1);
    const step = openOn(engine, subject, { ...batch, samples, progress, seed: seed + 3000 + i });
    const all = keys.flatMap(({ key }) => [key, `${key}.about`, `${key}.within`]);
    const values = await step.values(all, predictionOf(step, new Map(), seed + i, atRandom));
    const numberOf = (key: string) => values.get(key)?.data[0] ?? null;
    if (i === 0)
      expected = keys.map(({ key, span }) => {
        const about = numberOf(`${key}.about`) ?? NaN;
        const within = numberOf(`${key}.within`) ?? Math.max(usualLeast, usualShare * Math.abs(about));
        return { key, span, about, within, means: [] };
      });
    for (const { key, means } of expected) means.push(mean(values.get(key)?.data ?? []));
    step.close();
  }
  return expected.filter(isOff).map(asDiagnostic);
}

/** Standard error of the mean of the batches. */
function errorOf({ means }: Expected): number {
  const middle = mean(means);
  return Math.sqrt(mean(means.map((x) => (x - middle) ** 2)) / Math.max(1, means.length - 1));
}

/** Whether further draws would hardly change the outcome. */
const isSettled = (each: Expected): boolean => allowed * errorOf(each) <= each.within / 2;

const isOff = (each: Expected): boolean =>
  !(Math.abs(mean(each.means) - each.about) <= each.within + allowed * errorOf(each));

function asDiagnostic(each: Expected): Diagnostic {
  const { span, about, within, means } = each;
  return {
    code: "LTX7132",
    slug: entryOf("LTX7132").slug,
    severity: "error",
    message: `this is ${short(mean(means))} on average, and not ${short(about)}, within ${short(within)}`,
    span,
    labels: [],
    help: `seen on ${means.length} batches of ${samples} samples; chance explains ${short(allowed * errorOf(each))} more`,
  };
}
