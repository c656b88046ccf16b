import type { EvaluationEvent, StepEvent } from "../runtime/training/events.ts";
import { sparkline } from "./curve.ts";
import { table } from "./layout.ts";

/** What of a run's events its summary needs. */
export interface History {
  readonly steps: Pick<StepEvent, "loss" | "terms" | "sigmaBuckets" | "gradNorm">[];
  readonly evaluations: Pick<EvaluationEvent, "loss" | "sigmas">[];
}

/** A small curve for each term, each range of noise levels and each level of the evaluation, with its first and last value. */
export function summaryCurves({ steps, evaluations }: History, columns: number): string {
  const of = (record: (step: History["steps"][number]) => Readonly<Record<string, number>>, label: string) => {
    const names = [...new Set(steps.flatMap((step) => Object.keys(record(step))))].toSorted();
    return names.map((name) => [`${label} ${name}`, steps.flatMap((step) => record(step)[name] ?? [])] as const);
  };
  const terms = of((step) => step.terms, "loss");
  const levels = (evaluations[0]?.sigmas ?? []).map(({ sigma }, i) => {
    return [`evaluation at ${sigma}`, evaluations.flatMap(({ sigmas }) => sigmas[i]?.loss ?? [])] as const;
  });
  const curves = [
    // A single term is the loss itself, whose curve stands above.
    ...(terms.length > 1 ? terms : []),
    ...of((step) => step.sigmaBuckets, "loss at"),
    ["evaluation", evaluations.map(({ loss }) => loss)] as const,
    ...levels,
    ["gradient norm", steps.map(({ gradNorm }) => gradNorm)] as const,
  ];
  const rows = curves.flatMap(([name, values]) => {
    const [first, last, line] = [values[0], values.at(-1), sparkline(values, Math.min(40, columns - 46))];
    return line === "" ? [] : [[name, number(first), line, number(last)]];
  });
  return rows.length === 0 ? "" : table(rows);
}

const number = (value: number | undefined): string => (value ?? Number.NaN).toPrecision(4).padStart(9);
