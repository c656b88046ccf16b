import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../findings.ts";
import { makeEmptyTorch } from "../testing/empty-torch.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import type { Precision } from "./engine.ts";
import { foreseeEngine } from "./foresee-engine.ts";
import { failureOf, precisionFor } from "./open-engine.ts";
import { takenByAuto, type EngineProbe } from "./probe-engines.ts";
import { hasBfloat16 } from "./torch/processor.ts";

const test = suite("foreseeing an engine");
const folder = temporaryFolders(test, "ltxc-foresee");

const isLinux = process.platform === "linux";

test("an engine that works is what a run would open, with its own precision and its speed here", async () => {
  const { speed, ...engine } = await foreseeEngine("wasm", { precision: "bfloat16" });
  assert.equal(engine, { name: "wasm", provider: null, precision: "float32" });
  assert.ok(((await speed())?.matmulGflops ?? 0) > 0);
});

if (isLinux)
  test("a PyTorch that is named is looked at and not loaded", async () => {
    const torch = await folder();
    await makeEmptyTorch(torch, "2.13.0");
    const asked = { torch, precision: "bfloat16", provider: "cpu" } as const;
    const { speed: _, ...engine } = await foreseeEngine("torch", asked);
    assert.equal(engine, { name: "torch", provider: "cpu", precision: hasBfloat16() ? "bfloat16" : "float32" });
    const onGpu = await foreseeEngine("torch", { ...asked, provider: "cuda" });
    assert.equal([onGpu.provider, onGpu.precision], ["cuda", "bfloat16"]);
    try {
      await foreseeEngine("torch", { torch: join(torch, "missing") });
      assert.unreachable();
    } catch (error) {
      assert.ok(error instanceof FindingsError);
      assert.is(error.findings[0]?.code, "LTX7050");
    }
  });

test("an engine that does not work here is foreseen without a speed: a plan may be for another machine", async () => {
  const { speed, ...engine } = await foreseeEngine("auto", { provider: "webgpu", torch: null });
  assert.is(engine.provider, "webgpu");
  // Where there is a GPU, it is the same engine with a speed.
  assert.equal([engine.name, engine.precision], ["onnx", "float32"]);
  assert.type(speed, "function");
});

test("a processor without bfloat16 computes a run in float32, a GPU and one that has it in what is asked for", () => {
  const [cpu, gpu] = [{ name: "torch", provider: "cpu" } as const, { name: "torch", provider: "cuda" } as const];
  assert.is(precisionFor(cpu, "bfloat16", false), "float32");
  assert.is(precisionFor(cpu, "bfloat16", true), "bfloat16");
  assert.is(precisionFor(cpu, "float32", true), "float32");
  assert.is(precisionFor(gpu, "bfloat16", false), "bfloat16");
});

test("where ONNX Runtime's package is missing, that is why none of its providers works", () => {
  const error = Object.assign(new Error("Cannot find module '@ltxc/onnxruntime'"), { code: "MODULE_NOT_FOUND" });
  for (const provider of ["cpu", "cuda", "webgpu"] as const)
    assert.is(failureOf({ name: "onnx", provider }, error), "its package is not installed");
});

test("auto takes the probe of the precision that a run is in, on a GPU before all others", () => {
  const probe = (name: "onnx" | "torch", provider: "cpu" | "cuda", precision: Precision): EngineProbe => {
    const isGpu = provider === "cuda";
    return { name, provider, precision, available: true, reason: "", isGpu, speed: null };
  };
  const onCpu = [probe("onnx", "cpu", "float32"), probe("torch", "cpu", "float32"), probe("torch", "cpu", "bfloat16")];
  const onGpu = [probe("torch", "cuda", "float32"), probe("torch", "cuda", "bfloat16")];
  assert.is(takenByAuto(onCpu), onCpu[0]);
  assert.is(takenByAuto(onCpu, "bfloat16"), hasBfloat16() ? onCpu[2] : onCpu[0]);
  assert.is(takenByAuto(onCpu.slice(1), "bfloat16"), onCpu[hasBfloat16() ? 2 : 1]);
  assert.is(takenByAuto([...onCpu, ...onGpu]), onGpu[0]);
  assert.is(takenByAuto([...onCpu, ...onGpu], "bfloat16"), onGpu[1]);
});

test.run();
