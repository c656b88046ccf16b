import { createRequire } from "node:module";
import { dirname } from "node:path";
import { cudaLibrary, cudaNeedsIn } from "./cuda-needs.ts";

/** What ONNX Runtime computes with: the CPU, any GPU (`webgpu`: through Vulkan, Metal or Direct3D 12), or an NVIDIA GPU (`cuda`). */
export type Provider = "cpu" | "webgpu" | "cuda";

export const providerTitles: Readonly<Record<Provider, string>> = {
  cpu: "all cores of the CPU",
  webgpu: "a GPU through WebGPU",
  cuda: "an NVIDIA GPU through CUDA",
};

/** What a provider needs besides ONNX Runtime. */
export function providerNeeds(provider: Provider): string {
  if (provider === "cpu") return "nothing";
  if (provider === "webgpu") return "a GPU and its Vulkan, Metal or Direct3D 12 driver";
  return `an NVIDIA GPU, its driver, ${cudaNeedsIn(runtimeFolder())}`;
}

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
export const hasCudaLibrary = (): boolean => cudaLibrary(runtimeFolder()) !== null;
