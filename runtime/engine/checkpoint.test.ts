import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Tensor } from "../contract.ts";
import type { Engine } from "./engine.ts";
import { openEngine } from "./index.ts";

const test = suite("checkpoint");
const [width, tokens] = [8, 64];

function host(shape: readonly number[], seed: number): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.3 * i)) };
}

interface Result {
  readonly loss: number;
  readonly gradients: readonly Float32Array[];
  /** Bytes that the engine holds after the loss was computed, in addition to those before. */
  readonly bytes: number;
}

/** Four layers with a weight each, a mask that all share, and numbers that are drawn within the layer. */
async function run(engine: Engine, isCheckpointed: boolean): Promise<Result> {
  const { ops } = engine;
  const weights = [1, 2, 3, 4].map((seed) => engine.keep(host([width, width], seed)));
  const x = engine.keep(host([tokens, width], 9));
  const before = engine.memory().bytes;
  let bytes = 0;
  const layer = (i: number) => (given: readonly Tensor[]) => {
    const [state, scale] = given as readonly [Tensor, Tensor];
    const noise = ops.input(`noise.${i}`, host([tokens, width], 20 + i));
    const inner = ops.gelu(ops.mul(ops.linear(state, weights[i] as Tensor, null), ops.add(scale, noise)));
    return ops.add(state, ops.tanh(ops.mul(inner, ops.constant(host([width], 5)))));
  };
  const result = engine.differentiate(() => {
    const scale = ops.exp(ops.mul(x, 0.1));
    let state = x;
    for (let i = 0; i < weights.length; i++) {
      const parameters = [weights[i] as Tensor];
      state = isCheckpointed
        ? engine.checkpoint(layer(i), { inputs: [state], constants: [scale], parameters })
        : layer(i)([state, scale]);
    }
    const loss = ops.mean(ops.square(state));
    bytes = engine.memory().bytes - before;
    return { loss, outputs: {} };
  }, weights);
  const gradients: Float32Array[] = [];
  for (const g of result.gradients) gradients.push((await engine.read(g as Tensor)).data as Float32Array);
  const loss = (await engine.read(result.loss)).data[0] ?? NaN;
  engine.dispose(result.loss, ...result.gradients, ...weights, x);
  return { loss, gradients, bytes };
}

for (const name of ["cpu", "wasm", "onnx"] as const) {
  test(`${name}: gradients are the same, whatever is kept for them`, async () => {
    const { engine } = await openEngine(name);
    const before = engine.memory().tensors;
    // Twice: a recording engine records once and then runs what it recorded.
    for (let i = 0; i < 2; i++) {
      const [kept, again] = [await run(engine, false), await run(engine, true)];
      assert.ok(Math.abs(kept.loss - again.loss) < 1e-6 * kept.loss);
      kept.gradients.forEach((g, k) => {
        assert.ok(g.some((value) => Math.abs(value) > 1e-4));
        g.forEach((value, j) => assert.ok(Math.abs(value - (again.gradients[k]?.[j] ?? NaN)) < 1e-6, `${k}[${j}]`));
      });
      if (name !== "onnx") assert.ok(again.bytes < kept.bytes / 2, `${again.bytes} of ${kept.bytes}`);
    }
    assert.is(engine.memory().tensors, before);
  });
}

test.run();
