import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Shape } from "../../contract.ts";
import type { Attribute, ElementType, Graph, Initializer, Node, Value } from "../graph.ts";
import { composites } from "../composites.ts";
import { verifyFully } from "./verify.ts";

const test = suite("onnx shape verification");

type Typed = readonly [Shape, ElementType?];
const value = (name: string, [shape, dtype = "float32"]: Typed): Value => ({ name, shape, dtype });
const int64 = (name: string, numbers: readonly number[]): Initializer => ({
  ...value(name, [[numbers.length], "int64"]),
  bytes: new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer),
});

/** One node; operands that are lists of numbers are int64 constants, others inputs. */
function problem(
  op: string,
  operands: readonly (Typed | readonly number[])[],
  made: Typed,
  attributes: Readonly<Record<string, Attribute>> = {},
): string | undefined {
  const names = operands.map((_, i) => `x${i}`);
  const isConstant = (x: Typed | readonly number[]): x is readonly number[] => typeof x[0] !== "object";
  const node: Node = { op, inputs: names, outputs: [value("y", made)], attributes };
  const graph: Graph = {
    inputs: operands.flatMap((x, i) => (isConstant(x) ? [] : [value(names[i] ?? "", x)])),
    initializers: operands.flatMap((x, i) => (isConstant(x) ? [int64(names[i] ?? "", x)] : [])),
    nodes: [node],
    outputs: ["y"],
  };
  return verifyFully(graph)[0]?.replace(`${op} that makes y `, "");
}

test("elementwise operators broadcast, and take operands of one type", () => {
  assert.is(problem("Add", [[[2, 1]], [[3]]], [[2, 3]]), undefined);
  assert.is(problem("Less", [[[2, 1]], [[]]], [[2, 1], "bool"]), undefined);
  assert.is(problem("Add", [[[2, 1]], [[3]]], [[3, 2]]), "is recorded as float32[3, 2], it is float32[2, 3]");
  assert.is(problem("Less", [[[2]], [[2]]], [[2]]), "is recorded as float32[2], it is bool[2]");
  assert.is(problem("Mul", [[[2]], [[3]]], [[3]]), "does not broadcast [2] and [3]");
  assert.is(problem("Mul", [[[2]], [[0]]], [[0]]), "does not broadcast [2] and [0]");
  assert.is(problem("Mul", [[[2]], [[2], "int32"]], [[2]]), "mixes float32 (x0) and int32 (x1)");
  assert.is(problem("Exp", [[[2], "int32"]], [[2], "int32"]), "does not take int32 (x0)");
  assert.is(problem("Where", [[[2], "bool"], [[]], [[3, 1]]], [[3, 2]]), undefined);
  assert.is(problem("Where", [[[2]], [[]], [[3, 1]]], [[3, 2]]), "does not take float32 (x0)");
  assert.is(problem("Cast", [[[2], "bfloat16"]], [[2]], { to: 1 }), undefined);
  assert.is(problem("Cast", [[[2]]], [[2], "int32"], { to: 2 }), "has to=2");
});

test("products need the same inner size, and biases fit the product", () => {
  assert.is(problem("MatMul", [[[5, 1, 2, 3]], [[4, 3, 7]]], [[5, 4, 2, 7]]), undefined);
  assert.is(problem("Conv", [[[1, 2, 3, 4, 5]], [[7, 2, 3, 1, 3]], [[7]]], [[1, 7, 1, 4, 3]]), undefined);
  assert.is(
    problem("Conv", [[[1, 2, 3, 4, 5]], [[7, 3, 3, 1, 3]]], [[1, 7, 1, 4, 3]]),
    "convolves [1, 2, 3, 4, 5] with [7, 3, 3, 1, 3]",
  );
  assert.is(
    problem("Conv", [[[1, 2, 3, 4, 5]], [[7, 2, 3, 1, 3]], [[2]]], [[1, 7, 1, 4, 3]]),
    "adds [2] to 7 channels",
  );
  const pads = [1, 0, 1, 0, 0, 1];
  assert.is(problem("Conv", [[[1, 2, 3, 4, 5]], [[7, 2, 3, 1, 3]]], [[1, 7, 2, 4, 5]], { pads }), undefined);
  assert.is(
    problem("Conv", [[[1, 2, 3, 4, 5]], [[7, 2, 3, 1, 3]]], [[1, 7, 2, 4, 5]], { pads: [1, 0, 1] }),
    "convolves [1, 2, 3, 4, 5] with [7, 2, 3, 1, 3] and pads 1,0,1",
  );
  assert.is(problem("MatMul", [[[2, 3]], [[2, 3]]], [[2, 3]]), "multiplies [2, 3] and [2, 3]");
  assert.is(problem("Gemm", [[[3, 2]], [[4, 3]], [[4]]], [[2, 4]], { transA: 1, transB: 1 }), undefined);
  assert.is(problem("Gemm", [[[3, 2]], [[4, 3]]], [[2, 4]]), "multiplies [3, 2] and [4, 3]");
  assert.is(problem("Gemm", [[[2, 3]], [[3, 1]], [[4]]], [[2, 1]]), "adds [4] to a product of [2, 1]");
});

