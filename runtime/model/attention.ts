import type { Tensor } from "../contract.ts";
import type { Module } from "./module.ts";
import { rotateIntoHeads, splitHeads, type RopeTables } from "./rope.ts";

interface AttentionInputs {
  /** Queries `[B, Tq, q]`; also what a gated attention takes its gate from. */
  readonly x: Tensor;
  /** Keys and values `[B, Tk, c]`; `x` itself for self-attention. */
  readonly context: Tensor;
  /** Additive, `[B, 1, 1 or Tq, Tk]`. */
  readonly bias?: Tensor | null;
  /** Rotary tables of the queries and of the keys; without any, nothing is rotated. */
  readonly rope?: RopeTables<Tensor> | null;
  readonly keyRope?: RopeTables<Tensor>;
  /** Each token keeps its own values instead of attending, as guidance by perturbation wants it; of self-attention only. */
  readonly valuesOnly?: boolean;
}

/** Multi-head attention with normalised queries and keys, `[B, Tq, q]`. `module` is the attention itself. */
export function attention(module: Module, heads: number, eps: number, inputs: AttentionInputs): Tensor {
  const { ops } = module;
  const { x, context } = inputs;
  return module.within(() => {
    const v = splitHeads(ops, module.linear("to_v", context), heads);
    const attended = inputs.valuesOnly === true ? v : attend(module, heads, eps, v, inputs);
    const [batch = 0, , tokens = 0, headDim = 0] = attended.shape;
    const perHead = gated(module, x, ops.transpose(attended, [0, 2, 1, 3]));
    return module.linear("to_out.0", ops.reshape(perHead, [batch, tokens, heads * headDim]));
  });
}

/** `[B, H, Tq, d]` */
function attend(module: Module, heads: number, eps: number, v: Tensor, inputs: AttentionInputs): Tensor {
  const { ops } = module;
  const { x, context, bias = null, rope = null, keyRope = rope } = inputs;
  // The norm runs over all heads together.
  const q = ops.rmsNorm(module.linear("to_q", x), eps, module.parameter("q_norm.weight"));
  const k = ops.rmsNorm(module.linear("to_k", context), eps, module.parameter("k_norm.weight"));
  return ops.attention(rotateIntoHeads(ops, q, heads, rope), rotateIntoHeads(ops, k, heads, keyRope), v, bias);
}

/** Scales each head `[B, Tq, H, d]` by 2 sigmoid(logit); logits of 0 change nothing. */
function gated(module: Module, x: Tensor, perHead: Tensor): Tensor {
  if (!module.has("to_gate_logits.weight")) return perHead;
  const { ops } = module;
  const gate = ops.mul(ops.sigmoid(module.linear("to_gate_logits", x)), 2);
  const [batch = 0, tokens = 0, heads = 0] = perHead.shape;
  return ops.mul(perHead, ops.reshape(gate, [batch, tokens, heads, 1]));
}

/** Two linear layers with a GELU between them. `module` is the feed-forward itself. */
export function feedForward(module: Module, x: Tensor): Tensor {
  return module.within(() => module.linear("net.2", module.ops.gelu(module.linear("net.0.proj", x))));
}
