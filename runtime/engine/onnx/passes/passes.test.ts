import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Shape } from "../../../contract.ts";
import { startDevice } from "../device.ts";
import type { Graph, Value } from "../graph.ts";
import { encodeModel } from "../model.ts";
import { GraphBuilder } from "../record/builder.ts";
import { joinBiases } from "./bias.ts";
import { mergeCommonSubexpressions } from "./common-subexpressions.ts";
import { removeDeadCode } from "./dead-code.ts";
import { Edit } from "./edit.ts";
import { optimize } from "./index.ts";
import { widenLate } from "./late-casts.ts";
import { simplify } from "./simplify.ts";
import { verifyFully } from "./verify.ts";

const test = suite("onnx passes");
const device = await startDevice();

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
  const session = device.open(encodeModel(graph));
  const ids = device.run(session, graph.inputs.map(numbers), graph.outputs.length);
  const values = await Promise.all(ids.map((id) => device.read(id)));
  device.close(session);
  return values;
}

/** The pass leaves these operators, and the outputs what they were. */
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

test("dead code goes, inputs stay", async () => {
  const graph = recorded((g) => {
    const [x, y] = [g.input([2], "float32"), g.input([3], "float32")];
    float(g, "Neg", [y], [3]);
    return [float(g, "Neg", [x], [2])];
  });
  await becomes(removeDeadCode, graph, "Neg Identity");
  assert.is(removeDeadCode(graph).inputs.length, 2);
});

test("what is computed twice alike is computed once; other attributes are not alike", async () => {
  const graph = recorded((g) => {
    const x = g.input([2, 3], "float32");
    const [a, b] = [float(g, "Exp", [x], [2, 3]), float(g, "Exp", [x], [2, 3])];
    const softmax = (axis: number) => g.emit("Softmax", [x], [2, 3], "float32", { axis });
    return [float(g, "Add", [a, b], [2, 3]), float(g, "Sub", [softmax(0), softmax(1)], [2, 3])];
  });
  await becomes(mergeCommonSubexpressions, graph, "Exp Add Softmax Softmax Sub Identity Identity");
});

test("what is repeated to be computed with is computed with as it is", async () => {
  const graph = recorded((g) => {
    const [x, row] = [g.input([4, 3], "float32"), g.input([1, 3], "float32")];
    return [float(g, "Mul", [x, g.expand(row, [4, 3])], [4, 3])];
  });
  await becomes((g) => removeDeadCode(simplify(g)), graph, "Mul Identity");
});

test("of repeated values alone the result is repeated", async () => {
  const graph = recorded((g) => {
    const row = g.input([1, 3], "float32");
    const wide = g.expand(row, [4, 3]);
    return [float(g, "Mul", [float(g, "Exp", [wide], [4, 3]), wide], [4, 3])];
  });
  await becomes((g) => removeDeadCode(simplify(g)), graph, "Exp Mul Identity Expand");
});

test("a product with ones, as gradients of sums have it, is a repetition", async () => {
  const graph = recorded((g) => {
    const x = g.input([2, 3], "float32");
    const ones = g.constant(new Float32Array(6).fill(1), [2, 3], "float32");
    const dy = g.reshape(g.constant(Float32Array.of(1), [], "float32"), [1, 1]);
    return [float(g, "Add", [x, float(g, "Mul", [dy, ones], [2, 3])], [2, 3])];
  });
  await becomes(optimize, graph, "Reshape Add Identity");
});

test("the sum of what was repeated is a product", async () => {
  const graph = recorded((g) => {
    const x = g.input([], "float32");
    const sum = g.emit("ReduceSum", [g.expand(x, [4, 5]), g.integers([1])], [4], "float32", { keepdims: 0 });
    return [sum];
  });
  await becomes(optimize, graph, "Mul Identity Expand");
});

test("neutral operands, factors, turning back and forth", async () => {
  const graph = recorded((g) => {
    const x = g.input([2, 3], "float32");
    const one = float(g, "Div", [float(g, "Add", [x, scalar(g, 0)], [2, 3]), scalar(g, 1)], [2, 3]);
    const six = float(g, "Mul", [scalar(g, 2), float(g, "Mul", [one, scalar(g, 3)], [2, 3])], [2, 3]);
    const turned = g.emit("Transpose", [six], [3, 2], "float32", { perm: [1, 0] });
    return [g.emit("Transpose", [turned], [2, 3], "float32", { perm: [1, 0] })];
  });
  await becomes(optimize, graph, "Mul Identity");
});

test("turning axes of one element is reshaping, and reshaping twice is once", async () => {
  const graph = recorded((g) => {
    const x = g.input([1, 2, 3], "float32");
    const turned = g.emit("Transpose", [x], [2, 1, 3], "float32", { perm: [1, 0, 2] });
    return [g.reshape(turned, [6])];
  });
  await becomes(optimize, graph, "Reshape Identity");
});

test("x - 1 keeps its operand, 1 - x its order, and x * 1 of a smaller x its size", async () => {
  const graph = recorded((g) => {
    const x = g.input([3], "float32");
    const ones = g.constant(Float32Array.of(1), [1, 1], "float32");
    return [float(g, "Sub", [scalar(g, 0), x], [3]), float(g, "Mul", [x, ones], [1, 3])];
  });
  await becomes(optimize, graph, "Sub Mul Identity Identity");
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

test("a bias is added within the product, unless the product is read elsewhere", async () => {
  const layer = (isReadTwice: boolean) =>
    recorded((g) => {
      const [x, w, b] = [g.input([2, 3], "float32"), g.input([4, 3], "float32"), g.input([4], "float32")];
      const product = g.emit("Gemm", [x, w], [2, 4], "float32", { transB: 1 });
      const sum = float(g, "Add", [product, b], [2, 4]);
      return isReadTwice ? [sum, product] : [sum];
    });
  await becomes(joinBiases, layer(false), "Gemm Identity");
  await becomes(joinBiases, layer(true), "Gemm Add Identity Identity");
});

test("large weights of 16 bits are widened where they are used, once for each use", async () => {
  const size = 256;
  const graph = recorded((g) => {
    const x = g.input([2, size], "float32");
    const w = g.stored({ path: "/none", offset: 0, length: 2 * size * size, shape: [size, size], dtype: "bfloat16" });
    return [float(g, "MatMul", [x, w], [2, size]), g.emit("Gemm", [x, w], [2, size], "float32", { transB: 1 })];
  });
  const bytes = new Uint8Array(Uint16Array.from({ length: size * size }, (_, i) => 0x3f80 + (i % 7)).buffer);
  const held = {
    ...graph,
    initializers: graph.initializers.map((x) => ({ ...x, bytes: x.dtype === "bfloat16" ? bytes : x.bytes })),
  };
  const late = "Slice Reshape Greater Cast Add Reshape Cast";
  await becomes((g) => removeDeadCode(widenLate(g)), held, `${late} MatMul ${late} Gemm Identity Identity`);
});

test.run();
