/**
 * Our side: trains the adapters for some steps and prints a line of JSON for each. Arguments: folder, size, side, steps, the Python of
 * PyTorch, and the provider (`cpu`, if left away).
 */
import { readFileSync } from "node:fs";
import type { HostTensor, ModalityInputs, Tensor } from "../../runtime/contract.ts";
import { openSafetensors } from "../../runtime/files/safetensors/index.ts";
import { openEngine } from "../../runtime/engine/index.ts";
import type { Provider } from "../../runtime/engine/onnx/provider.ts";
import type { EngineName } from "../../runtime/engine/engine.ts";
import type { StreamName } from "../../runtime/model/config.ts";
import { transformerLayout } from "../../runtime/model/parameters.ts";
import { matchTargets } from "../../runtime/model/lora.ts";
import type { Checkpointing } from "../../runtime/model/checkpointing.ts";
import { createTransformer } from "../../runtime/model/transformer.ts";
import { loadPart } from "../../runtime/model/weights.ts";
import { createAdamW } from "../../runtime/optimizer/adamw.ts";
import { inputFile, modelFile, positionsOf } from "./files.ts";
import { configOf, learningRate, sigma, sizes, targets } from "./sizes.ts";

const [folder = "", name = "", side = "onnx", steps = "3", torch = null, provider = "cpu"] = process.argv.slice(2);
const size = sizes[name];
if (size === undefined) throw new Error(`no size ${name}`);
// `torch-bf16` is the engine torch in bfloat16.
const [engineName, precision] = side.split("-");
const { engine } = await openEngine(engineName as EngineName, {
  provider: engineName === "onnx" || engineName === "torch" ? (provider as Provider) : "auto",
  torch,
  precision: precision === "bf16" ? "bfloat16" : "float32",
});
const { ops } = engine;
const config = configOf(size);
const layout = transformerLayout(config);
const checkpoint = await openSafetensors(modelFile(folder));
const weights = await loadPart(engine, checkpoint, { prefix: "", parameters: layout });
const inputs = await openSafetensors(inputFile(folder));
const read = async (key: string): Promise<HostTensor> => ({
  shape: inputs.tensors.get(key)?.shape ?? [],
  dtype: "float32",
  data: await inputs.readFloat32(key),
});

const modules = matchTargets(layout, targets).targets.map(({ module }) => module);
const names = modules.flatMap((module) => [`${module}.lora_A.weight`, `${module}.lora_B.weight`]);
let parameters: readonly Tensor[] = await Promise.all(names.map(async (key) => engine.keep(await read(key))));
const at = new Map(modules.map((module, i) => [module, 2 * i]));
const adapters = {
  get(module: string) {
    const i = at.get(module);
    const [a, b] = i === undefined ? [] : parameters.slice(i, i + 2);
    return a === undefined || b === undefined ? undefined : { a, b, scale: 1 };
  },
};
const checkpointing: Checkpointing = {
  run: engine.checkpoint.bind(engine),
  parametersOf: (prefix) => parameters.filter((_, i) => (names[i] ?? "").startsWith(prefix)),
  isSharedTrained: false,
};
const isCheckpointed = size.isCheckpointed === true;
const model = createTransformer(ops, config, weights, adapters, isCheckpointed ? checkpointing : null);
const positions = positionsOf(size);
const given = new Map<string, HostTensor>();
for (const key of inputs.tensors.keys()) if (!key.includes("lora")) given.set(key, await read(key));
const input = (key: string) => ops.input(key, given.get(key) as HostTensor);

function modality(stream: StreamName): ModalityInputs & { readonly target: Tensor } {
  const [latent, noise] = [input(`${stream}.latent`), input(`${stream}.noise`)];
  const level = ops.input(`${stream}.sigma`, { shape: [1], dtype: "float32", data: Float32Array.of(sigma) });
  const tokens = latent.shape[1] ?? 0;
  return {
    latent: ops.add(ops.mul(latent, 1 - sigma), ops.mul(noise, sigma)),
    sigma: level,
    timesteps: ops.broadcastTo(ops.reshape(level, [1, 1]), [1, tokens]),
    twoLevels: true,
    positions: positions[stream],
    context: input(`${stream}.context`),
    contextMask: null,
    attentionMask: null,
    keyframesMask: null,
    enabled: true,
    target: ops.sub(noise, latent),
  };
}

function forward() {
  const [video, audio] = [modality("video"), modality("audio")];
  const velocity = model.forward({ video, audio });
  const error = (x: Tensor | null, { target }: { target: Tensor }) =>
    x === null ? 0 : ops.mean(ops.square(ops.sub(x, target)));
  return { loss: ops.add(error(velocity.video, video), error(velocity.audio, audio)), outputs: {} };
}

const optimizer = createAdamW(engine, parameters.length);
for (let step = 0; step < Number(steps); step++) {
  const start = performance.now();
  const result = engine.differentiate(forward, parameters);
  const { data } = await engine.read(result.loss);
  parameters = await optimizer.update(parameters, result.gradients, learningRate, null);
  await engine.read(parameters.at(-1) as Tensor);
  engine.dispose(result.loss, ...result.gradients);
  console.log(JSON.stringify({ loss: data[0], ms: performance.now() - start }));
}
const peak = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
// Of this process on the host; what a GPU holds is asked of its driver, by whoever starts this.
console.log(JSON.stringify({ peakMiB: Number(peak) / 1024 }));
