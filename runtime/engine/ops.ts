import { elementwiseOps } from "./ops-elementwise.ts";
import { networkOps } from "./ops-network.ts";
import { shapeOps } from "./ops-shape.ts";
import type { Tf, TfOps, TfTensor } from "../graph/record/tfjs-types.ts";

export type ComputingOps = Omit<TfOps, "input" | "constant">;

/** All operations except those that bring in values. Each one frees its intermediate tensors. `others` take the place of some. */
export function computingOps(tf: Tf, others: Partial<ComputingOps> = {}): ComputingOps {
  const ops: ComputingOps = { ...elementwiseOps(tf), ...shapeOps(tf), ...networkOps(tf), ...others };
  const wrap =
    (f: (...args: never[]) => TfTensor) =>
    (...args: never[]) =>
      tf.tidy(() => f(...args));
  return Object.fromEntries(Object.entries(ops).map(([key, f]) => [key, wrap(f)])) as unknown as ComputingOps;
}
