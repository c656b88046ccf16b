import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../../contract.ts";
import { loadTfjs } from "../../engine/load-tfjs.ts";
import { lower } from "../../engine/recording/lower.ts";
import { interpret } from "../../testing/interpret.ts";
import { recordTinyStep } from "../../testing/tiny-step.ts";
import { valuesOf, type ElementType, type Graph, type Value } from "../graph.ts";
import { GraphBuilder } from "../record/builder.ts";
import { optimize } from "./index.ts";
import { toBfloat16 } from "./to-bfloat16.ts";
import { verifyFully } from "./verify.ts";

const test = suite("the model in bfloat16");
const step = await recordTinyStep(1);
const narrow = toBfloat16(step);

/** The types of the outputs of all nodes with this operator. */
const typesOf = ({ nodes }: Graph, op: string): ElementType[][] => {
  const types = nodes.filter((node) => node.op === op).map(({ outputs }) => outputs.map(({ dtype }) => dtype));
  return [...new Map(types.map((list) => [list.join(), list])).values()].toSorted((a, b) => a.length - b.length);
};

test("the graph is right before and after the passes, and all that enters and leaves it is float32", () => {
  assert.equal(verifyFully(narrow), []);
  const optimized = optimize(narrow, { isTorch: true });
  assert.equal(verifyFully(optimized), []);
  assert.ok(optimized.nodes.length < narrow.nodes.length);
  const values = valuesOf(narrow);
  assert.ok(
    [...narrow.inputs.map(({ name }) => name), ...narrow.outputs].every((x) => values.get(x)?.dtype === "float32"),
  );
});

test("layers and what follows from them are bfloat16, statistics, tables and the loss float32", () => {
  const [low, high]: ElementType[] = ["bfloat16", "float32"] as const;
  const table: readonly (readonly [string, ElementType[][]])[] = [
    ["Linear", [[low]]],
    ["LinearGradInput", [[low]]],
    ["LinearGradWeight", [[low]]],
    ["Attention", [[low, high]]],
    ["AttentionGrad", [[low, low, low]]],
    ["RmsNorm", [[low, high]]],
    ["Gelu", [[low]]],
    ["GeluGrad", [[low]]],
    ["Rotate", [[low]]],
    // The head's norm has a mean, and is float32 with what modulates it.
    ["ReduceMean", [[high]]],
    ["ReduceSum", [[high]]],
    ["Sin", [[high]]],
    ["Cos", [[high]]],
    ["Reciprocal", [[high]]],
    ["Widen", [[high]]],
    ["Sigmoid", [[low]]],
  ] as const;
  for (const [op, types] of table) assert.equal(typesOf(narrow, op), types, op);
  assert.equal(typesOf(narrow, "Modulate").flat().toSorted(), [low, high]);
});

/** Records a graph, and returns the type of the value that `what` gives, after the pass. */
function typeOf(what: (g: GraphBuilder, x: Value, y: Value) => Value): ElementType | undefined {
  const g = new GraphBuilder();
  const [x, w, data] = [g.input([2, 3], "float32"), g.input([3, 3], "float32"), g.input([2, 3], "float32")];
  const y = g.emit("Linear", [x, w], [2, 3], "float32");
  const made = what(g, y, data);
  const graph = g.finish([made]);
  return toBfloat16(graph).nodes.find(({ outputs }) => outputs[0]?.name === made.name)?.outputs[0]?.dtype;
}

test("element by element, what meets the model's numbers is bfloat16, and the strategy's own numbers are not", () => {
  const emit =
    (op: string, ...inputs: Value[]) =>
    (g: GraphBuilder) =>
      g.emit(op, inputs, [2, 3], "float32");
  const number = (g: GraphBuilder) => g.constant(Float32Array.of(0.3), [], "float32");
  assert.is(
    typeOf((g, y) => emit("Mul", y, number(g))(g)),
    "bfloat16",
  );
  assert.is(
    typeOf((g, y, data) => emit("Add", y, data)(g)),
    "bfloat16",
  );
  assert.is(
    typeOf((g, _y, data) => emit("Add", data, data)(g)),
    "float32",
  );
  assert.is(
    typeOf((g, y) => emit("Exp", y)(g)),
    "float32",
  );
  assert.is(
    typeOf((g, y, data) => emit("Sub", emit("Widen", y)(g), data)(g)),
    "float32",
  );
  assert.is(
    typeOf((g, y) => g.emit("Less", [y, number(g)], [2, 3], "bool")),
    "bool",
  );
  assert.is(
    typeOf((g, _y, data) => g.emit("MatMul", [data, g.input([3, 3], "float32")], [2, 3], "float32")),
    "float32",
  );
});

