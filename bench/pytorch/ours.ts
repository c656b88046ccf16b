/**
 * Our side: trains the adapters for some steps and prints a line of JSON for each. Arguments: folder, size, side, steps, the Python of
 * PyTorch, and the provider (`cpu`, if left away).
 */
import { readFileSync } from "node:fs";
import { openEngine } from "../../runtime/engine/index.ts";
import type { Provider } from "../../runtime/engine/onnx/provider.ts";
import type { EngineName } from "../../runtime/engine/engine.ts";
import { wantsBfloat16 } from "../../runtime/engine/torch/processor.ts";
import { sizes } from "./sizes.ts";
import { openTrainStep } from "./train-step.ts";

const [folder = "", name = "", side = "onnx", steps = "3", torch = null, provider = "cpu"] = process.argv.slice(2);
const size = sizes[name];
if (size === undefined) throw new Error(`no size ${name}`);
// `torch-bf16` is the engine torch in bfloat16.
const [engineName, precision] = side.split("-");
// Also where the processor only imitates it.
process.env[wantsBfloat16] = "1";
const { engine } = await openEngine(engineName as EngineName, {
  provider: engineName === "onnx" || engineName === "torch" ? (provider as Provider) : "auto",
  torch,
  precision: precision === "bf16" ? "bfloat16" : "float32",
});
const { differentiate, update } = await openTrainStep(engine, folder, size, size.isCheckpointed === true);
for (let step = 0; step < Number(steps); step++) {
  const start = performance.now();
  const result = differentiate();
  const { data } = await engine.read(result.loss);
  await engine.read(await update(result));
  console.log(JSON.stringify({ loss: data[0], ms: performance.now() - start }));
}
const peak = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
// Of this process on the host; what a GPU holds is asked of its driver, by whoever starts this.
console.log(JSON.stringify({ peakMiB: Number(peak) / 1024 }));
