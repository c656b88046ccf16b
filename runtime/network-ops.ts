import type { Ops, Tensor } from "./contract.ts";

/** What neural networks need besides the operations that strategies see. Engines offer both, the model calls both. */
export interface NetworkOps extends Ops {
  /** `x [..., in] W^T + b`, W `[out, in]` as checkpoints store it. */
  linear(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor;
  /** The tanh form: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
  gelu(x: Tensor): Tensor;
  /** x * sigmoid(x). */
  silu(x: Tensor): Tensor;
  /** x / sqrt(mean(x^2 over the last axis) + eps), times `weight` if given. */
  rmsNorm(x: Tensor, eps: number, weight?: Tensor): Tensor;
  /** (x - mean) / sqrt(variance + eps) over the last axis, biased variance, no weight. */
  layerNorm(x: Tensor, eps: number): Tensor;
  /** softmax(q k^T / sqrt(d) + bias) v; q `[B, H, Tq, d]`, k and v `[B, H, Tk, d]`, bias additive, broadcast to `[B, H, Tq, Tk]`. */
  attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | null): Tensor;
}
