import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../../contract.ts";
import { startOnnxDevice } from "../../engine/onnx/device.ts";
import { loadTfjsAlone } from "../../engine/load-tfjs.ts";
import { lower } from "../../engine/recording/lower.ts";
import type { Graph } from "../graph.ts";
import { optimize } from "./index.ts";
import { recordTinyStep } from "../../testing/tiny-step.ts";
import { verifyFully } from "./verify.ts";

const test = suite("onnx passes on a train step");
const device = await startOnnxDevice();
const recorded = await recordTinyStep(2);
const step = lower(await loadTfjsAlone(), recorded);

const feeds = step.inputs.map(({ shape }, seed): HostTensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: Float32Array.from({ length: size }, (_, i) => Math.sin(seed + i)) };
});

async function run(graph: Graph): Promise<readonly HostTensor[]> {
  const session = device.open(graph);
  const outputs = await Promise.all(device.run(session, feeds, graph.outputs.length).map((id) => device.read(id)));
  device.close(session);
  return outputs;
}

test("every node has the shape and type that its operator computes, before and after the passes", () => {
  assert.equal(verifyFully(recorded), []);
  assert.equal(verifyFully(step), []);
  assert.equal(verifyFully(optimize(step)), []);
});

test("fewer nodes compute the same loss and gradients", async () => {
  const optimized = optimize(step);
  assert.ok(optimized.nodes.length < step.nodes.length, `${optimized.nodes.length} of ${step.nodes.length}`);
  const [before, after] = [await run(step), await run(optimized)];
  assert.ok(before.length > 100 && (before[0]?.data[0] ?? 0) > 0);
  before.forEach(({ data, shape }, i) => {
    assert.equal(after[i]?.shape, shape);
    const largest = Math.max(1e-6, ...Array.from(data, Math.abs));
    data.forEach((x, j) => assert.ok(Math.abs(x - (after[i]?.data[j] ?? NaN)) < 1e-4 * largest, `output ${i} at ${j}`));
  });
});

test("an optimized graph has nothing left to optimize", () => {
  const once = optimize(step);
  assert.is(optimize(once).nodes.length, once.nodes.length);
});

test.run();
