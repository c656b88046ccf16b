import type { EvaluationEvent, StepEvent } from "../../runtime/index.ts";
import { sparkline } from "./curve.ts";
import { table } from "../shell/text.ts";
import { createSeries, type Series } from "./series.ts";

/** Collects from a run's events what its summary needs, in a bounded amount of memory. */
export interface History {
  readonly loss: Series;
  step(event: Pick<StepEvent, "loss" | "terms" | "sigmaBuckets" | "datasets" | "gradNorm">): void;
  evaluation(event: Pick<EvaluationEvent, "loss" | "sigmas" | "datasets">): void;
  /** All but the loss, in the order in which they are shown. */
  curves(): readonly (readonly [name: string, series: Series])[];
}

export function createHistory(): History {
  const loss = createSeries();
  const groups = {
    terms: new Map(),
    datasets: new Map(),
    buckets: new Map(),
    evaluations: new Map(),
    rest: new Map(),
  } as const;
  const add = (group: Map<string, Series>, name: string, value: number) => {
    const series = group.get(name) ?? createSeries();
    group.set(name, series);
    series.add(value);
  };
  const sorted = (group: Map<string, Series>) => [...group].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    loss,
    step({ loss: value, terms, sigmaBuckets, datasets = {}, gradNorm }) {
      loss.add(value);
      for (const [name, term] of Object.entries(terms)) add(groups.terms, `loss ${name}`, term);
      for (const [name, mean] of Object.entries(datasets)) add(groups.datasets, `loss of ${name}`, mean);
      for (const [range, mean] of Object.entries(sigmaBuckets)) add(groups.buckets, `loss at ${range}`, mean);
      if (!Number.isNaN(gradNorm)) add(groups.rest, "gradient norm", gradNorm);
    },
    evaluation({ loss: mean, sigmas, datasets = {} }) {
      add(groups.evaluations, "evaluation", mean);
      for (const [name, loss] of Object.entries(datasets)) add(groups.evaluations, `evaluation of ${name}`, loss);
      for (const level of sigmas) add(groups.evaluations, `evaluation at ${level.sigma}`, level.loss);
    },
    curves: () => [
      // A single term is the loss itself, which has its own curve.
      ...(groups.terms.size > 1 ? sorted(groups.terms) : []),
      ...sorted(groups.datasets),
      ...sorted(groups.buckets),
      ...groups.evaluations,
      ...groups.rest,
    ],
  };
}

/** A small curve for each term, each range of noise levels and each level of the evaluation, with its first and last value. */
export function summaryCurves(history: History, columns: number): string {
  const rows = history.curves().flatMap(([name, { first, last, means }]) => {
    const line = sparkline(means(), Math.min(40, columns - 46));
    return line === "" ? [] : [[name, number(first[0]), line, number(last.at(-1))]];
  });
  return rows.length === 0 ? "" : table(rows);
}

const number = (value: number | undefined): string => (value ?? Number.NaN).toPrecision(4).padStart(9);
