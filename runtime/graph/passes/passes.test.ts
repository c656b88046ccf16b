import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Shape } from "../../contract.ts";
import { startOnnxDevice } from "../../engine/onnx/device.ts";
import { valuesOf, type Graph, type Value } from "../graph.ts";
import { executionOrder } from "../order.ts";
import { GraphBuilder } from "../record/builder.ts";
import { mergeCommonSubexpressions } from "./common-subexpressions.ts";
import { removeDeadCode } from "./dead-code.ts";
import { Edit } from "./edit.ts";
import { splitWeights } from "./split-weights.ts";
import { adaptToWebGpu } from "./for-webgpu.ts";
import { optimize } from "./index.ts";
import { simplify } from "./simplify.ts";
import { fuseSums } from "./fuse-sums.ts";
import { verifyFully } from "./verify.ts";

const test = suite("onnx passes");
const device = await startOnnxDevice();

function recorded(body: (graph: GraphBuilder) => readonly Value[]): Graph {
  const graph = new GraphBuilder();
  return graph.finish(body(graph));
}

const opsOf = (graph: Graph) => graph.nodes.map(({ op }) => op).join(" ");

function numbers({ shape }: Value, seed: number): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.7 * i)) };
}

async function outputsOf(graph: Graph): Promise<HostTensor[]> {
  const session = device.open(graph);
  const ids = device.run(session, graph.inputs.map(numbers), graph.outputs.length);
  const values = await Promise.all(ids.map((id) => device.read(id)));
  device.close(session);
  return values;
}

/** The pass leaves these operators, and the outputs are unchanged. */
async function becomes(pass: (graph: Graph) => Graph, before: Graph, ops: string): Promise<void> {
  const after = pass(before);
  assert.is(opsOf(after), ops);
  assert.equal(verifyFully(after), []);
  const [expected, actual] = [await outputsOf(before), await outputsOf(after)];
  expected.forEach(({ data, shape }, i) => {
    assert.equal(actual[i]?.shape, shape);
    data.forEach((x, j) => assert.ok(Math.abs(x - (actual[i]?.data[j] ?? NaN)) < 1e-6, `output ${i} at ${j}`));
  });
}

const float = (graph: GraphBuilder, op: string, inputs: readonly Value[], shape: Shape) =>
  graph.emit(op, inputs, shape, "float32");
const scalar = (graph: GraphBuilder, x: number) => graph.constant(Float32Array.of(x), [], "float32");

test("what is added to a layer or to the gradient of its input is added by it, if nothing else reads that", () => {
  const graph = (isShared: boolean) =>
    recorded((g) => {
      const [x, w, a] = [g.input([2, 3, 4], "float32"), g.input([4, 4], "float32"), g.input([4, 4], "float32")];
      const [first, second] = [w, a].map((weight) => float(g, "Linear", [x, weight], [2, 3, 4])) as [Value, Value];
      const sum = float(g, "Add", [first, second], [2, 3, 4]);
      const gradient = float(g, "LinearGradInput", [x, w], [2, 3, 4]);
      return [float(g, "Add", [gradient, sum], [2, 3, 4]), ...(isShared ? [second, gradient] : [])];
    });
  const [fused, shared] = [fuseSums(graph(false)), fuseSums(graph(true))];
  assert.is(opsOf(fused), "Linear LinearAdd LinearGradInputAdd Identity");
  // Here the second layer is read by others, so the first one adds it.
  assert.is(opsOf(shared), "Linear LinearAdd LinearGradInput Add Identity Identity Identity");
  assert.equal([...verifyFully(fused), ...verifyFully(shared)], []);
  const row = recorded((g) => {
    const [x, w, b] = [g.input([2, 3, 4], "float32"), g.input([4, 4], "float32"), g.input([4], "float32")];
    return [float(g, "Add", [float(g, "Linear", [x, w], [2, 3, 4]), b], [2, 3, 4])];
  });
  assert.is(opsOf(fuseSums(row)), "Linear Add Identity");
});

test("dead code is removed, inputs stay", async () => {
  const graph = recorded((g) => {
    const [x, y] = [g.input([2], "float32"), g.input([3], "float32")];
    float(g, "Neg", [y], [3]);
    return [float(g, "Neg", [x], [2])];
  });
  await becomes(removeDeadCode, graph, "Neg Identity");
  assert.is(removeDeadCode(graph).inputs.length, 2);
});

