import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../../contract.ts";
import {
  elementTypes,
  type Attribute,
  type ElementType,
  type Graph,
  type Initializer,
  type Value,
} from "../../graph/graph.ts";
import { composites } from "../../graph/composites.ts";
import { rules } from "../../graph/passes/verify.ts";
import { adamwStep } from "../../optimizer/adamw.ts";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { testTorch } from "../../testing/test-torch.ts";
import { hasOneDnn } from "./one-dnn.ts";
import { operators } from "./operators/index.ts";
import { aliases } from "./plan.ts";
import { TorchLibrary } from "./torch-library.ts";

const test = suite("PyTorch's library");
const folder = temporaryFolders(test, "ltxc-torch");

test("every operator of ONNX that a graph may have is known, and no other but some of our own", () => {
  const known = [...operators.keys(), ...aliases];
  assert.equal(
    [...rules.keys()].filter((op) => !known.includes(op)),
    [],
  );
  assert.equal(
    known.filter((op) => !rules.has(op) && !composites.has(op)),
    [],
  );
});

const found = await testTorch();
if (found !== null) testLibrary(new TorchLibrary({ folder: found.folder, device: "cpu" }));

function value(name: string, shape: readonly number[], dtype: ElementType = "float32"): Value {
  return { name, shape, dtype };
}

function host(values: readonly number[], dtype: HostTensor["dtype"] = "float32", shape = [values.length]): HostTensor {
  const types = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  return { shape, dtype, data: types[dtype].from(values) };
}

function int64(name: string, values: readonly number[]): Initializer {
  return { ...value(name, [values.length], "int64"), bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) };
}

/** A graph of one node, whose last operands are constants. */
function graphOf(
  op: string,
  [inputs, constants]: readonly [readonly Value[], readonly Initializer[]],
  made: Value,
  attributes: Readonly<Record<string, Attribute>> = {},
): Graph {
  const names = [...inputs, ...constants].map(({ name }) => name);
  return {
    inputs,
    initializers: constants,
    nodes: [{ op, inputs: names, outputs: [made], attributes }],
    outputs: [made.name],
  };
}

