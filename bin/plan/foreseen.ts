/** What a run says of its memory and time before its first step. */
import { planBytes, stepSeconds, type Expected, type Plan } from "../../runtime/index.ts";
import { reckoningText, type Reckoning } from "./planned-engine.ts";
import { memoryRow, timeRows } from "./plan-text.ts";

/** What is foreseen of a run that is about to start. */
export interface Foreseen extends Reckoning {
  /** Null where no plan was made: for an engine that can not be reckoned, with a run that surely fits. */
  readonly plan: Plan | null;
}

/** The same as numbers, for the run's first event; null without a plan. */
export function expectedOf({ plan, engine, insteadOf, speed }: Foreseen): Expected | null {
  if (plan === null) return null;
  const { commonest } = plan;
  return {
    engine,
    insteadOf,
    residentBytes: planBytes(plan),
    flopsPerStep: commonest.cost.matmulFlops,
    secondsPerStep: speed === null ? null : stepSeconds(commonest, speed),
  };
}

/** The same as rows of a table, in the words of `ltxc check` and `ltxc plan`. */
export function foreseenRows(foreseen: Foreseen): string[][] {
  const { plan, engine, insteadOf, speed } = foreseen;
  if (plan === null) {
    const why = `not reckoned for the engine ${insteadOf}; \`ltxc plan\` says what the engine ${engine.name} would take`;
    return [["memory and time", why]];
  }
  return [
    ...(insteadOf === null ? [] : [["computed by", reckoningText(foreseen)]]),
    memoryRow(plan),
    ...timeRows(plan, speed),
    ...(speed === null ? [["speed", "not measured on this machine yet, which `ltxc doctor` does"]] : []),
  ];
}