test("reductions leave out their axes or keep them as 1", () => {
  assert.is(problem("ReduceSum", [[[2, 3, 4]], [0, -1]], [[3]], { keepdims: 0 }), undefined);
  assert.is(problem("ReduceMean", [[[2, 3, 4]], [1]], [[2, 1, 4]]), undefined);
  assert.is(problem("ReduceMax", [[[2, 3]]], [[]], { keepdims: 0 }), undefined);
  assert.is(problem("ReduceSum", [[[2, 3]], [2]], [[2]], { keepdims: 0 }), "has an axis 2 of 2");
  assert.is(problem("ReduceSum", [[[2]], [[1], "int64"]], [[]], { keepdims: 0 }), "has no constant axes");
  assert.is(problem("Softmax", [[[2, 3]]], [[2, 3]], { axis: 1 }), undefined);
});

test("operators that move values keep their count, within the limits of the axes", () => {
  assert.is(problem("Reshape", [[[2, 3]], [3, 2]], [[3, 2]]), undefined);
  assert.is(problem("Reshape", [[[2, 3]], [0, 3]], [[0, 3]]), "is recorded as float32[0, 3], it is float32[2, 3]");
  assert.is(problem("Reshape", [[[2, 3]], [4]], [[4]]), "makes [4] of [2, 3]");
  assert.is(problem("Reshape", [[[2, 3]], [[2], "int64"]], [[3, 2]]), undefined);
  assert.is(problem("Reshape", [[[2, 3]], [[1], "int64"]], [[3, 2]]), "has a shape of 1 axes, not 2");
  assert.is(problem("Expand", [[[2, 1]], [5, 1, 3]], [[5, 2, 3]]), undefined);
  assert.is(problem("Transpose", [[[2, 3]]], [[3, 2]], { perm: [1, 0] }), undefined);
  assert.is(problem("Transpose", [[[2, 3]]], [[3, 2]], { perm: [1, 1] }), "has perm=[1, 1] for 2 axes");
  assert.is(problem("Concat", [[[2, 3]], [[2, 1]]], [[2, 4]], { axis: 1 }), undefined);
  assert.is(problem("Concat", [[[2, 3]], [[1, 3]]], [[3, 3]], { axis: 1 }), "joins [2, 3] and [1, 3]");
  assert.is(problem("Slice", [[[2, 5]], [1], [4], [1]], [[2, 3]]), undefined);
  assert.is(problem("Slice", [[[2, 5]], [-2], [9], [-1]], [[2, 2]]), undefined);
  assert.is(problem("Slice", [[[2, 5]], [1], [4, 4], [1]], [[2, 3]]), "has limits for other axes");
  assert.is(problem("Gather", [[[5, 3]], [[2, 2], "int32"]], [[2, 2, 3]], { axis: 0 }), undefined);
  assert.is(problem("Gather", [[[5, 3]], [[2]]], [[2, 3]]), "does not take float32 (x1)");
  assert.is(problem("Pad", [[[2, 3]], [1, 0, 0, 2]], [[3, 5]]), undefined);
  assert.is(problem("Tile", [[[2, 3]], [2, 1]], [[4, 3]]), undefined);
  assert.is(problem("Tile", [[[2, 3]], [2]], [[4, 3]]), "has 1 numbers for 2");
});

test("bfloat16 is a type of its own, next to which numbers need no type", () => {
  const low = (...shape: number[]): Typed => [shape, "bfloat16"];
  assert.is(problem("Mul", [low(2, 3), [[]]], low(2, 3)), undefined);
  assert.is(problem("Mul", [low(2, 3), [[3]]], low(2, 3)), "mixes bfloat16 (x0) and float32 (x1)");
  assert.is(problem("MatMul", [low(2, 3), low(3, 4)], low(2, 4)), undefined);
  assert.is(problem("MatMul", [low(2, 3), [[3, 4]]], low(2, 4)), "mixes bfloat16 (x0) and float32 (x1)");
  assert.is(problem("ReduceSum", [low(2, 3), [1]], [[2, 1]]), undefined);
  assert.is(problem("ReduceSum", [low(2, 3), [1]], low(2, 1)), "is recorded as bfloat16[2, 1], it is float32[2, 1]");
  assert.is(problem("Softmax", [low(2, 3)], low(2, 3), { axis: 1 }), "does not take bfloat16 (x0)");
});

