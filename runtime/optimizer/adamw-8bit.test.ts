import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Tensor } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { createAdamW8bit } from "./adamw-8bit.ts";
import { createAdamW } from "./adamw.ts";
import type { Optimizer } from "./optimizer.ts";
import { normal } from "../random/philox.ts";

const test = suite("adamw8bit");
const { engine } = await openEngine("wasm");
const count = 4096;

const keep = (data: Float32Array): Tensor => engine.keep({ shape: [64, data.length / 64], dtype: "float32", data });
const numbers = (name: string): Float32Array => normal({ seed: 1, step: 0, microBatch: 0, name }, count);
const read = async (x: Tensor) => (await engine.read(x)).data as Float32Array;

/** Steps down the sum of squared distances from a goal, whose directions are curved from 0.1 to 10. */
async function descend(optimizer: Optimizer, start: Float32Array, steps: number, rate = 0.02): Promise<Float32Array> {
  const goal = numbers("goal");
  let parameters: Tensor[] = [keep(start)];
  for (let step = 0; step < steps; step++) {
    const at = await read(parameters[0] as Tensor);
    const slope = at.map((x, i) => (x - (goal[i] ?? 0)) * 10 ** (2 * (i / count) - 1));
    const gradient = keep(slope);
    parameters = await optimizer.update(parameters, [gradient], rate, null);
    engine.dispose(gradient);
  }
  const end = await read(parameters[0] as Tensor);
  engine.dispose(...parameters);
  return end;
}

function distance(x: Float32Array): number {
  const goal = numbers("goal");
  return Math.sqrt(x.reduce((sum, value, i) => sum + (value - (goal[i] ?? 0)) ** 2, 0) / count);
}

test("descends as Optimizer does", async () => {
  const start = numbers("start");
  const exact = distance(await descend(createAdamW(engine, 1), start, 100));
  const coarse = distance(await descend(createAdamW8bit(engine, 1), start, 100));
  assert.ok(distance(start) > 1.3);
  assert.ok(exact < 0.5, `${exact}`);
  assert.ok(Math.abs(coarse - exact) < 0.05, `${coarse} instead of ${exact}`);
});

test("the first update is Optimizer's, but for what the codes round", async () => {
  const start = numbers("start");
  const [exact, coarse] = [
    await descend(createAdamW(engine, 1), start, 1),
    await descend(createAdamW8bit(engine, 1), start, 1),
  ];
  exact.forEach((x, i) => assert.ok(Math.abs(x - (coarse[i] ?? NaN)) < 1e-5));
});

test("a restored optimizer goes on bit for bit, and its moments have the parameter's shape", async () => {
  const [a, b] = [createAdamW8bit(engine, 1), createAdamW8bit(engine, 1)];
  const middle = await descend(a, numbers("start"), 5);
  const saved = await a.save();
  b.restore(saved);
  assert.equal([saved[0]?.t, saved[0]?.m?.shape, saved[0]?.v?.shape], [5, [64, 64], [64, 64]]);
  assert.equal(await descend(b, middle, 5), await descend(a, middle, 5));
  assert.equal(await b.save(), await a.save());
});

test("a small parameter keeps its moments in float32", async () => {
  const [exact, coarse] = [createAdamW(engine, 1), createAdamW8bit(engine, 1)];
  for (const optimizer of [exact, coarse]) {
    let parameters: Tensor[] = [keep(new Float32Array(64).fill(1))];
    for (const size of [1, 1e-3])
      parameters = await optimizer.update(parameters, [keep(new Float32Array(64).fill(size))], 0.1, null);
  }
  const [m, other] = [(await exact.save())[0]?.m?.data[0] ?? NaN, (await coarse.save())[0]?.m?.data[0] ?? NaN];
  assert.ok(Math.abs(m - other) < 1e-7 * m);
});

test("a parameter without a gradient is left alone; gradients are scaled by the factor", async () => {
  const optimizer = createAdamW8bit(engine, 2);
  const [left, moved] = [keep(numbers("start")), keep(numbers("start"))];
  const factor = engine.keep({ shape: [], dtype: "float32", data: Float32Array.of(0.5) });
  const updated = await optimizer.update([left, moved], [null, keep(numbers("goal"))], 0.1, factor);
  assert.is(updated[0], left);
  const saved = await optimizer.save();
  assert.is(saved[0], null);
  const largest = numbers("goal").reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const kept = Array.from(saved[1]?.m?.data ?? []).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  assert.ok(Math.abs(kept / (0.1 * 0.5 * largest) - 1) < 1e-6);
});

test.run();