test("equal computations are merged; other attributes make a difference", async () => {
  const graph = recorded((g) => {
    const x = g.input([2, 3], "float32");
    const [a, b] = [float(g, "Exp", [x], [2, 3]), float(g, "Exp", [x], [2, 3])];
    const softmax = (axis: number) => g.emit("Softmax", [x], [2, 3], "float32", { axis });
    return [float(g, "Add", [a, b], [2, 3]), float(g, "Sub", [softmax(0), softmax(1)], [2, 3])];
  });
  await becomes(mergeCommonSubexpressions, graph, "Exp Add Softmax Softmax Sub Identity Identity");
});

test("expanded operands are used as they are before the expansion", async () => {
  const graph = recorded((g) => {
    const [x, row] = [g.input([4, 3], "float32"), g.input([1, 3], "float32")];
    return [float(g, "Mul", [x, g.expand(row, [4, 3])], [4, 3])];
  });
  await becomes((g) => removeDeadCode(simplify(g)), graph, "Mul Identity");
});

test("if all operands are expanded, the result is expanded instead", async () => {
  const graph = recorded((g) => {
    const row = g.input([1, 3], "float32");
    const wide = g.expand(row, [4, 3]);
    return [float(g, "Mul", [float(g, "Exp", [wide], [4, 3]), wide], [4, 3])];
  });
  await becomes((g) => removeDeadCode(simplify(g)), graph, "Exp Mul Expand");
});

test("a product with ones, as in gradients of sums, is an expansion", async () => {
  const graph = recorded((g) => {
    const x = g.input([2, 3], "float32");
    const ones = g.constant(new Float32Array(6).fill(1), [2, 3], "float32");
    const dy = g.reshape(g.constant(Float32Array.of(1), [], "float32"), [1, 1]);
    return [float(g, "Add", [x, float(g, "Mul", [dy, ones], [2, 3])], [2, 3])];
  });
  await becomes(optimize, graph, "Add Identity");
});

test("the sum of an expanded value is a product", async () => {
  const graph = recorded((g) => {
    const x = g.input([], "float32");
    const sum = g.emit("ReduceSum", [g.expand(x, [4, 5]), g.integers([1])], [4], "float32", { keepdims: 0 });
    return [sum];
  });
  await becomes(optimize, graph, "Reshape Mul Expand");
});

test("sums and means of a value that is expanded along some axes only", async () => {
  const reduced = (op: string, axes: readonly number[], shape: Shape, keepdims: number) =>
    recorded((g) => {
      const wide = g.expand(g.input([3, 1], "float32"), [2, 3, 4]);
      return [g.emit(op, [wide, g.integers(axes)], shape, "float32", { keepdims })];
    });
  await becomes(optimize, reduced("ReduceSum", [0, 1], [4], 0), "Reshape ReduceSum Mul Expand");
  await becomes(optimize, reduced("ReduceMean", [0, 1], [1, 1, 4], 1), "Reshape ReduceMean Expand");
  await becomes(optimize, reduced("ReduceSum", [-1], [2, 3], 0), "Reshape Mul Expand");
  await becomes(optimize, reduced("ReduceMean", [0, 2], [3], 0), "Reshape Identity");
  await becomes(optimize, reduced("ReduceSum", [1], [2, 4], 0), "Reshape ReduceSum Expand");
});

test("neutral operands, factors, transposing twice", async () => {
  const graph = recorded((g) => {
    const x = g.input([2, 3], "float32");
    const one = float(g, "Div", [float(g, "Add", [x, scalar(g, 0)], [2, 3]), scalar(g, 1)], [2, 3]);
    const six = float(g, "Mul", [scalar(g, 2), float(g, "Mul", [one, scalar(g, 3)], [2, 3])], [2, 3]);
    const transposed = g.emit("Transpose", [six], [3, 2], "float32", { perm: [1, 0] });
    return [g.emit("Transpose", [transposed], [2, 3], "float32", { perm: [1, 0] })];
  });
  await becomes(optimize, graph, "Mul Identity");
});

