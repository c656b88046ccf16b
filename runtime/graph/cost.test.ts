import { suite } from "uvu";
import * as assert from "uvu/assert";
import { costOf } from "./cost.ts";
import { GraphBuilder } from "./record/builder.ts";

const test = suite("onnx graph cost");

test("products of matrices count their operations, all else the bytes that it moves", () => {
  const g = new GraphBuilder();
  const a = g.emit("MatMul", [g.input([2, 3, 4], "float32"), g.input([4, 5], "float32")], [2, 3, 5], "float32");
  const flat = g.reshape(a, [6, 5]);
  const bias = g.input([5], "float32");
  const b = g.emit("Gemm", [g.input([6, 7], "float32"), flat, bias], [7, 5], "float32", { transA: 1 });
  const sum = g.emit("Add", [b, bias], [7, 5], "float32");
  // Reshaping the product moves nothing; the addition reads 35 + 5 numbers and writes 35.
  const expected = { matmulFlops: 2 * 4 * 30 + 2 * 6 * 35, movedBytes: 4 * 75, copiedBytes: 0, nodes: 5 };
  assert.equal(costOf(g.finish([sum])), expected);
});

test.run();
