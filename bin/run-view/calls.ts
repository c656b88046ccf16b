/** How often a step calls the model, in words. */
import type { PassInfo } from "../../runtime/contract.ts";

/** `4 calls of the model in a step: the step's own, lose; without gradients ref, ref_lose`; null where there is only the step's own. */
export function callsText(passes: readonly PassInfo[] | undefined): string | null {
  if (passes === undefined || passes.length === 0) return null;
  const namesOf = (isTrained: boolean) =>
    passes.flatMap(({ name, weights }) => ((weights === "trained") === isTrained ? [name] : []));
  const constant = namesOf(false);
  const trained = ["the step's own", ...namesOf(true)].join(", ");
  const rest = constant.length === 0 ? "" : `; without gradients ${constant.join(", ")}`;
  return `${passes.length + 1} calls of the model in a step: ${trained}${rest}`;
}