test("a weight that is stored in bfloat16 is read as it is, and a trained one is cast once", () => {
  const g = new GraphBuilder();
  const w = g.stored({ path: "/w", offset: 0, length: 18, shape: [3, 3], dtype: "bfloat16" });
  const [x, a] = [g.input([2, 3], "float32"), g.input([3, 3], "float32")];
  const linear = (input: Value, weight: Value) => g.emit("Linear", [input, weight], [2, 3], "float32");
  const graph = toBfloat16(g.finish([linear(linear(linear(x, w), a), a)]));
  assert.equal(verifyFully(graph), []);
  // x, the trained weight, and the result.
  assert.is(graph.nodes.filter(({ op }) => op === "Cast").length, 3);
  assert.is(graph.nodes.find(({ op }) => op === "Linear")?.inputs[1], graph.initializers[0]?.name);
});

test("rows of a table that is stored in bfloat16 are taken as they are, and captions are modulated in bfloat16", () => {
  const g = new GraphBuilder();
  const table = g.stored({ path: "/t", offset: 0, length: 12, shape: [3, 2], dtype: "bfloat16" });
  const [captions, w] = [g.input([2, 3], "float32"), g.input([3, 3], "float32")];
  const levels = g.emit("Linear", [captions, w], [2, 3], "float32");
  const row = g.emit("Transpose", [table], [2, 3], "float32", { perm: [1, 0] });
  const shift = g.emit("Add", [levels, row], [2, 3], "float32");
  const graph = toBfloat16(g.finish([g.emit("Modulate", [captions, levels, shift], [2, 3], "float32")]));
  assert.equal(verifyFully(graph), []);
  const of = (op: string) => graph.nodes.filter((node) => node.op === op).flatMap(({ outputs }) => outputs);
  assert.equal(
    [...of("Transpose"), ...of("Modulate")].map(({ dtype }) => dtype),
    ["bfloat16", "bfloat16"],
  );
  // The captions, the trained weight, and the result.
  assert.is(of("Cast").length, 3);
});

const { tf, backend } = await loadTfjs("cpu");

function feedsOf({ inputs }: Graph): HostTensor[] {
  return inputs.map(({ shape }, seed) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return {
      shape,
      dtype: "float32",
      data: Float32Array.from({ length: size }, (_, i) => 0.5 * Math.sin(seed + 1.3 * i)),
    };
  });
}

/** |x - y| / |y| over all numbers of an output. */
function distance(x: HostTensor | undefined, y: HostTensor): number {
  const norm = (list: ArrayLike<number>) => Math.sqrt(Array.from(list).reduce((sum, a) => sum + a * a, 0));
  return norm(y.data.map((a, i) => a - (x?.data[i] ?? NaN))) / norm(y.data);
}

test("computed so, the loss and the gradients are those of float32 but for the rounding", () => {
  void tf.setBackend(backend);
  const feeds = feedsOf(step);
  const [exact, rounded] = [interpret(tf, step, feeds), interpret(tf, narrow, feeds)];
  const [loss = NaN, ...gradients] = exact.map((y, i) => distance(rounded[i], y));
  // A rounding is off by 2^-9 at most. Some hundred follow each other, and errors of mixed sign add up like the root of their number.
  assert.ok(loss > 0 && loss < 2 ** -9 * 10, `loss ${loss}`);
  const sorted = gradients.filter((x) => !Number.isNaN(x)).toSorted((a, b) => a - b);
  assert.ok(sorted.length > 100);
  const median = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  assert.ok(median > 2 ** -10 && median < 2 ** -9 * 20, `median ${median}`);
});

test("operators without a kernel for bfloat16 compute the same in float32, rounded once", () => {
  const feeds = feedsOf(step);
  const lowered = lower(tf, narrow, ({ op }) => op !== "RmsNorm" && op !== "Rotate");
  assert.equal(verifyFully(lowered), []);
  void tf.setBackend(backend);
  const [whole, parts] = [interpret(tf, narrow, feeds), interpret(tf, lowered, feeds)];
  assert.is(distance(parts[0], whole[0] as HostTensor), 0);
});

test.run();
