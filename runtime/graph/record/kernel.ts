import type { NamedAttrMap } from "@tensorflow/tfjs";
import type { Value } from "../graph.ts";
import type { GraphBuilder } from "./builder.ts";

/** What a kernel appends to the graph: from its inputs, in tfjs's order, to its result or results. */
export type Kernel = (graph: GraphBuilder, inputs: readonly Value[], attributes: NamedAttrMap) => Value | Value[];

/** An input that the kernel has by its definition. */
export function given(x: Value | undefined): Value {
  if (x === undefined) throw new Error("a kernel was called with too few tensors");
  return x;
}
