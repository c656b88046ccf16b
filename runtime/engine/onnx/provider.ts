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

/** What a provider needs besides ONNX Runtime. */
export const providerNeeds: Readonly<Record<Provider, string>> = {
  cpu: "nothing",
  webgpu: "a GPU and its Vulkan, Metal or Direct3D 12 driver",
  cuda: "an NVIDIA GPU, its driver, CUDA 12 and cuDNN 9",
};

/**
 * The folder of the package with ONNX Runtime. Users have the one of their platform, which `npm run pack` makes and which holds the
 * same files; a clone has onnxruntime-node, with every platform's. Errors: throws what Node does where neither is installed.
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

/** Whether the library of the CUDA provider was fetched, which npm does not. */
export function hasCudaLibrary(): boolean {
  const files = readdirSync(join(runtimeFolder(), "bin"), { recursive: true, encoding: "utf8" });
  return files.some((name) => name.includes("onnxruntime_providers_cuda."));
}
