import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Graph, Value } from "./graph.ts";
import { memoryOf } from "./memory.ts";
import { GraphBuilder } from "./record/builder.ts";

const test = suite("onnx graph memory");

function recorded(body: (graph: GraphBuilder) => readonly Value[]): Graph {
  const graph = new GraphBuilder();
  return graph.finish(body(graph));
}

const float = (graph: GraphBuilder, op: string, inputs: readonly Value[], shape: readonly number[]) =>
  graph.emit(op, inputs, shape, "float32");

test("values live from the node that makes them to their last reader", () => {
  const graph = recorded((g) => {
    const x = g.input([10, 10], "float32");
    // 400 bytes, then 400 more for the next as long as the first is read, then 40 for what is left.
    const a = float(g, "MatMul", [x, x], [10, 10]);
    const b = float(g, "MatMul", [a, x], [10, 10]);
    const sum = g.emit("ReduceSum", [b, g.integers([0])], [10], "float32", { keepdims: 0 });
    return [float(g, "Neg", [sum], [10])];
  });
  const { inputs, constants, files, peak, peakAt, largest } = memoryOf(graph);
  assert.is(largest, 400);
  assert.equal({ inputs, constants, files, peak }, { inputs: 400, constants: 8, files: 0, peak: 800 });
  assert.is(peakAt?.name, graph.nodes[1]?.outputs[0]?.name);
});

test("what nothing reads later is written over, what is read later is not", () => {
  const chain = (readsAgain: boolean) =>
    recorded((g) => {
      const a = float(g, "MatMul", [g.input([10, 10], "float32"), g.input([10, 10], "float32")], [10, 10]);
      const b = float(g, "Exp", [a], [10, 10]);
      const c = float(g, "Neg", [b], [10, 10]);
      return [readsAgain ? float(g, "Add", [a, c], [10, 10]) : c];
    });
  assert.is(memoryOf(chain(false)).peak, 400);
  assert.is(memoryOf(chain(true)).peak, 800);
});

test("another shape takes nothing and keeps what it is a view of", () => {
  const graph = recorded((g) => {
    const a = float(g, "MatMul", [g.input([10, 10], "float32"), g.input([10, 10], "float32")], [10, 10]);
    const flat = g.reshape(a, [100]);
    const wide = float(g, "Expand", [g.input([1], "float32"), g.integers([3, 100])], [3, 100]);
    return [float(g, "Mul", [flat, wide], [3, 100])];
  });
  // The product of matrices, 400 bytes, is read through its view after the expansion, 1200 bytes.
  assert.is(memoryOf(graph).peak, 1600);
});

test("outputs stay until the end, a value that is two of them as two", () => {
  const graph = recorded((g) => {
    const x = g.input([25], "float32");
    const a = float(g, "Exp", [x], [25]);
    const wide = float(g, "Expand", [a, g.integers([2, 25])], [2, 25]);
    return [a, a, x, wide];
  });
  assert.is(memoryOf(graph).peak, 100 + 100 + 100 + 200);
});

test("weights in files are not counted as memory", () => {
  const graph = recorded((g) => [
    g.stored({ path: "/w", offset: 0, length: 200, shape: [10, 10], dtype: "bfloat16" }),
    g.constant(Float32Array.of(1, 2), [2], "float32"),
  ]);
  const { files, constants, peak } = memoryOf(graph);
  assert.equal({ files, constants, peak }, { files: 200, constants: 8, peak: 408 });
  assert.is(memoryOf({ inputs: [], initializers: [], nodes: [], outputs: [] }).peakAt, null);
});

test.run();
