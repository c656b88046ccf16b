import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Tensor } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { createAdamW } from "./adamw.ts";
import { addGradients, clipFactor, globalNorm } from "./gradients.ts";
import { readTensorFile } from "../checkpoints/tensor-file.ts";

const test = suite("optimizer");
const { engine } = await openEngine("cpu");

const vector = (...data: number[]): HostTensor => ({
  shape: [data.length],
  dtype: "float32",
  data: Float32Array.from(data),
});
const keep = (...data: number[]): Tensor => engine.keep(vector(...data));
const read = async (x: Tensor) => Array.from((await engine.read(x)).data);

function near(actual: readonly number[], expected: readonly number[], relative = 2e-6) {
  assert.is(actual.length, expected.length);
  actual.forEach((value, i) => {
    const wanted = expected[i] ?? NaN;
    assert.ok(Math.abs(value - wanted) <= relative * Math.abs(wanted) + 1e-9, `${value} is not ${wanted}`);
  });
}

/** The published algorithm for one number, in double precision: the parameter after each gradient. */
function reference(start: number, gradients: readonly number[], rates: readonly number[]): number[] {
  let [p, m, v] = [start, 0, 0];
  return gradients.map((g, i) => {
    const rate = rates[i] ?? NaN;
    p *= 1 - rate * 0.01;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    p -= (rate * (m / (1 - 0.9 ** (i + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (i + 1))) + 1e-8);
    return p;
  });
}

test("follows decoupled weight decay with bias correction, step by step", async () => {
  const rates = [0.1, 0.05, 0.02, 0.1];
  const gradients = [
    [1, -3],
    [0.5, 1e-4],
    [-2, 0],
    [0.1, 7],
  ];
  const expected = [0, 1].map((k) =>
    reference(
      [2, -1][k] ?? 0,
      gradients.map((g) => g[k] ?? 0),
      rates,
    ),
  );
  const adamw = createAdamW(engine, 1);
  let parameters: Tensor[] = [keep(2, -1)];
  for (const [i, g] of gradients.entries()) {
    const gradient = keep(...g);
    parameters = await adamw.update(parameters, [gradient], rates[i] ?? 0, null);
    engine.dispose(gradient);
    near(
      await read(parameters[0] as Tensor),
      expected.map((values) => values[i] ?? NaN),
    );
  }
});

test("a parameter without a gradient is left alone and its own count stands still", async () => {
  const adamw = createAdamW(engine, 2);
  let parameters: Tensor[] = [keep(1), keep(1)];
  for (const second of [null, null, keep(3)]) parameters = await adamw.update(parameters, [keep(3), second], 0.1, null);
  near(await read(parameters[1] as Tensor), reference(1, [3], [0.1]));
  near(await read(parameters[0] as Tensor), reference(1, [3, 3, 3], [0.1, 0.1, 0.1]).slice(-1));
  assert.equal(
    (await adamw.save()).map((entry) => entry?.t),
    [3, 1],
  );
});

test("a restored optimizer goes on bit for bit", async () => {
  const [a, b] = [createAdamW(engine, 2), createAdamW(engine, 2)];
  let left: Tensor[] = [keep(1, 2), keep(5)];
  left = await a.update(left, [keep(0.3, -0.1), null], 0.1, null);
  b.restore(await a.save());
  let right = await Promise.all(left.map(async (p) => engine.keep(await engine.read(p))));
  left = await a.update(left, [keep(0.2, 4), keep(1)], 0.1, null);
  right = await b.update(right, [keep(0.2, 4), keep(1)], 0.1, null);
  assert.equal(await read(left[0] as Tensor), await read(right[0] as Tensor));
  assert.equal(await read(left[1] as Tensor), await read(right[1] as Tensor));
});

test("an update leaves as many tensors behind as it found", async () => {
  const adamw = createAdamW(engine, 1);
  const gradient = keep(1, 2, 3);
  let parameters = await adamw.update([keep(1, 2, 3)], [gradient], 0.1, null);
  const before = engine.memory();
  for (let i = 0; i < 5; i++) {
    const norm = globalNorm(engine, [gradient]);
    const factor = clipFactor(engine, norm, 1);
    parameters = await adamw.update(parameters, [gradient], 0.1, factor);
    engine.dispose(norm, factor);
  }
  assert.equal(engine.memory(), before);
});

test("gradients are clipped by their common norm, as PyTorch does", async () => {
  const gradients = [keep(3, 0), null, keep(0, 4)];
  const norm = globalNorm(engine, gradients);
  near(await read(norm), [5]);
  near(await read(clipFactor(engine, norm, 1) as Tensor), [1 / (5 + 1e-6)]);
  near(await read(clipFactor(engine, norm, 10) as Tensor), [1]);
  assert.is(clipFactor(engine, norm, 0), null);
  near(await read(globalNorm(engine, [null])), [0]);
});

test("gradients add up; one that is missing counts as nothing", async () => {
  const first = addGradients(engine, null, [keep(1), null, keep(2), null]);
  const sum = addGradients(engine, first, [keep(10), keep(20), null, null]);
  assert.equal(await Promise.all(sum.map((g) => (g === null ? null : read(g)))), [[11], [20], [2], null]);
});

test("adding gradients frees the ones that it took over", () => {
  const before = engine.memory().tensors;
  const sum = addGradients(engine, [keep(1), keep(1)], [keep(2), null]);
  assert.is(engine.memory().tensors, before + 2);
  engine.dispose(...sum);
});

test("clipping and the first update give the weights that the reference's run had after its first step", async () => {
  const file = new URL(
    "../../conformance/vectors/training/video_inpainting_accum2/tensors.safetensors",
    import.meta.url,
  );
  const { tensors } = await readTensorFile(fileURLToPath(file));
  const golden = (name: string): HostTensor => tensors.get(name) ?? assert.unreachable(`no ${name}`) ?? vector();
  const names = [...tensors.keys()].filter((key) => key.startsWith("grad.first_step.")).map((key) => key.slice(16));
  assert.ok(names.length > 10);
  const gradients = names.map((name) => engine.keep(golden(`grad.first_step.${name}`)));
  const norm = globalNorm(engine, gradients);
  near(await read(norm), [golden("out.grad_norm").data[0] ?? 0], 1e-5);
  const start = names.map((name) => engine.keep(golden(`lora.init.${name}`)));
  const rate = golden("out.lr_used").data[0] ?? 0;
  const updated = await createAdamW(engine, names.length).update(start, gradients, rate, clipFactor(engine, norm, 1));
  for (const [i, name] of names.entries()) {
    const expected = golden(`lora.after_step1.${name}`).data;
    const actual = await read(updated[i] as Tensor);
    const off = Math.max(...actual.map((value, k) => Math.abs(value - (expected[k] ?? NaN))));
    assert.ok(off < 1e-6, `${name}: ${off}`);
  }
});

test.run();
