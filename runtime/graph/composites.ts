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
 * | `AttentionGrad(dO, q, k, v, o, logSum, [bias])` | the gradients of q, k, v in T and of the bias in float32, each with its operand's shape. An executor may round the probabilities, their logarithms and their gradients to bfloat16 as well, where T is that. Attribute: `scale` |
 * | `Linear(x, W, [b])` | x Wᵀ + b. x `[..., in]`, W `[out, in]`, b `[out]`, all T |
 * | `LinearGradInput(dy, W)` | the gradient of x: dy W, in T |
 * | `LinearAdd(x, W, sum)`, `LinearGradInputAdd(dy, W, sum)` | x Wᵀ + sum and dy W + sum, all T; the sum has the shape of the result. They are not recorded: `passes/fuse-sums.ts` makes them |
 * | `LinearGradWeight(dy, x)` | the gradient of W: dyᵀ x over all rows, in T. (That of b is recorded as a sum over dy.) |
 * | `RmsNorm(x, [w])` | x r w with r = 1 / sqrt(mean(x²) + eps) over the last axis. w `[D]` in T. Outputs: the result in T, r `[..., 1]` in float32. Attribute: `eps` |
 * | `RmsNormGrad(dy, x, r, [w])` | the gradients of x and w, in T |
 * | `Gelu(x)`, `GeluGrad(dy, x)` | 0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³))), and the gradient of x |
 * | `Modulate(x, scale, shift)` | x (1 + scale) + shift. Scale and shift have one shape, which broadcasts to that of x; all T. An executor may round each of the three results, as PyTorch does where a model is written so; likewise 1 + scale in its gradient |
 * | `ModulateGrad(dy, x, scale)` | the gradients of x, scale and shift, in T |
 * | `Rotate(x, cos, sin)` | rotary embedding: see `Ops.rotate`. The tables are float32, whatever T is. Attributes: `pairs` (`halves` or `neighbours`), `inverse` (1: b cos - a sin and a cos + b sin, which is also the gradient) |
 * | `AdamW(rate, t, decay, spread, size, [factor], p…, g…, m…, v…)` | see `Ops.adamw`: n each of p, g, m and v, float32. Outputs: n each of the new p, m and v. Attributes: `count` (n), `beta1`, `beta2`, `epsilon`, `weightDecay`. `rate` and `t` say the same as `decay`, `spread` and `size`, for kernels that take those. Where an old p, m or v is an input of the graph, its memory may be used for the new one: nobody reads it any more |
 * | `Dequantize(W, scale)` | W scale, a weight of 8 bits (int8 or float8_e4m3fn) `[out, in]` by the float32 scales of its rows `[out, 1]`, or one for all, `[1, 1]`. With the attribute `group`, W is in 4 bits, int8 `[out, in / 2]`, and so many numbers of a row share one of the bfloat16 scales `[out, in / group]` (`../model/quantize.ts`). Computed in float32; attribute `to`: the number of the result's type, to which it is rounded once |
 * | `Widen(x)` | x, which may have T, in float32: where the model ends and the strategy goes on |
 * | `After(x, other)` | x, not computed before `other`. It marks where a checkpointed block is computed again: x and what follows from it must not be taken from the forward pass, whose values would then be kept |
 */
import { elementTypes, sizeOf, type Attribute, type Value, type ValueType } from "./graph.ts";
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

/** The type of all operands that have T. */
const low = (values: readonly Value[]) => sameType(values, floats);

const linear: OutputTypes = (inputs) => {
  const [x, weight, bias] = [given(inputs, 0), given(inputs, 1), inputs[2]];
  const [outputs = 0, width] = weight.shape;
  if (
    weight.shape.length !== 2 ||
    x.shape.at(-1) !== width ||
    (bias ?? { shape: [outputs] }).shape.join() !== `${outputs}`
  )
    throw new Error(`takes ${text(x)} through ${text(weight)}${bias === undefined ? "" : ` and ${text(bias)}`}`);
  return [{ shape: [...x.shape.slice(0, -1), outputs], dtype: low(inputs) }];
};

