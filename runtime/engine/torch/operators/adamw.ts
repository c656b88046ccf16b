import { float, int, none, tensor, tensors } from "../dispatch.ts";
import { attribute, given, type Operand, type Operator } from "./lowering.ts";

/**
 * All parameters in a few calls. The update works on copies, so that a call that fails leaves the old values as they were, and so that
 * whoever else reads them goes on reading old values.
 */
const adamw: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const n = attribute(lowering, "count", 0);
  const first = operands.length - 4 * n;
  const [rate, t, factor] = [given(operands, 0), given(operands, 1), first > 5 ? given(operands, 5) : null];
  // The kernel goes over the memory of all four lists by numbers of elements, and does not look at strides.
  const rowMajor = ({ slot, isGiven }: Operand) => (isGiven ? slot : build.rowMajor(slot));
  const listOf = (i: number) => operands.slice(first + i * n, first + (i + 1) * n).map(rowMajor);
  const gradients = listOf(1);
  const scaled = factor === null ? gradients : gradients.map(() => build.slot());
  if (factor !== null) timesAll(gradients, factor.slot, scaled);
  const made = outputs.map(({ slot }) => slot);
  const copies = made.concat(Array.from({ length: 3 * n - made.length }, () => build.slot()));
  // Times 1 is a copy; `_foreach_clone` is not in all versions.
  timesAll(
    [...listOf(0), ...listOf(2), ...listOf(3)],
    build.once("1", () => build.number(1)),
    copies,
  );
  const [p, m, v] = [0, 1, 2].map((i) => copies.slice(i * n, (i + 1) * n)) as [number[], number[], number[]];
  const numbers = (["beta1", "beta2", "weightDecay", "epsilon"] as const).map((name) =>
    float(attribute(lowering, name, NaN)),
  );
  const [amsgrad, maximize] = [int(0), int(0)];
  build.dispatch(
    "_fused_adamw_",
    [p, scaled, m, v, [], p.map(() => t.slot)]
      .map(tensors)
      .concat([tensor(rate.slot), ...numbers, amsgrad, maximize, none, none]),
    { overload: "tensor_lr", to: [] },
  );

  function timesAll(list: readonly number[], factor: number, to: readonly number[]): void {
    build.dispatchToList("_foreach_mul", [tensors(list), tensor(factor)], { overload: "Tensor", to });
  }
};

export const optimizers: Readonly<Record<string, Operator>> = { AdamW: adamw };
