import type { GraphBuilder } from "./builder.ts";
import type { Value } from "../graph.ts";
import { given, type Kernel } from "./kernel.ts";

/**
 * A product of two single matrices transposes its operands itself (Gemm). Batches of matrices are transposed before the product; the
 * pass `fuseTransposes` joins the two if the provider has an operator for that.
 */
export const matMul: Kernel = (graph, [a, b], { transposeA, transposeB }) => {
  const transposed = [transposeA === true, transposeB === true] as const;
  const batch = broadcastBatch(given(a), given(b));
  if (batch.every((size) => size === 1)) {
    const product = single(graph, lastTwo(graph, given(a)), lastTwo(graph, given(b)), transposed);
    return graph.reshape(product, [...batch, ...product.shape]);
  }
  const x = transposed[0] ? transpose(graph, given(a)) : given(a);
  const y = transposed[1] ? transpose(graph, given(b)) : given(b);
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

function transpose(graph: GraphBuilder, x: Value): Value {
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

/** The leading axes of the product, broadcast. */
function broadcastBatch(a: Value, b: Value): number[] {
  const [x, y] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const rank = Math.max(x.length, y.length);
  const at = (shape: readonly number[], axis: number) => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => Math.max(at(x, axis), at(y, axis)));
}
