/**
 * Operators of our own. Each stands for several of ONNX, so that an executor can use one kernel for it. An executor without such a kernel
 * gets the graph from `lower` (`../engine/recording/lower.ts`), where ONNX's operators have taken their place.
 *
 * Inputs in brackets may be missing at the end. Outputs that nobody reads are left out at the end, so an executor looks at how many there
 * are. T is float32 or bfloat16, the same for all operands that have it; inside, numbers are float32, and a result is rounded once.
 *
 * | operator | |
 * |---|---|
 * | `Attention(q, k, v, [bias])` | softmax(scale q kᵀ + bias) v, in T. q `[B, H, Tq, d]`, k and v `[B, H, Tk, d]`, T. The bias is float32 and broadcasts to `[B, H, Tq, Tk]`; it goes down to -3.4e38, which bfloat16 would round to -Infinity, and a row may have nothing else: then all keys count alike. Outputs: o `[B, H, Tq, d]` in T, and the logarithm of the sum of the exponentials of the scores, float32 `[B, H, Tq]`. Attribute: `scale` |
 * | `AttentionGrad(dO, q, k, v, o, logSum, [bias])` | the gradients of q, k, v in T and of the bias in float32, each with its operand's shape. Attribute: `scale` |
 * | `After(x, other)` | x, not computed before `other`. It marks where a checkpointed block is computed again: x and what follows from it must not be taken from the forward pass, whose values would then be kept |
 */
import { sizeOf, type Attribute, type Value, type ValueType } from "./graph.ts";
import { broadcastAll, sameType } from "./passes/infer/operands.ts";

/** The types of an operator's outputs, all of them. Throws, with the reason, if the operator does not take the operands. */
type OutputTypes = (inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>>) => readonly ValueType[];

const floats = ["float32", "bfloat16"] as const;

function given(inputs: readonly Value[], index: number): Value {
  const value = inputs[index];
  if (value === undefined) throw new Error(`has no input ${index}`);
  return value;
}

const text = ({ shape }: Value): string => `[${shape.join(", ")}]`;

/** The parts of attention: its operands from input `first` on. */
function attended(inputs: readonly Value[], first: number, bias: Value | undefined): Value[] {
  const [q, k, v] = [0, 1, 2].map((i) => given(inputs, first + i)) as [Value, Value, Value];
  sameType([q, k, v], floats);
  const [[batch = 0, heads = 0, , width = 0], [, , keys = 0]] = [q.shape, k.shape];
  const expected = [batch, heads, keys, width].join();
  if (q.shape.length !== 4 || k.shape.join() !== expected || v.shape.join() !== expected)
    throw new Error(`attends with ${text(q)} to ${text(k)} and ${text(v)}`);
  if (bias !== undefined) {
    sameType([bias], ["float32"]);
    const scores = [batch, heads, q.shape[2] ?? 0, keys];
    if (broadcastAll([bias.shape, scores]).join() !== scores.join())
      throw new Error(`adds ${text(bias)} to scores of [${scores.join(", ")}]`);
  }
  return [q, k, v];
}

const attention: OutputTypes = (inputs) => {
  const [q] = attended(inputs, 0, inputs[3]) as [Value];
  return [q, { shape: q.shape.slice(0, 3), dtype: "float32" }];
};

const attentionGrad: OutputTypes = (inputs) => {
  const bias = inputs[6];
  const operands = attended(inputs, 1, bias);
  const [dO, o] = [given(inputs, 0), given(inputs, 4)];
  const [q] = operands as [Value];
  if (dO.shape.join() !== q.shape.join() || o.shape.join() !== q.shape.join())
    throw new Error(`takes ${text(dO)} and ${text(o)} for a result of ${text(q)}`);
  sameType([q, dO, o], floats);
  sameType([given(inputs, 5)], ["float32"]);
  return bias === undefined ? operands : [...operands, bias];
};

const after: OutputTypes = (inputs) => {
  given(inputs, 1);
  return [given(inputs, 0)];
};

/** By operator. */
export const composites: ReadonlyMap<string, OutputTypes> = new Map(
  Object.entries({ Attention: attention, AttentionGrad: attentionGrad, After: after }),
);

/** Matrix products in an operator of ours, in floating-point operations; 0 for operators without any. */
export function productFlops(op: string, inputs: readonly Value[]): number {
  // Forward: scores and their product with v. Backward: the scores again, and the gradients of p, v, q and k.
  const products = { Attention: 2, AttentionGrad: 5 }[op] ?? 0;
  if (products === 0) return 0;
  const [q, k] = op === "Attention" ? inputs : inputs.slice(1);
  return 2 * products * sizeOf(q?.shape ?? []) * (k?.shape[2] ?? 0);
}
