/** What ONNX Runtime computes with: the processor, any GPU (through Vulkan, Metal or Direct3D 12), or one of NVIDIA. */
export type Provider = "cpu" | "webgpu" | "cuda";

export const providerTitles: Readonly<Record<Provider, string>> = {
  cpu: "all cores of the CPU",
  webgpu: "a GPU through WebGPU",
  cuda: "an NVIDIA GPU through CUDA",
};