function testLibrary(library: TorchLibrary): void {
  const { torch } = library;

  /** The outputs of a graph. Fails if anything is left behind. */
  function run(graph: Graph, feeds: readonly HostTensor[]): HostTensor[] {
    const before = torch.alive;
    const session = library.open(graph);
    const sent = feeds.map((x) => library.upload(x));
    const results = library.run(session, sent);
    const read = results.map((x) => library.read(x));
    for (const x of [...sent, ...results]) library.free(x);
    library.close(session);
    assert.is(torch.alive, before);
    return read;
  }

  const one = (graph: Graph, ...feeds: HostTensor[]) => Array.from(run(graph, feeds)[0]?.data ?? []);

  test("integers are computed as ONNX does, without a detour through float32", () => {
    const large = 2 ** 24 + 1;
    const [a, b] = [value("a", [3], "int32"), value("b", [3], "int32")];
    const pair = [host([large, -7, 9], "int32"), host([1, 2, -2], "int32")] as const;
    const made = value("y", [3], "int32");
    for (const [op, expected] of [
      ["Add", [large + 1, -5, 7]],
      ["Sub", [large - 1, -9, 11]],
      ["Mul", [large, -14, -18]],
      ["Div", [large, -3, -4]],
    ] as const)
      assert.equal(one(graphOf(op, [[a, b], []], made), ...pair), expected, op);
    for (const [op, expected] of [
      ["ReduceSum", [large + 2]],
      ["ReduceMean", [Math.trunc((large + 2) / 3)]],
      ["ReduceMax", [large]],
      ["ReduceMin", [-7]],
    ] as const) {
      const graph = graphOf(op, [[a], [int64("axes", [0])]], value("y", [], "int32"), { keepdims: 0 });
      assert.equal(one(graph, pair[0]), expected, op);
    }
  });

  test("slices count from the end and are limited; pads have their amounts before those after", () => {
    const x = value("x", [2, 3]);
    const numbers = host([1, 2, 3, 4, 5, 6], "float32", [2, 3]);
    const limits = [int64("starts", [-2, 0]), int64("ends", [99, 1]), int64("axes", [-1, 0])];
    assert.equal(one(graphOf("Slice", [[x], limits], value("y", [1, 2])), numbers), [2, 3]);
    const nine: Initializer = { ...value("nine", []), bytes: new Uint8Array(Float32Array.of(9).buffer) };
    const padded = graphOf("Pad", [[x], [int64("amounts", [1, 0, 0, 1]), nine]], value("y", [3, 4]));
    assert.equal(one(padded, numbers), [9, 9, 9, 9, 1, 2, 3, 9, 4, 5, 6, 9]);
  });

  test("convolutions are given to oneDNN where the library has it, as builds for x86 do", () => {
    assert.is(hasOneDnn(torch), process.arch === "x64");
    const [x, weight] = [value("x", [1, 1, 1, 2, 2]), value("w", [1, 1, 1, 2, 2])];
    const numbers = [host([1, 2, 3, 4], "float32", [...x.shape]), host([1, 10, 100, 1000], "float32", [...x.shape])];
    const graph = (pads: number[]) => graphOf("Conv", [[x, weight], []], value("y", [1, 1, 1, 1, 3]), { pads });
    assert.equal(one(graph([0, 0, 1, 0, 0, 1]), ...numbers), [10 + 3000, 1 + 20 + 300 + 4000, 2 + 400]);
    assert.throws(() => library.open(graph([0, 0, 1, 0, 0, 2])), /other zeros before an axis than behind it/);
  });

  test("a matrix is added in place only if nothing else reads it", () => {
    const [x, square] = [value("x", [2, 2]), (name: string) => value(name, [2, 2])];
    const node = (op: string, inputs: readonly string[], made: string) => ({
      op,
      inputs,
      outputs: [square(made)],
      attributes: {},
    });
    const product = [node("Mul", ["x", "x"], "sum"), node("Gemm", ["x", "x", "sum"], "y")];
    const numbers = host([1, 2, 3, 4], "float32", [2, 2]);
    const graph = { inputs: [x], initializers: [], nodes: product, outputs: ["y"] };
    assert.equal(one(graph, numbers), [8, 14, 24, 38]);
    const [y, sum] = run({ ...graph, outputs: ["y", "sum"] }, [numbers]);
    assert.equal(Array.from(y?.data ?? []), [8, 14, 24, 38]);
    assert.equal(Array.from(sum?.data ?? []), [1, 4, 9, 16]);
    assert.equal(
      one({ ...graph, nodes: product.slice(1).map((gemm) => ({ ...gemm, inputs: ["x", "x", "x"] })) }, numbers),
      [8, 12, 18, 26],
    );
  });

  test("outputs may be inputs, constants, views of larger memory, and one value twice", () => {
    const x = value("x", [4]);
    const c: Initializer = { ...value("c", [1]), bytes: new Uint8Array(Float32Array.of(5).buffer) };
    const limits = [int64("starts", [1]), int64("ends", [2]), int64("axes", [0])];
    const graph: Graph = {
      inputs: [x],
      initializers: [c, ...limits],
      nodes: [
        { op: "Neg", inputs: ["x"], outputs: [value("n", [4])], attributes: {} },
        { op: "Slice", inputs: ["n", "starts", "ends", "axes"], outputs: [value("s", [1])], attributes: {} },
        { op: "Identity", inputs: ["n"], outputs: [value("m", [4])], attributes: {} },
      ],
      outputs: ["x", "c", "s", "n", "m"],
    };
    const made = run(graph, [host([1, 2, 3, 4])]).map(({ data }) => Array.from(data));
    assert.equal(made, [[1, 2, 3, 4], [5], [-2], [-1, -2, -3, -4], [-1, -2, -3, -4]]);
  });

  test("a call that fails names its node, and leaves nothing behind", () => {
    const [x, rows] = [value("x", [2, 3]), host([1, 2, 3, 4, 5, 6], "float32", [2, 3])];
    const graph: Graph = {
      inputs: [x],
      initializers: [],
      nodes: [
        { op: "Neg", inputs: ["x"], outputs: [value("n", [2, 3])], attributes: {} },
        { op: "Mul", inputs: ["n", "x"], outputs: [value("m", [2, 3])], attributes: {} },
        { op: "MatMul", inputs: ["m", "n"], outputs: [value("wrong", [2, 3])], attributes: {} },
        { op: "Neg", inputs: ["wrong"], outputs: [value("y", [2, 3])], attributes: {} },
      ],
      outputs: ["y", "n"],
    };
    const session = library.open(graph);
    const feed = library.upload(rows);
    const before = torch.alive;
    for (let i = 0; i < 100; i++)
      assert.throws(
        () => library.run(session, [feed]),
        /^node wrong: product: .*cannot be multiplied|^node wrong: product: /,
      );
    assert.is(torch.alive, before);
    library.free(feed);
    library.close(session);
    assert.throws(() => library.open(graphOf("Fold", [[x], []], value("y", [1]))), "no operator Fold");
  });

  /** AdamW of two parameters; the scalars are those of one update with this rate, in the order of the operator. */
  function adamw(isClipped: boolean, shapes: readonly (readonly number[])[]): Graph {
    const scalars = ["rate", "t", "decay", "spread", "size", ...(isClipped ? ["factor"] : [])].map((x) => value(x, []));
    const lists = ["p", "g", "m", "v"].flatMap((x) => shapes.map((shape, i) => value(`${x}${i}`, shape)));
    const outputs = ["p", "m", "v"].flatMap((x) => shapes.map((shape, i) => value(`new ${x}${i}`, shape)));
    const inputs = [...scalars, ...lists];
    const attributes = { count: shapes.length, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
    const node = { op: "AdamW", inputs: inputs.map(({ name }) => name), outputs, attributes };
    return { inputs, initializers: [], nodes: [node], outputs: outputs.map(({ name }) => name) };
  }

  const [rate, t] = [0.1, 3];
  const scalars = [rate, t, 1 - rate * 0.01, Math.sqrt(1 - 0.999 ** t), rate / (1 - 0.9 ** t)].map((x) =>
    host([x], "float32", []),
  );

  test("AdamW updates all parameters, with clipped gradients or not, and leaves what it was given as it was", () => {
    for (const factor of [null, 0.5]) {
      const given = [1, -2, 0.3, -0.4, 0.05, 0.06, 0.001, 0.002];
      const lists = given.map((x) => host([x], "float32", [1]));
      const feeds = [...scalars, ...(factor === null ? [] : [host([factor], "float32", [])]), ...lists];
      const sent = feeds.map((x) => library.upload(x));
      const session = library.open(adamw(factor !== null, [[1], [1]]));
      const made = library.run(session, sent);
      const results = made.map((x) => library.read(x).data[0] ?? NaN);
      for (const i of [0, 1]) {
        const [p, g, m, v] = [0, 2, 4, 6].map((list) => given[list + i] ?? NaN) as [number, number, number, number];
        const expected = adamwStep({ t, rate, decay: 0.01 })(p, g * (factor ?? 1), m, v);
        [expected.p, expected.m, expected.v].forEach((x, list) =>
          assert.ok(Math.abs((results[2 * list + i] ?? NaN) / x - 1) < 1e-6, `${list} of ${i}`),
        );
      }
      assert.equal(
        sent.slice(-8).map((x) => library.read(x).data[0]),
        given.map(Math.fround),
      );
      for (const x of [...sent, ...made]) library.free(x);
      library.close(session);
    }
  });

  test("AdamW that fails leaves the old values as they were, and no handle behind", () => {
    const session = library.open(adamw(false, [[2], [2]]));
    // The second gradient has another type than its parameter, which the kernel finds once it has updated the first one.
    const lists = [0, 1, 2, 3].flatMap((list) =>
      [0, 1].map((i) => host([1, 2], list === 1 && i === 1 ? "int32" : "float32")),
    );
    const sent = [...scalars, ...lists].map((x) => library.upload(x));
    const before = torch.alive;
    for (let i = 0; i < 20; i++) assert.throws(() => library.run(session, sent), /^node new p0: _fused_adamw_: /);
    assert.is(torch.alive, before);
    for (const x of sent.slice(5, 7)) assert.equal(Array.from(library.read(x).data), [1, 2]);
    for (const x of sent) library.free(x);
    library.close(session);
  });

  test("AdamW reads gradients in the order of their axes, however they lie in memory", () => {
    const graph = adamw(false, [[2, 3]]);
    const turned = {
      op: "Transpose",
      inputs: ["raw"],
      outputs: [value("g0", [2, 3])],
      attributes: { perm: [1, 0] },
    };
    const inputs = graph.inputs.map((x) => (x.name === "g0" ? value("raw", [3, 2]) : x));
    const zeros = host([0, 0, 0, 0, 0, 0], "float32", [2, 3]);
    const feeds = [...scalars, zeros, host([1, 2, 3, 4, 5, 6], "float32", [3, 2]), zeros, zeros];
    const [, m] = run({ ...graph, inputs, nodes: [turned, ...graph.nodes] }, feeds);
    assert.equal(
      Array.from(m?.data ?? [], (x) => Math.round(10 * x)),
      [1, 3, 5, 2, 4, 6],
    );
  });

  test("what a graph returns lies in row-major order for those that read it", () => {
    const turned = graphOf("Transpose", [[value("x", [2, 3])], []], value("y", [3, 2]), { perm: [1, 0] });
    const session = library.open(turned);
    const sent = library.upload(host([1, 2, 3, 4, 5, 6], "float32", [2, 3]));
    const [made] = library.run(session, [sent]);
    if (made === undefined) throw new Error("no output");
    assert.ok(torch.isRowMajor(made.handle));
    assert.equal(Array.from(library.read(made).data), [1, 4, 2, 5, 3, 6]);
    library.free(made);
    library.free(sent);
    library.close(session);
  });

  test("what does not fit into the memory is said with its size", () => {
    const graph = graphOf("Expand", [[value("x", [1])], [int64("shape", [2 ** 45])]], value("e", [2 ** 45]));
    const nodes = [...graph.nodes, { op: "Neg", inputs: ["e"], outputs: [value("y", [2 ** 45])], attributes: {} }];
    assert.throws(
      () => run({ ...graph, nodes, outputs: ["y"] }, [host([1])]),
      /^node y: .*allocate 140737488355328 bytes/,
    );
  });

  test("weights are read from their file, wherever they begin, and freed with the last graph that reads them", async () => {
    const path = join(await folder(), "weights.bin");
    const numbers = Float32Array.of(1, 2, 3, 4);
    await writeFile(
      path,
      Buffer.concat([Buffer.alloc(7), Buffer.from(numbers.buffer), Buffer.from(numbers.buffer, 0, 1)]),
    );
    for (const offset of [7, 8]) {
      const weight: Initializer = { ...value("w", [2]), bytes: { path, offset, length: 8 } };
      const before = torch.alive;
      const sessions = [0, 1].map(() => library.open(graphOf("Neg", [[], [weight]], value("y", [2]))));
      const held = torch.alive;
      assert.is(held, before + 1);
      for (const session of sessions) {
        const [y] = library.run(session, []);
        if (y === undefined) throw new Error("no output");
        if (offset === 7) assert.equal(library.read(y).data, Float32Array.of(-1, -2));
        library.free(y);
        library.close(session);
      }
      assert.is(torch.alive, before);
    }
    const beyond: Initializer = { ...value("w", [2]), bytes: { path, offset: 20, length: 8 } };
    assert.throws(() => library.open(graphOf("Neg", [[], [beyond]], value("y", [2]))), /ends before the weight at 20/);
  });

  test("of a weight that is read in a smaller type, the file's own numbers leave the memory", async () => {
    const path = join(await folder(), "large.bin");
    const count = 2 ** 20;
    await writeFile(path, Buffer.from(Float32Array.from({ length: count }, (_, i) => i % 256).buffer));
    const weight: Initializer = { ...value("w", [count]), bytes: { path, offset: 0, length: 4 * count } };
    const narrow: Value = { ...value("n", [count]), dtype: "bfloat16" };
    const sum = [
      { op: "Cast", inputs: ["w"], outputs: [narrow], attributes: { to: elementTypes.bfloat16 } },
      { op: "ReduceSum", inputs: ["n"], outputs: [value("y", [])], attributes: { keepdims: 0 } },
    ];
    const session = library.open({ inputs: [], initializers: [weight], nodes: sum, outputs: ["y"] });
    assert.ok(residentKiB(path) < 256, `${residentKiB(path)} KiB of the file are in memory`);
    const [y] = library.run(session, []);
    if (y === undefined) throw new Error("no output");
    assert.equal(library.read(y).data, Float32Array.of((count * 255) / 2));
    library.free(y);
    library.close(session);
  });
}

/** How much of a file that this process has mapped is in its memory. Throws where it is not mapped. */
function residentKiB(path: string): number {
  const maps = readFileSync("/proc/self/smaps", "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const sizes = maps.filter((map) => map.includes(path)).map((map) => Number(/^Rss:\s+(\d+)/m.exec(map)?.[1]));
  if (sizes.length === 0) throw new Error(`${path} is not mapped`);
  return sizes.reduce((a, b) => a + b);
}

test.run();
