import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StorageType } from "../contract.ts";
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from "../files/number-formats.ts";
import { openEngine } from "./index.ts";

const test = suite("round");
const { engine: cpu } = await openEngine("cpu");
const { engine: wasm } = await openEngine("wasm");

async function rounded(values: Float32Array, storage: StorageType, engine = cpu): Promise<Float32Array> {
  const x = engine.keep({ shape: [values.length], dtype: "float32", data: values });
  const y = engine.ops.round(x, storage);
  const { data } = await engine.read(y);
  engine.dispose(x, y);
  return data as Float32Array;
}

/** Every upper half of a float32 whose exponent is in the range, with lower halves at, around and between ties. */
function patterns(smallest: number, largest: number): Float32Array {
  const lower = [0, 1, 0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x7fff, 0x8000, 0x8001, 0xc000, 0xffff];
  const words: number[] = [];
  for (let upper = 0; upper < 0x10000; upper++) {
    const exponent = ((upper >> 7) & 0xff) - 127;
    if (exponent < smallest || exponent > largest) continue;
    for (const low of lower) words.push(upper * 0x10000 + low);
  }
  return new Float32Array(Uint32Array.from(words).buffer);
}

for (const engine of [cpu, wasm]) {
  test(`bfloat16 as the storage format does, on ${engine.name}`, async () => {
    const values = patterns(-126, 110);
    assert.ok(values.length > 700_000);
    const expected = bfloat16ToFloat32(float32ToBfloat16(values));
    const actual = await rounded(values, "bfloat16", engine);
    assert.is(
      actual.findIndex((x, i) => x !== expected[i]),
      -1,
    );
  });

  test(`float16 as the storage format does, subnormals and overflow included, on ${engine.name}`, async () => {
    const values = patterns(-30, 20);
    const expected = float16ToFloat32(float32ToFloat16(values));
    const actual = await rounded(values, "float16", engine);
    assert.is(
      actual.findIndex((x, i) => x !== expected[i]),
      -1,
    );
  });
}

test("integers to the nearest one in range, ties to even", async () => {
  const values = Float32Array.of(0.5, 1.5, 2.5, -0.6, 300, -300);
  assert.equal(
    Array.from(await rounded(values, "uint8"), (x) => x + 0),
    [0, 2, 2, 0, 255, 0],
  );
  assert.equal(
    Array.from(await rounded(values, "int8", wasm), (x) => x + 0),
    [0, 2, 2, -1, 127, -128],
  );
  assert.equal(
    Array.from(await rounded(values, "int64"), (x) => x + 0),
    [0, 2, 2, -1, 300, -300],
  );
});

test("float32 stays as it is", async () => {
  const values = Float32Array.of(0.1, -3.3e38, 1e-40);
  assert.equal(await rounded(values, "float32"), values);
});

test.run();
