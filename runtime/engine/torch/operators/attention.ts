/** Attention and its gradient (`graph/composites.ts`), by PyTorch's fused kernels. */
import type { Node, Value } from "../../../graph/graph.ts";
import { float, int, ints, none, some, tensor, type Argument } from "../dispatch.ts";
import type { TorchDevice } from "../library.ts";
import { attentionGradByProducts, takesProducts } from "./attention-grad.ts";
import { given, type Lowering, type Operator } from "./lowering.ts";

/** The GPU's kernel takes rows of whole units of memory. */
const GPU_WIDTH = 8;

/**
 * Whether there is a kernel for attention or its gradient. None has the gradient of a bias. That of the GPU takes a bias in the type of the operands only,
 * which bfloat16 can not hold.
 */
export function hasKernel(
  { op, inputs, outputs }: Node,
  device: TorchDevice,
  valueOf: (name: string) => Value,
): boolean {
  const [q, bias] = op === "Attention" ? [inputs[0], inputs[3]] : [inputs[1], inputs[6]];
  if (op === "AttentionGrad" && outputs.length > 3) return false;
  if (device === "cpu") return true;
  const width = valueOf(q ?? "").shape[3] ?? 0;
  return (bias === undefined || bias === "") && width % GPU_WIDTH === 0;
}

const attention: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [q, k, v] = [0, 1, 2].map((i) => tensor(rowsOf(lowering, i))) as [Argument, Argument, Argument];
  const bias = operands.length > 3 ? some(tensor(biasOf(lowering, 3))) : none;
  const to = [given(outputs, 0).slot, outputs[1]?.slot ?? build.slot()];
  if (build.torch.device === "cpu") {
    const args = [q, k, v, float(0), int(0), bias, scaleOf(lowering)];
    build.dispatch("_scaled_dot_product_flash_attention_for_cpu", args, { to });
  } else {
    const seeds = [build.slot(), build.slot()];
    const args = [q, k, v, bias, int(1), float(0), int(0), scaleOf(lowering)];
    build.dispatch("_scaled_dot_product_efficient_attention", args, { to: [...to, ...seeds] });
  }
};

const attentionGrad: Operator = (lowering) => {
  if (takesProducts(lowering)) return attentionGradByProducts(lowering);
  const { build, operands, outputs } = lowering;
  const [dO, q, k, v, o] = [0, 1, 2, 3, 4].map((i) => tensor(rowsOf(lowering, i))) as Argument[] as [
    Argument,
    Argument,
    Argument,
    Argument,
    Argument,
  ];
  const sums = tensor(given(operands, 5).slot);
  const bias = operands.length > 6 ? some(tensor(biasOf(lowering, 6))) : none;
  const to = [0, 1, 2].map((i) => outputs[i]?.slot ?? build.slot());
  if (build.torch.device === "cpu") {
    const args = [dO, q, k, v, o, sums, float(0), int(0), bias, scaleOf(lowering)];
    build.dispatch("_scaled_dot_product_flash_attention_for_cpu_backward", args, { to });
  } else {
    // Without dropout nothing is drawn: any seed will do.
    const seed = tensor(build.memory([], "int64"));
    const wanted = ints([1, 1, 1, 0]);
    const args = [dO, q, k, v, bias, o, sums, seed, seed, float(0), wanted, int(0), scaleOf(lowering)];
    build.dispatch("_scaled_dot_product_efficient_attention_backward", args, { to: [...to, build.slot()] });
  }
};

/** An operand whose rows lie in memory as a whole, as the kernels expect it without a check. */
const rowsOf = ({ build, operands }: Lowering, index: number): number => build.wholeRows(given(operands, index).slot);

/** The bias with four axes. */
function biasOf({ build, operands }: Lowering, index: number): number {
  const { slot, shape } = given(operands, index);
  return build.wholeRows(
    shape.length === 4 ? slot : build.reshape(slot, [...Array<number>(4 - shape.length).fill(1), ...shape]),
  );
}

const scaleOf = ({ attributes }: Lowering): Argument => some(float(Number(attributes["scale"])));

export const attentions: Readonly<Record<string, Operator>> = { Attention: attention, AttentionGrad: attentionGrad };
