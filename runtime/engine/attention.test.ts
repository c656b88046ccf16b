import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Tensor } from "../contract.ts";
import { attention } from "./attention.ts";
import { gradientsOf } from "./autodiff.ts";
import { openEngine } from "./index.ts";
import { loadTfjs } from "./load-tfjs.ts";
import { createOnnxEngine } from "./onnx/engine.ts";
import { createSimulatedDevice } from "./recording/simulated-device.ts";
import type { TfTensor } from "../graph/record/tfjs-types.ts";

const test = suite("attention");
const { tf } = await loadTfjs("cpu");

const numbers = (shape: readonly number[], seed: number) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.3 * i)),
    [...shape],
  ) as TfTensor;
};

/** Result and gradients of a loss that weighs every number differently. */
function computed(shapes: readonly (readonly number[])[], mostBytes: number): number[][] {
  const operands = shapes.map(numbers);
  const { value, grads } = gradientsOf(
    tf,
    () => {
      const [q, k, v, bias = null] = operands as [TfTensor, TfTensor, TfTensor, TfTensor?];
      const o = attention(tf, { q, k, v, bias }, mostBytes);
      return tf.sum(tf.mul(o, numbers(o.shape, 9))) as TfTensor;
    },
    operands,
  );
  return [value, ...grads].map((x) => Array.from(x?.dataSync() ?? []));
}

const near = (a: readonly number[][], b: readonly number[][]) =>
  a.forEach((list, i) => {
    assert.is(list.length, b[i]?.length);
    list.forEach((x, j) => assert.ok(Math.abs(x - (b[i]?.[j] ?? NaN)) < 2e-6, `${i}, ${j}: ${x} and ${b[i]?.[j]}`));
  });

const [B, H, Tq, Tk, d] = [2, 2, 7, 5, 3];
const [q, kv] = [
  [B, H, Tq, d],
  [B, H, Tk, d],
];

test("results and gradients in chunks equal those in one piece, with any kind of bias", () => {
  const scoresOfARow = 4 * B * H * Tk;
  for (const bias of [[], [[B, 1, 1, Tk]], [[B, 1, Tq, Tk]], [[1, 1, Tq, Tk]]]) {
    const shapes = [q, kv, kv, ...bias];
    const whole = computed(shapes, Infinity);
    // Chunks of three, two and two rows; then of one row each, also if the limit is below one row.
    for (const rows of [3, 1, 0]) near(computed(shapes, rows * scoresOfARow), whole);
  }
});

/** The most bytes that a step of one self-attention takes. */
function peakOf(tokens: number): number {
  const device = createSimulatedDevice();
  const engine = createOnnxEngine(tf, device);
  const { ops } = engine;
  const data = new Float32Array(8 * tokens * 64);
  const x = engine.keep({ shape: [1, 8, tokens, 64], dtype: "float32", data });
  const loss = (): Tensor => ops.sum(ops.square(ops.attention(x, x, x, null)));
  engine.differentiate(() => ({ loss: loss(), outputs: {} }), [x]);
  return device.usage().peak;
}

test("long sequences take memory that grows with their length, not with its square", () => {
  const [a, b, c] = [2048, 4096, 8192].map(peakOf) as [number, number, number];
  // 8 heads of 8,192 tokens have 2 GiB of scores.
  assert.ok(c < 400e6, String(c));
  assert.ok(b / a < 2.2 && c / b < 2.2, `${b / a} and ${c / b}`);
});

test("an engine that records in chunks computes what another engine computes", async () => {
  const shape = [1, 2, 3000, 2];
  const size = shape.reduce((x, y) => x * y, 1);
  const host = { shape, dtype: "float32" as const, data: Float32Array.from({ length: size }, (_, i) => Math.sin(i)) };
  const results: Float32Array[] = [];
  for (const name of ["onnx", "wasm"] as const) {
    const { engine } = await openEngine(name);
    const { ops } = engine;
    const x = engine.keep(host);
    const loss = () => ops.sum(ops.mul(ops.attention(x, ops.neg(x), x, null), x));
    const { loss: value, gradients } = engine.differentiate(() => ({ loss: loss(), outputs: {} }), [x]);
    results.push((await engine.read(gradients[0] as Tensor)).data as Float32Array);
    engine.dispose(x, value, ...gradients);
  }
  const [own, other] = results as [Float32Array, Float32Array];
  own.forEach((y, i) => assert.ok(Math.abs(y - (other[i] ?? NaN)) < 1e-4, `${i}: ${y} and ${other[i]}`));
});

test.run();
