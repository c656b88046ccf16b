import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as runtime from "onnxruntime-node";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Graph, Node, Value } from "./graph.ts";
import { encodeModel } from "../engine/onnx/encode-model.ts";
import { loadTfjsAlone } from "../engine/load-tfjs.ts";
import { lower } from "../engine/recording/lower.ts";
import { executionOrder } from "./order.ts";
import { recordTinyStep } from "../testing/tiny-step.ts";
import { sessionOptions } from "../engine/onnx/session-options.ts";

process.env["ORT_DISABLE_TELEMETRY"] = "1";
const test = suite("onnx execution order");

const namesOf = (nodes: readonly Node[]) => nodes.map(({ outputs }) => outputs[0]?.name ?? "");

/** The names of the nodes as the runtime ran them. */
async function profiled(graph: Graph): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-order-"));
  const session = await runtime.InferenceSession.create(encodeModel(graph), {
    ...sessionOptions({ provider: "cpu" }),
    enableProfiling: true,
    profileFilePrefix: join(folder, "profile"),
  });
  const feed = ({ shape }: Value) =>
    new runtime.Tensor("float32", new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.1), [...shape]);
  await session.run(Object.fromEntries(graph.inputs.map((x) => [x.name, feed(x)])));
  session.endProfiling();
  await session.release();
  const [file = ""] = await readdir(folder);
  const events = JSON.parse(await readFile(join(folder, file), "utf8")) as { cat: string; name: string }[];
  await rm(folder, { recursive: true });
  const kernels = events.filter(({ cat, name }) => cat === "Node" && name.endsWith("_kernel_time"));
  return kernels.map(({ name }) => name.replace("_kernel_time", ""));
}

test("a train step runs in the predicted order", async () => {
  const step = lower(await loadTfjsAlone(), await recordTinyStep(1));
  const predicted = namesOf(executionOrder(step));
  assert.is.not(predicted.join(), namesOf(step.nodes).join());
  assert.equal(predicted, await profiled(step));
});

test("of two operands the later in the file runs first, of two outputs too", () => {
  const value = (name: string): Value => ({ name, shape: [1], dtype: "float32" });
  const node = (op: string, inputs: string[], name: string): Node => ({
    op,
    inputs,
    outputs: [value(name)],
    attributes: {},
  });
  const nodes = [
    node("Exp", ["x"], "a"),
    node("Neg", ["x"], "b"),
    node("Add", ["a", "b"], "sum"),
    node("Abs", ["b"], "other"),
  ];
  const graph: Graph = { inputs: [value("x")], initializers: [], nodes, outputs: ["sum", "other"] };
  assert.equal(namesOf(executionOrder(graph)), ["b", "other", "a", "sum"]);
});

test.run();
