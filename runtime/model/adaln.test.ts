import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../engine/index.ts";
import { timestepSinusoid } from "./adaln.ts";

const test = suite("adaln");
const { engine: cpu } = await openEngine("cpu");
const { engine: wasm } = await openEngine("wasm");

for (const engine of [cpu, wasm]) {
  test(`the timestep sinusoid on ${engine.name}: cosines first, 128 frequencies down to almost 1 / 10000`, async () => {
    const t = engine.keep({ shape: [3], dtype: "float32", data: Float32Array.of(500, 1, 0) });
    const { shape, data } = await engine.read(engine.tidy(() => timestepSinusoid(engine.ops, t)));
    assert.equal(shape, [3, 256]);
    const expected: readonly (readonly [number, number])[] = [
      [0, -0.883849],
      [1, 0.945946],
      [2, 0.848507],
      [127, 0.998557],
      [128, -0.467772],
      [129, 0.324325],
      [130, -0.529184],
      [255, 0.0537045],
      [256, 0.540302],
      [257, 0.597375],
      [258, 0.647906],
      [512, 1],
      [639, 1],
      [640, 0],
      [767, 0],
    ];
    for (const [i, e] of expected) assert.ok(Math.abs((data[i] ?? NaN) - e) < 2e-6, `[${i}] ${data[i]}, expected ${e}`);
  });
}

test.run();
