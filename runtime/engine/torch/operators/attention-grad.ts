/**
 * The gradient of attention in bfloat16 on a CPU, by products of whole matrices. PyTorch's kernel goes through parts of the scores, and
 * spends more time between the products than in them.
 *
 * With P = softmax(S) and S = s q kᵀ: dv = Pᵀ dO and dS = P ∘ (dO vᵀ - D), where D is the sum of dO ∘ o in each row; dq = s dS k and
 * dk = s dSᵀ q. The forward pass has left L, the logarithm of the sum of the exponentials, so that P = exp(S - L). L and D are subtracted
 * within the products, which add up in float32: q and dO get two more columns, for the upper and the lower bits, and k and v get ones.
 *
 * Rounded to bfloat16 are S - L, P, dO vᵀ - D, and dS. What is rounded of S - L is a part of its size, which is 0 for the most likely keys,
 * and - log(keys) where all are alike. So S - L + log(keys) / 2 is computed, and what this multiplies P by is divided out by the products.
 */
import type { CallBuilder } from "../calls.ts";
import { tensor } from "../dispatch.ts";
import { attribute, given, type Lowering, type Operand } from "./lowering.ts";
import { reduced } from "./reduce.ts";

/** Scores of one head at most: they, and as many numbers again, are in memory at once. */
const MOST_SCORES = 2 ** 22;

/** Scores that are computed at once at least, of as many heads as that takes. They should stay in the processor's cache. */
const SCORES_AT_ONCE = 2 ** 20;

/** Whether this way is the one to take. */
export function takesProducts({ build, operands }: Lowering): boolean {
  const [q, k, bias] = [given(operands, 1), given(operands, 2), operands[6]];
  const scores = (q.shape[2] ?? 0) * (k.shape[2] ?? 0);
  return build.torch.device === "cpu" && q.dtype === "bfloat16" && bias === undefined && scores <= MOST_SCORES;
}

/** Matrices `[heads, rows, columns]`. */
interface Matrices {
  readonly slot: number;
  readonly rows: number;
  readonly columns: number;
}

export function attentionGradByProducts(lowering: Lowering): void {
  const { build, operands, outputs } = lowering;
  const [dO, q, k, v, o] = [0, 1, 2, 3, 4].map((i) => ofHeads(build, given(operands, i))) as [
    Matrices,
    Matrices,
    Matrices,
    Matrices,
    Matrices,
  ];
  const [batch = 1, heads = 1] = given(operands, 1).shape;
  const count = batch * heads;
  const scale = attribute(lowering, "scale", NaN);
  const doublings = Math.round(Math.log2(k.rows) / 2);
  const logSum = build.reshape(given(operands, 5).slot, [count, q.rows, 1]);
  const moved = build.addNumber(build.scale(logSum, -1 / scale), (doublings * Math.LN2) / scale);
  const product = build.multiply(build.cast(dO.slot, "float32"), o.slot);
  const rowSum = reduced(build, "sum", product, { axes: [-1], keeps: true, type: "float32" });
  const shared = {
    dO,
    q,
    k,
    scale,
    factor: 2 ** -doublings,
    queries: withColumns(build, q, moved),
    keys: withOnes(build, k),
    gradients: withColumns(build, dO, build.scale(rowSum, -1)),
    values: withOnes(build, v),
  };
  const group = Math.max(1, Math.floor(SCORES_AT_ONCE / (q.rows * k.rows)));
  const parts: number[][] = [[], [], []];
  for (let first = 0; first < count; first += group) {
    const made = ofGroup(build, shared, first, Math.min(group, count - first));
    made.forEach((slot, i) => parts[i]?.push(slot));
  }
  outputs.forEach(({ slot, shape }, i) => {
    const [part = -1, ...others] = parts[i] ?? [];
    build.reshape(others.length === 0 ? part : build.concat([part, ...others], 0), shape, slot);
  });
}

interface Shared {
  readonly dO: Matrices;
  readonly q: Matrices;
  readonly k: Matrices;
  readonly queries: Matrices;
  readonly keys: Matrices;
  readonly gradients: Matrices;
  readonly values: Matrices;
  readonly scale: number;
  /** By what P is to be multiplied. */
  readonly factor: number;
}

/** The gradients of q, k and v of some heads, in this order. */
function ofGroup(build: CallBuilder, { scale, factor, ...all }: Shared, first: number, count: number): number[] {
  const of = ({ slot, ...sizes }: Matrices): Matrices => ({ ...sizes, slot: build.narrow(slot, 0, first, count) });
  const turned = ({ slot, rows, columns }: Matrices): Matrices => ({
    slot: build.permute(slot, [0, 2, 1]),
    rows: columns,
    columns: rows,
  });
  const product = (x: Matrices, y: Matrices, by: number): number =>
    build.products([x.slot, y.slot], by, { shape: [count, x.rows, y.columns], dtype: "bfloat16" });
  const sizes = { rows: all.q.rows, columns: all.k.rows };
  const scores = product(of(all.queries), turned(of(all.keys)), scale);
  const p: Matrices = { ...sizes, slot: build.dispatch("exp_", [tensor(scores)]) };
  const dv = product(turned(p), of(all.dO), factor);
  const dp = product(of(all.gradients), turned(of(all.values)), 1);
  const dS: Matrices = { ...sizes, slot: build.dispatch("mul_", [tensor(p.slot), tensor(dp)], { overload: "Tensor" }) };
  const [dq, dk] = [product(dS, of(all.k), scale * factor), product(turned(dS), of(all.q), scale * factor)];
  return [dq, dk, dv];
}

/** All heads of all samples behind each other. */
function ofHeads(build: CallBuilder, { slot, shape }: Operand): Matrices {
  const [batch = 1, heads = 1, rows = 1, columns = 1] = shape;
  return { slot: build.reshape(slot, [batch * heads, rows, columns]), rows, columns };
}

/** Two more columns, whose sum is a float32 column. */
function withColumns(build: CallBuilder, { slot, rows, columns }: Matrices, column: number): Matrices {
  const upper = build.cast(column, "bfloat16");
  const lower = build.cast(build.add(column, upper, -1), "bfloat16");
  return { slot: build.concat([slot, upper, lower], 2), rows, columns: columns + 2 };
}

/** Two more columns of ones. */
function withOnes(build: CallBuilder, { slot, rows, columns }: Matrices): Matrices {
  return { slot: build.pad(slot, [0, 2], 1), rows, columns: columns + 2 };
}
