import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What ONNX Runtime computes with: the processor, any GPU (through Vulkan, Metal or Direct3D 12), or one of NVIDIA. */
export type Provider = "cpu" | "webgpu" | "cuda";

export const providerTitles: Readonly<Record<Provider, string>> = {
  cpu: "all cores of the CPU",
  webgpu: "a GPU through WebGPU",
  cuda: "an NVIDIA GPU through CUDA",
};

/** What has to be there beside the runtime. */
export const providerNeeds: Readonly<Record<Provider, string>> = {
  cpu: "nothing",
  webgpu: "a GPU and its Vulkan, Metal or Direct3D 12 driver",
  cuda: "an NVIDIA GPU, its driver, CUDA 12 and cuDNN 9",
};

/** The folder of the package onnxruntime-node. Errors: throws what Node does where it is not installed. */
export function runtimeFolder(): string {
  return dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
}

/** Whether the library of the CUDA provider was fetched, which npm does not. */
export function hasCudaLibrary(): boolean {
  const files = readdirSync(join(runtimeFolder(), "bin"), { recursive: true, encoding: "utf8" });
  return files.some((name) => name.includes("onnxruntime_providers_cuda."));
}
