import { suite } from "uvu";
import * as assert from "uvu/assert";
import { valuesOf, verify, type Graph, type Value } from "./graph.ts";
import { encodeModel } from "../engine/onnx/encode-model.ts";
import { printGraph } from "./text.ts";

const test = suite("onnx graph");

const value = (name: string, shape: readonly number[] = [2]): Value => ({ name, shape, dtype: "float32" });
const good: Graph = {
  inputs: [value("x", [2, 3])],
  initializers: [{ name: "axes", shape: [1], dtype: "int64", bytes: new Uint8Array(8) }],
  nodes: [
    { op: "ReduceSum", inputs: ["x", "axes"], outputs: [value("s", [3])], attributes: { keepdims: 0 } },
    { op: "Clip", inputs: ["s", "", "s"], outputs: [value("y", [3])], attributes: { perm: [1, 0], mode: "a" } },
  ],
  outputs: ["y"],
};

test("a good graph has nothing to report and reads well", () => {
  assert.equal(verify(good), []);
  assert.is(
    printGraph(good),
    [
      "input x: float32[2, 3]",
      "constant axes: int64[1]",
      "s: float32[3] = ReduceSum(x, axes) keepdims=0",
      "y: float32[3] = Clip(s, _, s) perm=[1, 0] mode=a",
      "output y",
    ].join("\n"),
  );
  assert.equal([...valuesOf(good).keys()], ["x", "axes", "s", "y"]);
});

test("all mistakes are reported at once, and such a graph is not written", () => {
  const bad: Graph = {
    inputs: [value("x"), value("x")],
    initializers: [{ ...value("w"), bytes: new Uint8Array(7) }],
    nodes: [
      { op: "Neg", inputs: ["late"], outputs: [value("early", [2, -1])], attributes: {} },
      { op: "Neg", inputs: ["x"], outputs: [value("late")], attributes: {} },
    ],
    outputs: ["nowhere"],
  };
  assert.equal(verify(bad), [
    "x is defined twice",
    "early has the shape [2, -1]",
    "w has 7 bytes, its shape needs 8",
    "Neg reads late before it is defined",
    "the output nowhere is not defined",
  ]);
  assert.throws(() => encodeModel(bad), /the recorded graph is wrong: x is defined twice; early/);
});

test.run();
