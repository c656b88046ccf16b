import type { NamedAttrMap } from "@tensorflow/tfjs";
import type { Value } from "../graph.ts";
import type { GraphBuilder } from "./builder.ts";

/** Appends what a kernel of tfjs computes to the graph, and returns the result or results. The inputs are in tfjs's order. */
export type Kernel = (graph: GraphBuilder, inputs: readonly Value[], attributes: NamedAttrMap) => Value | Value[];

/** An input that every call of the kernel has. */
export function given(x: Value | undefined): Value {
  if (x === undefined) throw new Error("a kernel was called with too few tensors");
  return x;
}