test("attention takes a bias that broadcasts to the scores, and its gradients are shaped like its operands", () => {
  const [q, k]: Typed[] = [[[2, 4, 5, 8]], [[2, 4, 7, 8]]] as [Typed, Typed];
  const made = (op: string, operands: readonly Typed[], count: number): string | undefined => {
    const inputs = operands.map((x, i) => value(`x${i}`, x));
    const types = composites.get(op)?.(inputs, { scale: 0.5 }).slice(0, count) ?? [];
    const outputs = types.map((type, i) => ({ ...type, name: `y${i}` }));
    const names = inputs.map(({ name }) => name);
    const node: Node = { op, inputs: names, outputs, attributes: { scale: 0.5 } };
    return verifyFully({ inputs, initializers: [], nodes: [node], outputs: outputs.map(({ name }) => name) })[0];
  };
  for (const bias of [[], [[[2, 1, 1, 7]] as Typed], [[[1, 1, 5, 7]] as Typed]]) {
    assert.is(made("Attention", [q, k, k, ...bias], 2), undefined);
    assert.is(made("AttentionGrad", [q, q, k, k, q, [[2, 4, 5]], ...bias], 4), undefined);
  }
  assert.is(made("Attention", [q, k, k], 1), undefined);
  assert.throws(() => made("Attention", [q, k, q], 1), /attends with \[2, 4, 5, 8\] to \[2, 4, 7, 8\] and/);
  assert.throws(() => made("Attention", [q, k, k, [[2, 1, 5, 5]]], 1), /does not broadcast/);
  assert.throws(() => made("Attention", [q, k, [k[0], "bfloat16"]], 1), /mixes float32 \(x0\) and bfloat16 \(x2\)/);
});

test("our own operators say what does not fit", () => {
  const typed = (...shape: number[]): Typed => [shape];
  const wrong = (
    op: string,
    operands: readonly Typed[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string => {
    const inputs = operands.map((x, i) => value(`x${i}`, x));
    const names = inputs.map(({ name }) => name);
    const node: Node = { op, inputs: names, outputs: [value("y", [[7]])], attributes };
    return (
      verifyFully({ inputs, initializers: [], nodes: [node], outputs: ["y"] })[0]?.replace(/^.* y /, "") ?? "nothing"
    );
  };
  const table: readonly (readonly [string, readonly Typed[], string])[] = [
    ["Linear", [typed(2, 5, 3), typed(4, 3)], "is recorded as float32[7], it is float32[2, 5, 4]"],
    ["Linear", [typed(2, 3), typed(4, 2)], "takes [2, 3] through [4, 2]"],
    ["Linear", [typed(2, 3), typed(4, 3), typed(3)], "takes [2, 3] through [4, 3] and [3]"],
    ["Linear", [typed(2, 3), [[4, 3], "bfloat16"]], "mixes float32 (x0) and bfloat16 (x1)"],
    ["LinearGradInput", [typed(2, 4), typed(4, 3)], "is recorded as float32[7], it is float32[2, 3]"],
    ["LinearGradInput", [typed(2, 3), typed(4, 3)], "takes [2, 3] back through [4, 3]"],
    ["LinearGradWeight", [typed(2, 5, 4), typed(2, 5, 3)], "is recorded as float32[7], it is float32[4, 3]"],
    ["LinearGradWeight", [typed(5, 4), typed(2, 3)], "takes the rows of [5, 4] and [2, 3]"],
    ["RmsNorm", [typed(2, 3), typed(2)], "weighs [2, 3] by [2]"],
    ["RmsNormGrad", [typed(2, 3), typed(2, 3), typed(2, 3)], "takes [2, 3] and [2, 3] for [2, 3]"],
    ["GeluGrad", [typed(2, 3), typed(3)], "takes [2, 3] and [3]"],
    ["Modulate", [typed(2, 4, 3), typed(3), typed(1, 3)], "modulates [2, 4, 3] by [3] and [1, 3]"],
    ["Modulate", [typed(4, 3), typed(2, 1, 3), typed(2, 1, 3)], "modulates [4, 3] by [2, 1, 3] and [2, 1, 3]"],
    ["ModulateGrad", [typed(4, 3), typed(3), typed(3)], "takes [4, 3] and [3]"],
    [
      "Rotate",
      [typed(1, 2, 5, 4), typed(1, 2, 5, 4), typed(1, 2, 5, 4)],
      "does not broadcast [1, 2, 5, 4] and [1, 2, 5, 2]",
    ],
    ["AdamW", [typed(), typed(), typed(), typed(), typed(), typed(2), typed(3), typed(2), typed(2)], "takes [3]"],
    ["AdamW", [typed(), typed(2), typed(2), typed(2), typed(2)], "has 5 inputs for 1 parameters"],
  ];
  for (const [op, operands, message] of table)
    assert.is(wrong(op, operands, { pairs: "halves", count: 1 }), message, `${op} of ${JSON.stringify(operands)}`);
});

test("unknown operators are reported, and a graph that `verify` refuses is not checked further", () => {
  assert.is(problem("Einsum", [[[2]]], [[2]]), "is not known");
  const nodes: Node[] = [{ op: "Einsum", inputs: ["nowhere"], outputs: [value("y", [[1]])], attributes: {} }];
  assert.equal(verifyFully({ inputs: [], initializers: [], nodes, outputs: ["y"] }), [
    "Einsum reads nowhere before it is defined",
  ]);
});

test.run();
