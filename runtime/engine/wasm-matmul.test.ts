import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../contract.ts";
import { openEngine } from "./index.ts";

const test = suite("wasm-matmul");
const { engine: cpu } = await openEngine("cpu");
const { engine: wasm } = await openEngine("wasm");

/** Sizes large enough for the kernel to split batches and transpose. */
const [m, k, n] = [40, 30, 50];

function matrices(batch: readonly number[], rows: number, columns: number, seed: number): HostTensor {
  const shape = [...batch, rows, columns];
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.7 * i)) };
}

for (const batch of [[], [1], [3], [2, 2]]) {
  for (const [transposeA, transposeB] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    test(`batch [${batch.join(", ")}]${transposeA ? ", a transposed" : ""}${transposeB ? ", b transposed" : ""}`, async () => {
      const a = transposeA ? matrices(batch, k, m, 1) : matrices(batch, m, k, 1);
      const b = transposeB ? matrices(batch, n, k, 2) : matrices(batch, k, n, 2);
      const results: ArrayLike<number>[] = [];
      for (const engine of [cpu, wasm]) {
        const before = engine.memory();
        const [x, y] = [engine.keep(a), engine.keep(b)];
        const product = engine.ops.matMul(x, y, transposeA, transposeB);
        assert.equal(product.shape, [...batch, m, n]);
        results.push((await engine.read(product)).data);
        engine.dispose(x, y, product);
        assert.equal(engine.memory(), before);
      }
      const [expected = [], actual = []] = results;
      for (let i = 0; i < expected.length; i++) assert.ok(Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN)) < 1e-5);
    });
  }
}

test("one matrix for a whole batch", async () => {
  const shapes = [matrices([3], m, k, 1), matrices([], k, n, 2)] as const;
  const product = async (engine: typeof cpu) => {
    const [x, y] = [engine.keep(shapes[0]), engine.keep(shapes[1])];
    const z = engine.ops.matMul(x, y);
    const { data } = await engine.read(z);
    engine.dispose(x, y, z);
    return data;
  };
  const [expected, actual] = [await product(cpu), await product(wasm)];
  expected.forEach((e, i) => assert.ok(Math.abs((actual[i] ?? NaN) - e) < 1e-5));
});

test.run();
