import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Ops, Tensor } from "../../contract.ts";
import { openEngine } from "../index.ts";
import { startOnnxDevice } from "./device.ts";
import type { Graph, Initializer, Node, Value } from "../../graph/graph.ts";

const test = suite("onnx device");
const device = await startOnnxDevice();
const { engine: cpu } = await openEngine("cpu");

const value = (name: string, shape: readonly number[], dtype: Value["dtype"] = "float32"): Value => ({
  name,
  shape,
  dtype,
});
const node = (op: string, inputs: string[], output: Value, attributes: Node["attributes"] = {}): Node => ({
  op,
  inputs,
  outputs: [output],
  attributes,
});
const int64 = (name: string, values: readonly number[]): Initializer => ({
  ...value(name, [values.length], "int64"),
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});

function numbers(shape: readonly number[], seed: number): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.7 * i)) };
}

async function reference(f: (ops: Ops, ...xs: Tensor[]) => Tensor, inputs: readonly HostTensor[]): Promise<HostTensor> {
  const xs = inputs.map((x) => cpu.keep(x));
  const y = cpu.tidy(() => f(cpu.ops, ...xs));
  const result = await cpu.read(y);
  cpu.dispose(y, ...xs);
  return result;
}

function close(actual: HostTensor | undefined, expected: HostTensor): void {
  assert.equal(actual?.shape, expected.shape);
  assert.is(actual?.dtype, expected.dtype);
  expected.data.forEach((e, i) => assert.ok(Math.abs((actual?.data[i] ?? NaN) - e) < 1e-5, `${i}: ${e}`));
}

test("matrix product with transposed weights, softmax and a mask, again with other values", async () => {
  const weight = numbers([4, 3], 5);
  const graph: Graph = {
    inputs: [value("x", [2, 3]), value("m", [2, 4], "bool")],
    initializers: [{ ...value("w", [4, 3]), bytes: new Uint8Array(weight.data.buffer) }],
    nodes: [
      node("Gemm", ["x", "w"], value("h", [2, 4]), { transB: 1 }),
      node("Softmax", ["h"], value("p", [2, 4]), { axis: 1 }),
      node("Where", ["m", "p", "h"], value("y", [2, 4])),
    ],
    outputs: ["p", "y"],
  };
  const session = device.open(graph);
  for (const seed of [1, 2]) {
    const x = numbers([2, 3], seed);
    const m: HostTensor = { shape: [2, 4], dtype: "bool", data: Uint8Array.of(1, 0, 0, 1, 1, 1, 0, 0) };
    const [p, y] = await Promise.all(device.run(session, [x, m], 2).map((id) => device.read(id)));
    close(p, await reference((ops, x, w) => ops.softmax(ops.linear(x, w as Tensor, null)), [x, weight]));
    const chosen = await reference(
      (ops, x, w, m) => {
        const h = ops.linear(x, w as Tensor, null);
        return ops.where(m as Tensor, ops.softmax(h), h);
      },
      [x, weight, m],
    );
    close(y, chosen);
  }
  device.close(session);
});

test("reductions, transposes and slices by int64 initializers", async () => {
  const graph: Graph = {
    inputs: [value("x", [2, 3, 4])],
    initializers: [int64("begin", [1]), int64("end", [3]), int64("axes", [1])],
    nodes: [
      node("Slice", ["x", "begin", "end", "axes"], value("s", [2, 2, 4])),
      node("Transpose", ["s"], value("t", [4, 2, 2]), { perm: [2, 0, 1] }),
      node("ReduceMean", ["t", "axes"], value("y", [4, 2]), { keepdims: 0 }),
    ],
    outputs: ["y"],
  };
  const session = device.open(graph);
  const x = numbers([2, 3, 4], 3);
  const expected = (ops: Ops, x: Tensor) => ops.mean(ops.transpose(ops.slice(x, [0, 1, 0], [2, 2, 4]), [2, 0, 1]), [1]);
  const [y = -1] = device.run(session, [x], 1);
  close(await device.read(y), await reference((ops, x) => expected(ops, x as Tensor), [x]));
  device.close(session);
});

test.run();
