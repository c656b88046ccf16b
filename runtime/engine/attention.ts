import { sumTo, withGradient } from "./autodiff.ts";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";

/**
 * The most bytes of scores in memory at a time. Larger scores are computed in chunks of queries, and again in the backward pass instead
 * of being kept for it.
 */
const MOST_SCORE_BYTES = 2 ** 25;

/** q `[B, H, Tq, d]`, k and v `[B, H, Tk, d]`; the bias is added to the scores, `[B, 1, 1 or Tq, Tk]`. */
export interface AttentionOperands {
  readonly q: TfTensor;
  readonly k: TfTensor;
  readonly v: TfTensor;
  readonly bias: TfTensor | null;
}

/** softmax(q kᵀ / √d + bias) v, `[B, H, Tq, d]`. For long sequences memory is linear in their length. */
export function attention(tf: Tf, operands: AttentionOperands, mostBytes = MOST_SCORE_BYTES): TfTensor {
  const chunks = chunksOf(operands, mostBytes);
  return chunks === null ? wholeAttention(tf, operands) : chunkedAttention(tf, operands, chunks);
}

/** The chunks of queries that are computed one after another; null if all are computed at once. */
function chunksOf({ q, k }: AttentionOperands, mostBytes: number): readonly Chunk[] | null {
  const [batch = 0, heads = 0, queries = 0] = q.shape;
  const keys = k.shape[2] ?? 0;
  const rows = Math.max(1, Math.floor(mostBytes / (4 * batch * heads * keys)));
  return rows < queries ? evenly(queries, rows) : null;
}

/** The factor of the scores. */
export const scaleOf = (q: TfTensor): number => 1 / Math.sqrt(q.shape[3] ?? 1);

/** The result alone, without what its gradient needs. */
export function attentionOutput(tf: Tf, operands: AttentionOperands, scale: number): TfTensor {
  const { q, k, v, bias } = operands;
  const scaled = tf.mul(q, scale) as TfTensor;
  const chunks = chunksOf(operands, MOST_SCORE_BYTES);
  return chunks === null
    ? tf.matMul(probabilities(tf, scaled, k, bias), v)
    : inChunks(tf, scaled, { k, v, bias }, chunks);
}

/** The gradients of q, k, v and the bias, from the result `o` and its gradient. */
export function attentionGradients(
  tf: Tf,
  operands: AttentionOperands,
  { o, dO }: Pick<Kept, "o" | "dO">,
  scale: number,
): TfTensor[] {
  const { q, k, v, bias } = operands;
  const scaled = tf.mul(q, scale) as TfTensor;
  const chunks = chunksOf(operands, MOST_SCORE_BYTES);
  if (chunks !== null) return backward(tf, { scaled, k, v, o, dO }, bias, { chunks, scale });
  return wholeBackward(tf, { scaled, k, v, p: probabilities(tf, scaled, k, bias), o, dO }, bias, scale);
}

/**
 * With P the softmax of the scores and o = P v: dScores = P (dP - sum(dP P)). Since sum(dP P) = sum(dO o) over the channels of the
 * head, neither the scores nor dP P has to be kept.
 */
function wholeAttention(tf: Tf, { q, k, v, bias }: AttentionOperands): TfTensor {
  const scale = scaleOf(q);
  return withGradient(
    tf,
    bias === null ? [q, k, v] : [q, k, v, bias],
    (save) => {
      const scaled = tf.mul(q, scale) as TfTensor;
      const p = probabilities(tf, scaled, k, bias);
      const o = tf.matMul(p, v);
      save([scaled, k, v, p, o]);
      return o;
    },
    (dO, saved) => {
      const [scaled, k, v, p, o] = saved as [TfTensor, TfTensor, TfTensor, TfTensor, TfTensor];
      return wholeBackward(tf, { scaled, k, v, p, o, dO }, bias, scale);
    },
  );
}

function wholeBackward(tf: Tf, kept: Kept, bias: TfTensor | null, scale: number): TfTensor[] {
  const { dQ, dK, dV, dScores } = gradients(tf, kept);
  const all = [tf.mul(dQ, scale) as TfTensor, dK, dV];
  return bias === null ? all : [...all, sumTo(tf, dScores, bias.shape)];
}

function probabilities(tf: Tf, scaled: TfTensor, k: TfTensor, bias: TfTensor | null): TfTensor {
  const scores = tf.matMul(scaled, k, false, true);
  return tf.softmax(bias === null ? scores : tf.add(scores, bias));
}

interface Kept {
  /** q / √d */
  readonly scaled: TfTensor;
  readonly k: TfTensor;
  readonly v: TfTensor;
  readonly p: TfTensor;
  readonly o: TfTensor;
  readonly dO: TfTensor;
}

/** `dQ` is the gradient of the scaled queries. */
function gradients(tf: Tf, { scaled, k, v, p, o, dO }: Kept) {
  const delta = tf.sum(tf.mul(dO, o), -1, true);
  const dScores = tf.mul(p, tf.sub(tf.matMul(dO, v, false, true), delta)) as TfTensor;
  const [dQ, dK, dV] = [tf.matMul(dScores, k), tf.matMul(dScores, scaled, true), tf.matMul(p, dO, true)];
  return { dQ, dK, dV, dScores };
}

