/** A comparison in words. */
import type { Finding } from "../../runtime/findings.ts";
import { table } from "../shell/text.ts";
import type { Comparison } from "./compare.ts";

const number = (value: number): string => (Number.isFinite(value) ? value.toPrecision(8) : String(value));
const relative = (value: number): string => (value === 0 ? "0" : value.toExponential(1));

/** The losses, step by step, and how far they are apart. */
export function tableOf({ steps }: Comparison): string {
  const rows = steps.map(({ step, ltxc, official, difference }) => [
    String(step).padStart(4),
    number(ltxc),
    number(official),
    relative(difference),
  ]);
  return table([["step", "ltxc", "ltx-trainer", "difference"], ...rows]);
}

/** As in "largest difference 5.0e-6 of the loss, at step 7; 1e-4 is allowed". */
export function worstLine({ worst, tolerance }: Comparison): string {
  return `largest difference ${relative(worst.difference)} of the loss, at step ${worst.step}; ${tolerance.toExponential(0)} is allowed`;
}

/** What is said of losses that differ: from when on, and what to look at. Null where they agree. */
export function findingOf({ isEqual, first, otherSamples, steps }: Comparison): Finding | null {
  if (isEqual) return null;
  const finding = (message: string, help: string): Finding => ({
    code: "LTX6614",
    severity: "error",
    path: ["training_strategy"],
    message,
    help,
  });
  if (otherSamples !== null)
    return finding(
      `the two trained on other samples, from step ${otherSamples} on`,
      "compare `samples` in the `parity.json` of this comparison; the official trainer has another order of files, or deals batches to its processes in another way",
    );
  const { step, term } = first ?? { step: 1, term: "" };
  if (step === 1) {
    const part = Object.keys(steps[0]?.terms ?? {}).length > 1 ? `, most of all \`${term}\`` : "";
    return finding(
      `the losses differ from the first step on${part}`,
      "the two calculate other things: an imported function and its `python`, a version of the official packages other than 1.2, or a mistake of ltxc",
    );
  }
  const before = step === 2 ? "the first step agrees" : `the first ${step - 1} steps agree`;
  return finding(
    `${before}, and then the losses differ`,
    "the strategy is the same, and what is learned from it differs: compare the gradients of an imported function and its `python`; should it be rounding that grows, it vanishes with `--set optimization.learning_rate=1e-5`",
  );
}