test("transposing axes of size 1 is reshaping, and reshaping twice is reshaping once", async () => {
  const graph = recorded((g) => {
    const x = g.input([1, 2, 3], "float32");
    const transposed = g.emit("Transpose", [x], [2, 1, 3], "float32", { perm: [1, 0, 2] });
    return [g.reshape(transposed, [6])];
  });
  await becomes(optimize, graph, "Reshape Identity");
});

test("0 - x keeps its order, and x * 1 of a smaller x its size", async () => {
  const graph = recorded((g) => {
    const x = g.input([3], "float32");
    const ones = g.constant(Float32Array.of(1), [1, 1], "float32");
    return [float(g, "Sub", [scalar(g, 0), x], [3]), float(g, "Mul", [x, ones], [1, 3])];
  });
  await becomes(optimize, graph, "Sub Reshape Identity Identity");
});

test("a new value has no name of the old graph, not even one that is still to come", () => {
  const x: Value = { name: "x", shape: [2], dtype: "float32" };
  const late = { op: "Neg", inputs: ["x"], outputs: [{ ...x, name: "Neg_p0" }], attributes: {} };
  const graph: Graph = { inputs: [x], initializers: [], nodes: [late], outputs: ["Neg_p0"] };
  const edit = new Edit(graph);
  edit.emit("Neg", ["x"], [2], "float32");
  edit.push(late);
  assert.equal(verifyFully(edit.finish(graph)), []);
});

test("a bias is fused into the product, unless the product is read elsewhere", async () => {
  const layer = (isReadTwice: boolean) =>
    recorded((g) => {
      const [x, w, b] = [g.input([2, 3], "float32"), g.input([4, 3], "float32"), g.input([4], "float32")];
      const product = g.emit("Gemm", [x, w], [2, 4], "float32", { transB: 1 });
      const sum = float(g, "Add", [product, b], [2, 4]);
      return isReadTwice ? [sum, product] : [sum];
    });
  await becomes(fuseSums, layer(false), "Gemm Identity");
  await becomes(fuseSums, layer(true), "Gemm Add Identity Identity");
});

test("a sum of two products is fused into the second; a row of one element is no bias", async () => {
  const sum = recorded((g) => {
    const [x, w] = [g.input([2, 3], "float32"), g.input([3, 4], "float32")];
    const [a, b] = [g.input([2, 1], "float32"), g.input([4, 1], "float32")];
    const low = g.emit("Gemm", [a, b], [2, 4], "float32", { transB: 1 });
    return [float(g, "Add", [float(g, "MatMul", [x, w], [2, 4]), low], [2, 4])];
  });
  await becomes(fuseSums, sum, "MatMul Gemm Identity");
  const column = recorded((g) => {
    const [x, w, b] = [g.input([2, 3], "float32"), g.input([3, 1], "float32"), g.input([4], "float32")];
    return [float(g, "Add", [float(g, "MatMul", [x, w], [2, 1]), b], [2, 4])];
  });
  await becomes(fuseSums, column, "MatMul Add Identity");
});

test("transposes are fused into products, and additions are done before reshapes", async () => {
  const graph = recorded((g) => {
    const [x, w, v] = [g.input([3, 2], "float32"), g.input([4, 3], "float32"), g.input([4, 3], "float32")];
    const turn = (m: Value) => g.emit("Transpose", [m], m.shape.toReversed(), "float32", { perm: [1, 0] });
    const product = g.reshape(float(g, "MatMul", [turn(x), turn(w)], [2, 4]), [1, 2, 4]);
    const again = g.reshape(g.emit("Gemm", [turn(x), v], [2, 4], "float32", { transB: 1 }), [1, 2, 4]);
    return [float(g, "Add", [product, again], [1, 2, 4])];
  });
  await becomes(optimize, graph, "Gemm Gemm Reshape Identity");
});

test("padded parts are concatenated if they are a whole", async () => {
  const sides = (axis: number, before: number, after: number) =>
    [0, 1].map((i) => (i === axis ? before : 0)).concat([0, 1].map((i) => (i === axis ? after : 0)));
  const pads = (first: readonly number[], second: readonly number[]) =>
    recorded((g) => {
      const pad = (amounts: readonly number[]) =>
        g.emit("Pad", [g.input([2, 2], "float32"), g.integers(amounts), scalar(g, 0)], [2, 5], "float32");
      return [float(g, "Add", [pad(first), pad(second)], [2, 5])];
    });
  const whole = recorded((g) => {
    const [x, y] = [g.input([2, 2], "float32"), g.input([2, 3], "float32")];
    const pad = (part: Value, amounts: readonly number[]) =>
      g.emit("Pad", [part, g.integers(amounts), scalar(g, 0)], [2, 5], "float32");
    return [float(g, "Add", [pad(y, sides(1, 2, 0)), pad(x, sides(1, 0, 3))], [2, 5])];
  });
  await becomes(optimize, whole, "Concat Identity");
  await becomes(optimize, pads(sides(1, 0, 3), sides(1, 3, 0)), "Pad Pad Add Identity");
});

