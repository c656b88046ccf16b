import type { GraphBuilder } from "./builder.ts";
import type { Value } from "../graph.ts";
import { given, type Kernel } from "./kernel.ts";

/**
 * Products of single matrices turn their operands in the product itself (Gemm), batches of matrices before it; a pass joins the two
 * where the provider has a product for that.
 */
export const matMul: Kernel = (graph, [a, b], { transposeA, transposeB }) => {
  const turned = [transposeA === true, transposeB === true] as const;
  const batch = broadcastBatch(given(a), given(b));
  if (batch.every((size) => size === 1)) {
    const product = single(graph, lastTwo(graph, given(a)), lastTwo(graph, given(b)), turned);
    return graph.reshape(product, [...batch, ...product.shape]);
  }
  const x = turned[0] ? turn(graph, given(a)) : given(a);
  const y = turned[1] ? turn(graph, given(b)) : given(b);
  return graph.emit("MatMul", [x, y], [...batch, x.shape.at(-2) ?? 0, y.shape.at(-1) ?? 0], "float32");
};

function single(graph: GraphBuilder, a: Value, b: Value, [transA, transB]: readonly [boolean, boolean]): Value {
  const shape = [a.shape[transA ? 1 : 0] ?? 0, b.shape[transB ? 0 : 1] ?? 0];
  if (!transA && !transB) return graph.emit("MatMul", [a, b], shape, "float32");
  return graph.emit("Gemm", [a, b], shape, "float32", { transA: Number(transA), transB: Number(transB) });
}

function lastTwo(graph: GraphBuilder, x: Value): Value {
  return graph.reshape(x, x.shape.slice(-2));
}

function turn(graph: GraphBuilder, x: Value): Value {
  const last = x.shape.length - 1;
  const perm = [...x.shape.keys()].slice(0, -2).concat(last, last - 1);
  return graph.emit(
    "Transpose",
    [x],
    perm.map((axis) => x.shape[axis] ?? 0),
    "float32",
    { perm },
  );
}

/** The leading axes of the product. */
function broadcastBatch(a: Value, b: Value): number[] {
  const [x, y] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const rank = Math.max(x.length, y.length);
  const at = (shape: readonly number[], axis: number) => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => Math.max(at(x, axis), at(y, axis)));
}
