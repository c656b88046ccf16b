import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Tensor } from "../../contract.ts";
import { loadTfjsAlone } from "../load-tfjs.ts";
import { createOnnxEngine } from "../onnx/engine.ts";
import { createSimulatedDevice } from "./simulated-device.ts";

const test = suite("simulated device");
const device = createSimulatedDevice();
const engine = createOnnxEngine(await loadTfjsAlone(), device);
const { ops } = engine;
const float = (shape: readonly number[]) => ({
  shape,
  dtype: "float32" as const,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1),
});

test("it holds what an engine keeps, and counts what its graphs would do", async () => {
  const x = engine.keep(float([10, 20]));
  assert.is(device.usage().held, 800);
  const product = engine.tidy(() => ops.exp(ops.matMul(x, ops.transpose(x, [1, 0]))));
  const { held, peak, cost } = device.usage();
  assert.is(held, 800 + 400);
  assert.is(cost.matmulFlops, 2 * 20 * 100);
  assert.ok(peak >= 1200 && peak <= 800 + 3 * 800, String(peak));
  assert.equal((await engine.read(product)).shape, [10, 10]);
  assert.is(device.graphs().length, 1);
  device.resetRuns();
  for (let i = 0; i < 2; i++) engine.tidy(() => ops.neg(product));
  assert.is(device.usage().cost.matmulFlops, 0);
  assert.equal(
    device.graphs().map(({ nodes }) => nodes.map(({ op }) => op)),
    [["Neg", "Identity"]],
  );
  engine.dispose(x, product);
});

test("weights that stay in their file are counted once", () => {
  const stored = { path: "/weights", offset: 0, length: 800, shape: [20, 10], dtype: "float32" as const };
  const before = device.usage();
  const weight = engine.map?.(stored) as Tensor;
  engine.tidy(() => ops.matMul(ops.input("a", float([2, 20])), weight));
  engine.tidy(() => ops.matMul(ops.input("b", float([3, 20])), weight));
  assert.is(device.usage().files - before.files, 800);
});

test.run();