const linearGradInput: OutputTypes = (inputs) => {
  const [dy, weight] = [given(inputs, 0), given(inputs, 1)];
  const [outputs, width = 0] = weight.shape;
  if (weight.shape.length !== 2 || dy.shape.at(-1) !== outputs)
    throw new Error(`takes ${text(dy)} back through ${text(weight)}`);
  return [{ shape: [...dy.shape.slice(0, -1), width], dtype: low(inputs) }];
};

const linearGradWeight: OutputTypes = (inputs) => {
  const [dy, x] = [given(inputs, 0), given(inputs, 1)];
  if (dy.shape.slice(0, -1).join() !== x.shape.slice(0, -1).join())
    throw new Error(`takes the rows of ${text(dy)} and ${text(x)}`);
  return [{ shape: [dy.shape.at(-1) ?? 1, x.shape.at(-1) ?? 1], dtype: low(inputs) }];
};

/** The operator with one more operand, last, of the result's shape. */
const withSum =
  (operator: OutputTypes): OutputTypes =>
  (inputs, attributes) => {
    const [sum, operands] = [given(inputs, 2), inputs.slice(0, 2)];
    const [made] = operator(operands, attributes) as [ValueType];
    low(inputs);
    if (sum.shape.join() !== made.shape.join()) throw new Error(`adds ${text(sum)} to [${made.shape.join(", ")}]`);
    return [made];
  };

/** The weight of a norm has the width of its rows. */
function normed(x: Value, weight: Value | undefined): Value[] {
  if (weight !== undefined && weight.shape.join() !== `${x.shape.at(-1)}`)
    throw new Error(`weighs ${text(x)} by ${text(weight)}`);
  return weight === undefined ? [x] : [x, weight];
}

const rmsNorm: OutputTypes = (inputs) => {
  const x = given(inputs, 0);
  low(normed(x, inputs[1]));
  return [x, { shape: [...x.shape.slice(0, -1), 1], dtype: "float32" }];
};

const rmsNormGrad: OutputTypes = (inputs) => {
  const [dy, x, r] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
  const operands = normed(x, inputs[3]);
  low([dy, ...operands]);
  sameType([r], ["float32"]);
  if (dy.shape.join() !== x.shape.join() || r.shape.join() !== [...x.shape.slice(0, -1), 1].join())
    throw new Error(`takes ${text(dy)} and ${text(r)} for ${text(x)}`);
  return operands;
};

const likeFirst: OutputTypes = (inputs) => {
  const x = given(inputs, 0);
  low(inputs);
  const other = inputs.find(({ shape }) => shape.join() !== x.shape.join());
  if (other !== undefined) throw new Error(`takes ${text(x)} and ${text(other)}`);
  return [x];
};

/** Rows that broadcast to x. */
function modulated(x: Value, scale: Value, shift: Value): void {
  if (scale.shape.join() !== shift.shape.join() || broadcastAll([x.shape, scale.shape]).join() !== x.shape.join())
    throw new Error(`modulates ${text(x)} by ${text(scale)} and ${text(shift)}`);
}

const modulate: OutputTypes = (inputs) => {
  const [x, scale, shift] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
  modulated(x, scale, shift);
  return [{ shape: x.shape, dtype: low(inputs) }];
};

const modulateGrad: OutputTypes = (inputs) => {
  const [dy, x, scale] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
  likeFirst([dy, x], {});
  modulated(x, scale, scale);
  low(inputs);
  return [x, scale, scale];
};

const rotate: OutputTypes = (inputs, { pairs }) => {
  const [x, cos, sin] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
  low([x]);
  sameType([cos, sin], ["float32"]);
  const width = (x.shape.at(-1) ?? 0) / (pairs === "halves" ? 2 : 1);
  const table = [...x.shape.slice(0, -1), width];
  const fits = cos.shape.join() === sin.shape.join() && broadcastAll([cos.shape, table]).join() === table.join();
  if (!fits || cos.shape.at(-1) !== width || x.shape.length !== (pairs === "halves" ? 4 : 3))
    throw new Error(`turns ${text(x)} by ${text(cos)} and ${text(sin)}`);
  return [x];
};

