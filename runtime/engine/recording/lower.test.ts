import { suite } from "uvu";
import * as assert from "uvu/assert";
import { composites } from "../../graph/composites.ts";
import { costOf } from "../../graph/cost.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { verifyFully } from "../../graph/passes/verify.ts";
import { GraphBuilder } from "../../graph/record/builder.ts";
import { recordTinyStep } from "../../testing/tiny-step.ts";
import { loadTfjsAlone } from "../load-tfjs.ts";
import { encodeModel } from "../onnx/encode-model.ts";
import { lower } from "./lower.ts";

const test = suite("lowering");
const tf = await loadTfjsAlone();
const countOf = ({ nodes }: Graph, op: string) => nodes.filter((node) => node.op === op).length;

test("a step has one node for each layer and one for its gradient, which lowering replaces", async () => {
  const step = await recordTinyStep(1);
  // Self-attention and text attention of both streams, and both directions between the streams.
  assert.equal([countOf(step, "Attention"), countOf(step, "AttentionGrad")], [6, 6]);
  // Queries and keys of each, and of both streams the norms before self-attention, text, the other stream and the feed-forward.
  assert.equal([countOf(step, "RmsNorm"), countOf(step, "RmsNormGrad")], [20, 20]);
  assert.equal([countOf(step, "Gelu"), countOf(step, "GeluGrad")], [2, 2]);
  assert.throws(() => encodeModel(step), /ONNX Runtime has no operator Linear/);
  const lowered = lower(tf, step);
  assert.equal(
    lowered.nodes.filter(({ op }) => composites.has(op)),
    [],
  );
  assert.equal(verifyFully(lowered), []);
  assert.ok(encodeModel(lowered).length > 0);
});

test("an update of many parameters is one node", () => {
  const builder = new GraphBuilder();
  const number = () => builder.input([], "float32");
  const [scalars, lists] = [
    Array.from({ length: 6 }, number),
    Array.from({ length: 12 }, () => builder.input([2], "float32")),
  ];
  const settings = { count: 3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
  const made = builder.emitAll(
    "AdamW",
    [...scalars, ...lists],
    Array.from({ length: 9 }, () => lists[0] as Value),
    settings,
  );
  const graph = builder.finish(made);
  assert.equal([verifyFully(graph), verifyFully(lower(tf, graph))], [[], []]);
  assert.is(countOf(lower(tf, graph), "Sqrt"), 3);
});

test("what an executor has a kernel for stays", async () => {
  const half = lower(tf, await recordTinyStep(1), ({ op }) => op === "AttentionGrad");
  assert.equal([countOf(half, "Attention"), countOf(half, "AttentionGrad")], [0, 6]);
});

/** One attention with a bias, and its gradients, of the type. */
function attended(dtype: "float32" | "bfloat16", outputs: number): Graph {
  const builder = new GraphBuilder();
  const x = builder.cast(builder.input([1, 2, 3, 4], "float32"), dtype);
  const bias = builder.input([1, 1, 1, 3], "float32");
  const [o, logSum] = builder.emitAll("Attention", [x, x, x, bias], [x, { shape: [1, 2, 3], dtype: "float32" }], {
    scale: 0.5,
  });
  if (o === undefined || logSum === undefined) throw new Error("no outputs");
  const made = builder.emitAll("AttentionGrad", [x, x, x, x, o, logSum, bias], [x, x, x, bias], { scale: 0.5 });
  return builder.finish([o, ...made.slice(0, outputs)]);
}

test("gradients that nobody reads are not computed; products count as such", () => {
  const [few, all] = [attended("float32", 1), attended("float32", 4)];
  assert.equal([verifyFully(few), verifyFully(all)], [[], []]);
  assert.ok(lower(tf, few).nodes.length < lower(tf, all).nodes.length);
  // Seven products of 3 x 3 scores of two heads with 4 channels.
  assert.is(costOf(few).matmulFlops, 7 * 2 * 2 * 3 * 3 * 4);
  assert.is(costOf(lower(tf, all)).matmulFlops, costOf(few).matmulFlops);
});

test("an operator on bfloat16 is computed in float32 and rounded", () => {
  const graph = attended("bfloat16", 3);
  assert.equal(verifyFully(graph), []);
  assert.throws(() => encodeModel(graph), /ONNX Runtime does not compute/);
  const lowered = lower(tf, graph);
  assert.equal(verifyFully(lowered), []);
  const narrow = lowered.nodes.filter(({ outputs }) => outputs[0]?.dtype === "bfloat16");
  assert.equal([...new Set(narrow.map(({ op }) => op))].toSorted(), ["Cast", "Identity"]);
});

test.run();