test("arithmetic on small constants, and masks that choose one side only", async () => {
  const graph = recorded((g) => {
    const x = g.input([3], "float32");
    const row = g.constant(Float32Array.of(1, 2, 3), [3], "float32");
    const half = float(g, "Div", [scalar(g, 1), float(g, "Sqrt", [scalar(g, 4)], [])], []);
    const mask = g.expand(g.constant(Uint8Array.of(1), [], "bool"), [3]);
    const chosen = float(g, "Where", [mask, float(g, "Mul", [row, half], [3]), x], [3]);
    const negated = float(g, "Neg", [float(g, "Neg", [x], [3])], [3]);
    const product = float(g, "Mul", [x, chosen], [3]);
    return [float(g, "Sub", [negated, float(g, "Neg", [product], [3])], [3])];
  });
  await becomes(optimize, graph, "Mul Add Identity");
});

test("a product with zero stays, since the other operand may be NaN", async () => {
  const graph = recorded((g) => [float(g, "Mul", [g.input([2], "float32"), scalar(g, 0)], [2])]);
  await becomes(optimize, graph, "Mul Identity");
});

test("weights of 16 bits are widened for each reader, right before it", async () => {
  const size = 4;
  const graph = recorded((g) => {
    const [x, y] = [g.input([2, size], "float32"), g.input([2, size], "float32")];
    const w = g.stored({ path: "/none", offset: 0, length: 2 * size * size, shape: [size, size], dtype: "bfloat16" });
    const product = g.emit("Gemm", [float(g, "Exp", [x], [2, size]), w], [2, size], "float32", { transB: 1 });
    return [float(g, "MatMul", [float(g, "Neg", [y], [2, size]), w], [2, size]), product];
  });
  const bytes = new Uint8Array(Uint16Array.from({ length: size * size }, (_, i) => 0x3f80 + (i % 7)).buffer);
  const held = {
    ...graph,
    initializers: graph.initializers.map((x) => ({ ...x, bytes: x.dtype === "bfloat16" ? bytes : x.bytes })),
  };
  await becomes(optimize, held, "Cast Cast Exp Gemm Neg MatMul Identity Identity");
  const order = executionOrder(optimize(held)).map(({ op }) => op);
  assert.is(order.join(" "), "Exp Cast Gemm Identity Neg Cast MatMul Identity");
});

test("products of batches transpose their operands, also where other axes are moved already", async () => {
  const [batch, rows, width] = [2, 3, 4];
  const graph = recorded((g) => {
    const [q, k] = [g.input([batch, rows, width], "float32"), g.input([batch, rows, width], "float32")];
    const transposed = g.emit("Transpose", [k], [batch, width, rows], "float32", { perm: [0, 2, 1] });
    const heads = g.input([rows, batch, width], "float32");
    const moved = g.emit("Transpose", [heads], [batch, rows, width], "float32", { perm: [1, 0, 2] });
    const both = g.emit("Transpose", [heads], [batch, width, rows], "float32", { perm: [1, 2, 0] });
    return [
      float(g, "MatMul", [q, transposed], [batch, rows, rows]),
      float(g, "MatMul", [both, moved], [batch, width, width]),
    ];
  });
  await becomes(optimize, graph, "Transpose FusedMatMul FusedMatMul Identity Identity");
});

test("a transpose that moves other axes stays if it is the only one, and so do operands of single matrices", async () => {
  const graph = recorded((g) => {
    const [q, heads] = [g.input([2, 3, 4], "float32"), g.input([5, 2, 4], "float32")];
    const both = g.emit("Transpose", [heads], [2, 4, 5], "float32", { perm: [1, 2, 0] });
    return [float(g, "MatMul", [q, both], [2, 3, 5])];
  });
  await becomes(optimize, graph, "Transpose MatMul Identity");
});

