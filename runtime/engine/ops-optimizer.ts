import type { Tf, TfOps } from "../graph/record/tfjs-types.ts";
import { adamw } from "./formulas/adamw.ts";

/** What optimizers need. */
export function optimizerOps(tf: Tf): Pick<TfOps, "adamw"> {
  return {
    adamw: (scalars, lists, [beta1 = NaN, beta2 = NaN, epsilon = NaN]) =>
      adamw(tf, { scalars, lists, beta1, beta2, epsilon }),
  };
}
