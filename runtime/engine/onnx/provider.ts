import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What ONNX Runtime computes with: the CPU, any GPU (`webgpu`: through Vulkan, Metal or Direct3D 12), or an NVIDIA GPU (`cuda`). */
export type Provider = "cpu" | "webgpu" | "cuda";

export const providerTitles: Readonly<Record<Provider, string>> = {
  cpu: "all cores of the CPU",
  webgpu: "a GPU through WebGPU",
  cuda: "an NVIDIA GPU through CUDA",
};

/** What a provider needs besides ONNX Runtime. */
export const providerNeeds: Readonly<Record<Provider, string>> = {
  cpu: "nothing",
  webgpu: "a GPU and its Vulkan, Metal or Direct3D 12 driver",
  cuda: "an NVIDIA GPU, its driver, CUDA 12 and cuDNN 9",
};

/**
 * The folder of the package with ONNX Runtime. Users have the package of their platform, which `npm run pack` makes; a clone of the
 * repository has onnxruntime-node, with the same files for all platforms. Throws Node.js's error if neither is installed.
 */
export function runtimeFolder(): string {
  const { resolve } = createRequire(import.meta.url);
  const folderOf = (name: string) => dirname(resolve(`${name}/package.json`));
  try {
    return folderOf(`@ltxc/onnxruntime-${process.platform}-${process.arch}`);
  } catch (error) {
    try {
      return folderOf("onnxruntime-node");
    } catch {
      throw error;
    }
  }
}

/** Whether the library of the CUDA provider is installed; npm does not install it. */
export function hasCudaLibrary(): boolean {
  const files = readdirSync(join(runtimeFolder(), "bin"), { recursive: true, encoding: "utf8" });
  return files.some((name) => name.includes("onnxruntime_providers_cuda."));
}