const adamw: OutputTypes = (inputs, { count }) => {
  const n = Number(count);
  const first = inputs.length - 4 * n;
  const [scalars, lists] = [inputs.slice(0, first), inputs.slice(first)];
  if (n < 1 || (first !== 5 && first !== 6)) throw new Error(`has ${inputs.length} inputs for ${n} parameters`);
  sameType(inputs, ["float32"]);
  const isWrong = ({ shape }: Value, i: number) => shape.join() !== given(lists, i % n).shape.join();
  const wrong = scalars.find(({ shape }) => shape.length > 0) ?? lists.find(isWrong);
  if (wrong !== undefined) throw new Error(`takes ${text(wrong)}`);
  return [0, 2, 3].flatMap((i) => lists.slice(i * n, (i + 1) * n));
};

const dequantize: OutputTypes = (inputs, { to, group }) => {
  const [weight, scale] = [given(inputs, 0), given(inputs, 1)];
  if (group !== undefined) return [{ shape: groupedShape(weight, scale, Number(group)), dtype: dequantized(to) }];
  sameType([weight], ["int8", "float8_e4m3fn"]);
  sameType([scale], ["float32"]);
  if (weight.shape.length !== 2 || ![`${weight.shape[0]},1`, "1,1"].includes(scale.shape.join()))
    throw new Error(`scales ${text(weight)} by ${text(scale)}`);
  return [{ shape: weight.shape, dtype: dequantized(to) }];
};

const dequantized = (to: Attribute | undefined) => (to === elementTypes.bfloat16 ? "bfloat16" : "float32");

/** The shape of a weight in 4 bits. */
function groupedShape(weight: Value, scale: Value, group: number): readonly number[] {
  sameType([weight], ["int8"]);
  sameType([scale], ["bfloat16"]);
  const [rows = 0, half = 0] = weight.shape;
  if (weight.shape.length !== 2 || scale.shape.join() !== `${rows},${(2 * half) / group}`)
    throw new Error(`scales ${text(weight)} by ${text(scale)} in groups of ${group}`);
  return [rows, 2 * half];
}

/** By operator, those that a step is recorded with. */
export const recordedComposites: ReadonlyMap<string, OutputTypes> = new Map(
  Object.entries({
    Attention: attention,
    AttentionGrad: attentionGrad,
    After: after,
    Widen: (inputs) => {
      low([given(inputs, 0)]);
      return [{ ...given(inputs, 0), dtype: "float32" }];
    },
    Linear: linear,
    LinearGradInput: linearGradInput,
    LinearGradWeight: linearGradWeight,
    RmsNorm: rmsNorm,
    RmsNormGrad: rmsNormGrad,
    Gelu: likeFirst,
    GeluGrad: likeFirst,
    Modulate: modulate,
    ModulateGrad: modulateGrad,
    Rotate: rotate,
    AdamW: adamw,
  }),
);

/** All by operator, also those that only passes and weights of 8 bits make. */
export const composites: ReadonlyMap<string, OutputTypes> = new Map([
  ...recordedComposites,
  ["Dequantize", dequantize],
  ["LinearAdd", withSum(linear)],
  ["LinearGradInputAdd", withSum(linearGradInput)],
]);

/** Matrix products in an operator of ours, in floating-point operations; 0 for operators without any. */
export function productFlops(op: string, inputs: readonly Value[]): number {
  // Forward: scores and their product with v. Backward: the scores again, and the gradients of p, v, q and k.
  const products = { Attention: 2, AttentionGrad: 5 }[op] ?? 0;
  const [first, second] = op === "AttentionGrad" ? inputs.slice(1) : inputs;
  const [a, b] = [first?.shape ?? [], second?.shape ?? []];
  if (products > 0) return 2 * products * sizeOf(a) * (b[2] ?? 0);
  if (op === "Linear" || op === "LinearAdd") return 2 * sizeOf(a) * (b[0] ?? 0);
  return op.startsWith("LinearGrad") ? 2 * sizeOf(a) * (b.at(-1) ?? 0) : 0;
}
