// `fill` is not an array's.
/* oxlint-disable unicorn/no-array-fill-with-reference-type */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../contract.ts";
import { FindingsError } from "../findings.ts";
import { openEngine, probeEngines, takenByAuto } from "./index.ts";
import { torchEngines } from "../testing/test-torch.ts";

const probes = await probeEngines();
const test = suite("engine");
const { engine: cpu } = await openEngine("cpu");
const { engine: wasm } = await openEngine("wasm");
const { engine: onnx } = await openEngine("onnx");
const host = (shape: readonly number[], values: readonly number[]): HostTensor => ({
  shape,
  dtype: "float32",
  data: Float32Array.from(values),
});

for (const engine of [cpu, wasm, onnx, ...(await torchEngines())]) {
  test(`${engine.name}: a step leaves only the tensors that it returns`, async () => {
    const { ops } = engine;
    const w = engine.keep(host([2, 2], [1, 2, 3, 4]));
    const before = engine.memory();
    for (let step = 0; step < 5; step++) {
      const result = engine.differentiate(() => {
        const x = ops.input("x", host([3, 2], [1, 2, 3, 4, 5, step]));
        const y = ops.gelu(ops.linear(ops.rmsNorm(x, 1e-6), w, null));
        return { loss: ops.mean(ops.square(y)), outputs: { y } };
      }, [w]);
      assert.equal(result.outputs.y.shape, [3, 2]);
      assert.is(engine.memory().tensors, before.tensors + 3);
      engine.dispose(result.loss, result.outputs.y, ...result.gradients);
      assert.equal(engine.memory(), before);
    }
    engine.dispose(w);
  });
}

test("a parameter that the loss does not depend on has no gradient; no parameters are fine, too", () => {
  const [a, b] = [cpu.keep(host([2], [1, 2])), cpu.keep(host([2], [3, 4]))];
  const forward = () => ({ loss: cpu.ops.sum(a), outputs: {} });
  const { loss, gradients } = cpu.differentiate(forward, [a, b]);
  assert.ok(gradients[0] !== null);
  assert.is(gradients[1], null);
  const alone = cpu.differentiate(forward, []);
  assert.equal(alone.gradients, []);
  cpu.dispose(loss, alone.loss, a, b, ...gradients);
});

test("outputs survive together with the loss, even when they are inputs", async () => {
  const a = cpu.keep(host([1], [5]));
  const { loss, outputs } = cpu.differentiate(() => ({ loss: cpu.ops.sum(a), outputs: { a } }), []);
  cpu.dispose(loss, outputs.a);
  assert.equal((await cpu.read(a)).data, Float32Array.of(5));
  cpu.dispose(a);
});

test("tidy frees all but what its result reaches, and not what is kept", () => {
  const before = cpu.memory().tensors;
  let kept = null;
  const result = cpu.tidy(() => {
    kept = cpu.keep(host([1], [1]));
    cpu.ops.fill([2], 1);
    return { list: [cpu.ops.fill([2], 2)], text: "unharmed" };
  });
  assert.is(cpu.memory().tensors, before + 2);
  assert.is(result.text, "unharmed");
  cpu.dispose(kept, ...result.list);
  assert.is(cpu.memory().tensors, before);
});

test("values are copied on their way in and out", async () => {
  const data = Float32Array.of(1, 2);
  const x = cpu.keep({ shape: [2], dtype: "float32", data });
  data[0] = 9;
  const out = await cpu.read(x);
  assert.equal(out.data, Float32Array.of(1, 2));
  out.data[1] = 9;
  assert.equal((await cpu.read(x)).data, Float32Array.of(1, 2));
  cpu.dispose(x);
});

test("engines work side by side, each on its own backend", async () => {
  const [a, b] = [cpu.keep(host([1], [2])), wasm.keep(host([1], [3]))];
  const [c, d] = [cpu.ops.exp(a), wasm.ops.exp(b)];
  const e = cpu.ops.mul(c, d);
  const product = (await cpu.read(e)).data[0] ?? NaN;
  assert.ok(Math.abs(product - Math.exp(5)) < 1e-3);
  cpu.dispose(a, b, c, d, e);
});

test("auto says why it chose, and every engine says what it is or why it can not be used", async () => {
  const { engine, reason } = await openEngine("auto");
  assert.equal(
    // An engine that computes in bfloat16 as well follows itself.
    probes.filter(({ precision }) => precision === "float32").map(({ name, provider }) => provider ?? name),
    ["cuda", "tfjs-node-gpu", "cuda", "webgpu", "cpu", "cpu", "wasm", "cpu"],
  );
  assert.is(engine.name, takenByAuto(probes)?.name);
  for (const { available, name, reason: why } of probes) {
    assert.ok(why.length > 10);
    if (!available && name === "tfjs-node-gpu") assert.match(reason, `not ${name}`);
  }
});

test("an engine asked for by name that does not work is a finding", async () => {
  const gpu = probes.find(({ name }) => name === "tfjs-node-gpu");
  if (gpu?.available) return;
  const error: unknown = await openEngine("tfjs-node-gpu").catch((e: unknown) => e);
  const [finding] = error instanceof FindingsError ? error.findings : [];
  assert.equal([finding?.code, finding?.path], ["LTX6220", ["runtime", "engine"]]);
  assert.ok(finding?.message.includes(gpu?.reason ?? "?"));
});

test("a provider asked for by name that does not work is a finding, also without the engine's name", async () => {
  const isMissing = probes.some(({ provider, available }) => provider === "cuda" && !available);
  if (!isMissing) return;
  for (const name of ["auto", "onnx"] as const) {
    const error: unknown = await openEngine(name, { provider: "cuda" }).catch((e: unknown) => e);
    const [finding] = error instanceof FindingsError ? error.findings : [];
    assert.equal([finding?.code, finding?.path], ["LTX6221", ["runtime", "provider"]]);
    assert.match(finding?.message ?? "", "ltxc install cuda");
  }
});

test("a PyTorch that is named and is not there is a finding, whatever engine is asked for; one engine lacks a provider", async () => {
  const findingOf = async (name: "auto" | "torch", options: Parameters<typeof openEngine>[1]) => {
    const error: unknown = await openEngine(name, options).catch((e: unknown) => e);
    const [finding] = error instanceof FindingsError ? error.findings : [];
    return [finding?.code, finding?.path.join("."), finding?.message];
  };
  if (process.platform === "linux")
    for (const name of ["auto", "torch"] as const) {
      const found = await findingOf(name, { torch: "/no/such/folder" });
      assert.equal(found.slice(0, 2), ["LTX7050", "runtime.torch"]);
    }
  const [code, , message] = await findingOf("torch", { provider: "webgpu" });
  assert.is(code, "LTX6221");
  assert.match(message ?? "", "the engine torch does not have it");
});

test("a provider that is asked for is taken, for the engine that has it", async () => {
  const { engine, reason } = await openEngine("auto", { provider: "cpu" });
  assert.is(engine.name, "onnx");
  assert.match(reason, /all cores of the CPU, as asked for/);
});

test.run();
