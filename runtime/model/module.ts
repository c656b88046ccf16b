import type { Ops, Tensor } from "../contract.ts";
import { withinPart } from "../call-site.ts";

/** A low-rank addition to one linear layer: `y += scale * B(A(dropout(x)))`. */
export interface Adapter {
  /** `[r, in]` */
  readonly a: Tensor;
  /** `[out, r]` */
  readonly b: Tensor;
  /** alpha / r */
  readonly scale: number;
  /** What A gets of the layer's input, while training with dropout. */
  readonly dropout?: (x: Tensor) => Tensor;
}

/** Adapters by the full name of their linear layer; asked anew in every forward pass, since training replaces them. */
export interface Adapters {
  get(module: string): Adapter | undefined;
}

/**
 * Named parameters as the forward pass reads them. Every linear layer of the model is computed by `linear`, which is how
 * adapters take effect on all of them.
 */
export interface Module {
  readonly ops: Ops;
  /** Runs `f`; where it fails on the device, the error says that it was in this part. */
  within<T>(f: () => T): T;
  /** The part whose names begin with `prefix`. */
  at(prefix: string): Module;
  has(name: string): boolean;
  parameter(name: string): Tensor;
  /** `x [..., in]` through the linear layer `name`, with its bias and adapter where it has them. */
  linear(name: string, x: Tensor): Tensor;
}

/** A module over weights by full name and adapters by the linear layer's full name. */
export function createModule(
  ops: Ops,
  weights: ReadonlyMap<string, Tensor>,
  adapters: Adapters = new Map(),
  prefix = "",
): Module {
  const parameter = (name: string) => {
    const found = weights.get(prefix + name);
    if (found === undefined) throw new Error(`the model has no parameter ${prefix}${name}`);
    return found;
  };
  return {
    ops,
    within: (f) => withinPart(prefix.replace(/\.$/, ""), f),
    at: (part) => createModule(ops, weights, adapters, prefix + part),
    has: (name) => weights.has(prefix + name),
    parameter,
    linear: (name, x) =>
      withinPart(prefix + name, () => {
        const y = ops.linear(x, parameter(`${name}.weight`), weights.get(`${prefix}${name}.bias`) ?? null);
        const adapter = adapters.get(prefix + name);
        return adapter === undefined ? y : ops.add(y, adapted(ops, adapter, x));
      }),
  };
}

/** The scale is applied at the narrowest place. */
function adapted(ops: Ops, { a, b, scale, dropout = (x) => x }: Adapter, x: Tensor): Tensor {
  return ops.linear(ops.mul(ops.linear(dropout(x), a, null), scale), b, null);
}
