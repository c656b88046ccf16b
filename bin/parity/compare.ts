/** Compares what two trainers say of the same steps. */

/** A step of one trainer: means over all its micro-batches. */
export interface StepLoss {
  /** Counts from 1. */
  readonly step: number;
  readonly terms: Readonly<Record<string, number>>;
  /** The samples that it learned from, in order. */
  readonly samples: readonly string[];
}

interface ComparedStep {
  readonly step: number;
  readonly ltxc: number;
  readonly official: number;
  /** Relative to the larger of the two. */
  readonly difference: number;
  readonly terms: Readonly<Record<string, { readonly ltxc: number; readonly official: number }>>;
}

export interface Comparison {
  readonly isEqual: boolean;
  readonly tolerance: number;
  readonly steps: readonly ComparedStep[];
  /** The step with the largest difference. */
  readonly worst: ComparedStep;
  /** The first step outside of the tolerance, and the term that differs most in it. */
  readonly first: { readonly step: number; readonly term: string } | null;
  /** The first step in which the two learned from other samples. */
  readonly otherSamples: number | null;
}

/**
 * How far the losses of two runs of the same strategy may be apart, relative. Both calculate in float32 and add in different orders: 20
 * steps were seen to differ by 5e-6. What calculates another thing differs by more, from the first steps on.
 */
const TOLERANCE = 1e-4;

const sumOf = (terms: Readonly<Record<string, number>>): number => Object.values(terms).reduce((a, b) => a + b, 0);

/** Relative; infinite where one is no finite number. */
function difference(a: number, b: number): number {
  if (a === b) return 0;
  const relative = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
  return Number.isNaN(relative) ? Infinity : relative;
}

function compareStep(ltxc: StepLoss, official: StepLoss): ComparedStep {
  const names = [...new Set([...Object.keys(ltxc.terms), ...Object.keys(official.terms)])];
  const [a, b] = [sumOf(ltxc.terms), sumOf(official.terms)];
  return {
    step: ltxc.step,
    ltxc: a,
    official: b,
    difference: difference(a, b),
    terms: Object.fromEntries(
      names.map((name) => [name, { ltxc: ltxc.terms[name] ?? NaN, official: official.terms[name] ?? NaN }]),
    ),
  };
}

/** Whether two runs of as many steps agree. There is at least one step. */
export function compare(ltxc: readonly StepLoss[], official: readonly StepLoss[]): Comparison {
  const pairs = ltxc.map((ours, i) => [ours, official[i] ?? { step: ours.step, terms: {}, samples: [] }] as const);
  const steps = pairs.map(([ours, theirs]) => compareStep(ours, theirs));
  const worst = steps.reduce((a, b) => (b.difference > a.difference ? b : a));
  const off = steps.find((step) => step.difference > TOLERANCE);
  const unlike = pairs.find(([ours, theirs]) => ours.samples.join("\n") !== theirs.samples.join("\n"));
  return {
    isEqual: off === undefined && unlike === undefined,
    tolerance: TOLERANCE,
    steps,
    worst,
    first: off === undefined ? null : { step: off.step, term: worstTerm(off) },
    otherSamples: unlike?.[0].step ?? null,
  };
}

function worstTerm({ terms }: ComparedStep): string {
  const differences = Object.entries(terms).map(
    ([name, { ltxc, official }]) => [name, Math.abs(ltxc - official)] as const,
  );
  return differences.reduce((a, b) => (b[1] > a[1] || Number.isNaN(b[1]) ? b : a))[0];
}
