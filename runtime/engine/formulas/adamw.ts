import type { Tf, TfTensor } from "../../graph/record/tfjs-types.ts";

/** See `Ops.adamw`. */
interface AdamW {
  readonly scalars: readonly TfTensor[];
  readonly lists: readonly TfTensor[];
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * p ← p (1 - η λ) - η / (1 - β1^t) · m / (sqrt(v) / sqrt(1 - β2^t) + ε), after m ← β1 m + (1 - β1) g and v ← β2 v + (1 - β2) g²: the new
 * parameters, then the new m, then the new v.
 */
export function adamw(tf: Tf, { scalars, lists, beta1, beta2, epsilon }: AdamW): TfTensor[] {
  const [, , decay, spread, size, factor] = scalars as readonly TfTensor[] as readonly [
    TfTensor,
    TfTensor,
    TfTensor,
    TfTensor,
    TfTensor,
    TfTensor?,
  ];
  const count = lists.length / 4;
  const mix = (mean: TfTensor, x: TfTensor, beta: number): TfTensor => tf.add(tf.mul(mean, beta), tf.mul(x, 1 - beta));
  const updated = lists.slice(0, count).map((p, i) => {
    const [gradient, lastM, lastV] = [1, 2, 3].map((list) => lists[list * count + i]) as [TfTensor, TfTensor, TfTensor];
    const g = factor === undefined ? gradient : tf.mul(gradient, factor);
    const m = mix(lastM, g, beta1);
    const v = mix(lastV, tf.square(g), beta2);
    const root = tf.add(tf.div(tf.sqrt(v), spread), epsilon);
    return { p: tf.sub(tf.mul(p, decay), tf.mul(tf.div(m, root), size)) as TfTensor, m, v };
  });
  return [...updated.map(({ p }) => p), ...updated.map(({ m }) => m), ...updated.map(({ v }) => v)];
}