/** A range of queries that are computed together. */
interface Chunk {
  readonly first: number;
  readonly rows: number;
}

/** Chunks of at most `most` queries, of nearly equal size. */
function evenly(queries: number, most: number): Chunk[] {
  const each = Math.ceil(queries / Math.ceil(queries / most));
  const count = Math.ceil(queries / each);
  return Array.from({ length: count }, (_, i) => ({ first: i * each, rows: Math.min(each, queries - i * each) }));
}

/** Rabe and Staats 2021, "Self-attention does not need O(n²) memory", arXiv:2112.05682; here only the queries are split. */
function chunkedAttention(tf: Tf, { q, k, v, bias }: AttentionOperands, chunks: readonly Chunk[]): TfTensor {
  const scale = scaleOf(q);
  return withGradient(
    tf,
    bias === null ? [q, k, v] : [q, k, v, bias],
    (save) => {
      const scaled = tf.mul(q, scale) as TfTensor;
      const o = inChunks(tf, scaled, { k, v, bias }, chunks);
      save(bias === null ? [scaled, k, v, o] : [scaled, k, v, o, bias]);
      return o;
    },
    (dO, saved) => {
      const [scaled, k, v, o, bias = null] = saved as [TfTensor, TfTensor, TfTensor, TfTensor, TfTensor?];
      return backward(tf, { scaled, k, v, o, dO }, bias, { chunks, scale });
    },
  );
}

function inChunks(
  tf: Tf,
  scaled: TfTensor,
  { k, v, bias }: Omit<AttentionOperands, "q">,
  chunks: readonly Chunk[],
): TfTensor {
  const parts = chunks.map((chunk) =>
    tf.tidy(() => tf.matMul(probabilities(tf, rowsOf(tf, scaled, chunk), k, biasOf(tf, bias, chunk)), v)),
  );
  return tf.concat(parts, 2);
}

const rowsOf = (tf: Tf, x: TfTensor, { first, rows }: Chunk): TfTensor => {
  const [batch = 0, heads = 0, , width = 0] = x.shape;
  return tf.slice(x, [0, 0, first, 0], [batch, heads, rows, width]);
};

/** A bias of one row applies to all queries. */
function biasOf(tf: Tf, bias: TfTensor | null, chunk: Chunk): TfTensor | null {
  return bias === null || bias.shape[2] === 1 ? bias : rowsOf(tf, bias, chunk);
}

/** The gradients of the chunks so far: sums for keys and values, parts for queries and bias. */
interface Sums {
  readonly dK: TfTensor;
  readonly dV: TfTensor;
  readonly dQ: readonly TfTensor[];
  readonly dBias: readonly TfTensor[];
}

function backward(
  tf: Tf,
  kept: Omit<Kept, "p">,
  bias: TfTensor | null,
  { chunks, scale }: { readonly chunks: readonly Chunk[]; readonly scale: number },
): TfTensor[] {
  let sums: Sums | null = null;
  for (const chunk of chunks) {
    const before: Sums | null = sums;
    sums = tf.tidy(() => addChunk(tf, kept, bias, chunk, before) as never) as Sums;
  }
  if (sums === null) throw new RangeError("attention without queries");
  const { dK, dV, dQ, dBias } = sums;
  const all = [tf.mul(tf.concat([...dQ], 2), scale) as TfTensor, dK, dV];
  if (bias === null) return all;
  return [...all, bias.shape[2] === 1 ? total(tf, dBias) : tf.concat([...dBias], 2)];
}

function addChunk(tf: Tf, kept: Omit<Kept, "p">, bias: TfTensor | null, chunk: Chunk, before: Sums | null): Sums {
  const { k, v } = kept;
  const [scaled, o, dO] = [kept.scaled, kept.o, kept.dO].map((x) => rowsOf(tf, x, chunk)) as [
    TfTensor,
    TfTensor,
    TfTensor,
  ];
  const own = biasOf(tf, bias, chunk);
  // Make each chunk wait for the previous one, and keep the optimizer of recorded graphs from reusing scores of the forward pass.
  const earlier = before === null ? [dO] : [before.dK, before.dV, before.dQ.at(-1) ?? dO];
  const later = tf.add(scaled, zeroAfter(tf, earlier)) as TfTensor;
  const { dQ, dK, dV, dScores } = gradients(tf, { scaled, k, v, p: probabilities(tf, later, k, own), o, dO });
  return {
    dK: before === null ? dK : tf.add(before.dK, dK),
    dV: before === null ? dV : tf.add(before.dV, dV),
    dQ: [...(before?.dQ ?? []), dQ],
    dBias: own === null ? [] : [...(before?.dBias ?? []), sumTo(tf, dScores, own.shape)],
  };
}

function total(tf: Tf, tensors: readonly TfTensor[]): TfTensor {
  return tensors.reduce((a, b) => tf.add(a, b));
}

/** A zero that depends on these tensors, so they must be computed first. */
function zeroAfter(tf: Tf, tensors: readonly TfTensor[]): TfTensor {
  const firsts = tensors.map((x) => tf.slice(tf.reshape(x, [-1]), [0], [1]).asScalar());
  return tf.mul(total(tf, firsts), 0) as TfTensor;
}
