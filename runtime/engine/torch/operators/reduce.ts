import type { CallBuilder } from "../calls.ts";
import { int, ints, some, tensor } from "../dispatch.ts";
import type { TorchType } from "../library.ts";

interface Reduction {
  readonly axes: readonly number[];
  /** Whether the axes stay, with size 1. */
  readonly keeps: boolean;
  /** Of the numbers that are added up, and of the result. */
  readonly type: TorchType;
}

/** The sum or the mean of a value, in `to` or in a slot of its own. */
export function reduced(
  build: CallBuilder,
  name: "sum" | "mean",
  x: number,
  { axes, keeps, type }: Reduction,
  to = build.slot(),
): number {
  const args = [tensor(x), some(ints(axes)), int(keeps ? 1 : 0), some(int(build.torch.types[type]))];
  return build.dispatch(name, args, { overload: name === "sum" ? "dim_IntList" : "dim", to: [to] });
}
