import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";

/** One gradient per parameter, null where the loss does not depend on it. */
export type Gradients = readonly (Tensor | null)[];

/** The sum of two lists of gradients. Takes both over: they must not be used afterwards. */
export function addGradients(engine: Engine, sum: Gradients | null, next: Gradients): Gradients {
  if (sum === null) return next;
  return sum.map((a, i) => {
    const b = next[i] ?? null;
    if (a === null || b === null) return a ?? b;
    const both = engine.tidy(() => engine.ops.add(a, b));
    engine.dispose(a, b);
    return both;
  });
}

/** The L2 norm over all gradients as one vector, a scalar on the device; 0 without gradients. */
export function globalNorm(engine: Engine, gradients: Gradients): Tensor {
  const { ops } = engine;
  return engine.tidy(() => {
    const squares = gradients.flatMap((g) => (g === null ? [] : [ops.reshape(ops.sum(ops.square(g)), [1])]));
    if (squares.length === 0) return ops.constant({ shape: [], dtype: "float32", data: new Float32Array(1) });
    return ops.sqrt(ops.sum(ops.concat(squares, 0)));
  });
}

/**
 * The factor that brings gradients of norm `norm` down to `maxNorm`: min(1, max / (norm + 1e-6)), a scalar on the device, as in
 * torch.nn.utils.clip_grad_norm_; null when clipping is off (`maxNorm` 0 or less).
 */
export function clipFactor(engine: Engine, norm: Tensor, maxNorm: number): Tensor | null {
  const { ops } = engine;
  if (maxNorm <= 0) return null;
  return engine.tidy(() => ops.minimum(ops.div(maxNorm, ops.add(norm, 1e-6)), 1));
}
