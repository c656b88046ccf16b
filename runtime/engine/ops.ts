import { elementwiseOps } from "./ops-elementwise.ts";
import { networkOps } from "./ops-network.ts";
import { optimizerOps } from "./ops-optimizer.ts";
import { shapeOps } from "./ops-shape.ts";
import type { Tf, TfOps, TfTensor } from "../graph/record/tfjs-types.ts";

export type ComputingOps = Omit<TfOps, "input" | "constant">;
type Result = TfTensor | TfTensor[];

/** All operations except those that bring in values. Each one frees its intermediate tensors. `others` take the place of some. */
export function computingOps(tf: Tf, others: Partial<ComputingOps> = {}): ComputingOps {
  const ops = {
    ...elementwiseOps(tf),
    ...shapeOps(tf),
    ...networkOps(tf),
    ...optimizerOps(tf),
    ...others,
  } as ComputingOps;
  const wrap =
    (f: (...args: never[]) => Result) =>
    (...args: never[]) =>
      tf.tidy(() => f(...args) as TfTensor);
  return Object.fromEntries(Object.entries(ops).map(([key, f]) => [key, wrap(f)])) as unknown as ComputingOps;
}