test("products with large 16-bit weights are split into products with their parts", async () => {
  const [size, more] = [5, 3];
  const graph = recorded((g) => {
    const stored = (rows: number, columns: number) =>
      g.stored({ path: "/none", offset: 0, length: 2 * rows * columns, shape: [rows, columns], dtype: "bfloat16" });
    const [w, bias] = [stored(size, more), g.input([size], "float32")];
    const [x, y, z] = [
      [2, more],
      [2, size],
      [4, size],
    ].map((shape) => g.input(shape, "float32")) as [Value, Value, Value];
    const [t, sum] = [g.input([size, 2], "float32"), g.input([2, more], "float32")];
    return [
      g.emit("Gemm", [x, w], [2, size], "float32", { transB: 1 }),
      g.emit("Gemm", [x, w, bias], [2, size], "float32", { transB: 1 }),
      float(g, "Gemm", [y, w], [2, more]),
      g.emit("Gemm", [t, w, sum], [2, more], "float32", { transA: 1 }),
      float(g, "MatMul", [z, w], [4, more]),
    ];
  });
  const bytes = new Uint8Array(Uint16Array.from({ length: size * more }, (_, i) => 0x3f80 + (i % 7)).buffer);
  const held = {
    ...graph,
    initializers: graph.initializers.map((x) => ({ ...x, bytes: x.dtype === "bfloat16" ? bytes : x.bytes })),
  };
  const rows = "Slice Gemm Slice Gemm Slice Gemm";
  const expected = `Cast Cast Cast Gemm Gemm Gemm Concat Gemm Gemm Gemm Concat Add ${rows} ${rows} ${rows}`;
  await becomes((g) => removeDeadCode(splitWeights(g, 2 * more)), held, `${expected}${" Identity".repeat(5)}`);
});

test("on WebGPU, bool is computed with the operators that it has", async () => {
  const graph = recorded((g) => {
    const [x, y] = [g.input([2, 3], "float32"), g.input([1, 3], "float32")];
    const bool = (op: string, inputs: readonly Value[], shape: Shape) => g.emit(op, inputs, shape, "bool");
    const [a, b] = [bool("Greater", [x, scalar(g, 0)], [2, 3]), bool("Greater", [y, scalar(g, 0.5)], [1, 3])];
    const [both, alike] = [bool("Or", [a, b], [2, 3]), bool("Equal", [a, b], [2, 3])];
    const transposed = g.emit("Transpose", [a], [3, 2], "bool", { perm: [1, 0] });
    const joined = g.emit("Concat", [a, b], [3, 3], "bool", { axis: 0 });
    return [both, alike, transposed, joined, float(g, "Identity", [x], [2, 3])];
  });
  const after = adaptToWebGpu(graph);
  const onTruth = after.nodes.filter(({ inputs }) =>
    inputs.some((name) => valuesOf(after).get(name)?.dtype === "bool"),
  );
  assert.equal([...new Set(onTruth.map(({ op }) => op))].toSorted(), ["And", "Cast", "Not"]);
  assert.equal(verifyFully(after), []);
  const [expected, actual] = [await outputsOf(graph), await outputsOf(after)];
  assert.equal(actual, expected);
});

test("WebGPU's sine and cosine are as precise as others", async () => {
  const angles = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) * 7.3 + 0.1 * Math.sin(i));
  const graph = recorded((g) => {
    const x = g.input([angles.length], "float32");
    return [float(g, "Sin", [x], [angles.length]), float(g, "Cos", [x], [angles.length])];
  });
  const after = adaptToWebGpu(graph);
  assert.not.match(opsOf(after), /Sin|Cos/);
  const session = device.open(after);
  const feed: HostTensor = { shape: [angles.length], dtype: "float32", data: angles };
  const [sines, cosines] = await Promise.all(device.run(session, [feed], 2).map((id) => device.read(id)));
  angles.forEach((x, i) => {
    assert.ok(Math.abs((sines?.data[i] ?? NaN) - Math.sin(x)) < 4e-7, `sin ${x}: ${sines?.data[i]}`);
    assert.ok(Math.abs((cosines?.data[i] ?? NaN) - Math.cos(x)) < 4e-7, `cos ${x}: ${cosines?.data[i]}`);
  });
});

test.run();
