/** Which CUDA ONNX Runtime's library for NVIDIA GPUs was built for: the library says it, and what is published changes from version to version. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The library of the CUDA provider below ONNX Runtime's folder; null where it is not installed, since npm does not bring it. */
export function cudaLibrary(folder: string): string | null {
  const files = readdirSync(join(folder, "bin"), { recursive: true, encoding: "utf8" });
  const found = files.find((name) => /libonnxruntime_providers_cuda\.so$|onnxruntime_providers_cuda\.dll$/.test(name));
  return found === undefined ? null : join(folder, "bin", found);
}

/**
 * What a library needs besides the GPU's driver, by the names of the libraries that it is linked with: "CUDA 13 and cuDNN 9".
 * @param library bytes of the file
 */
export function cudaNeeds(library: Buffer): string {
  const [cuda, cudnn] = [versionOf(library, "libcudart.so."), versionOf(library, "libcudnn.so.")];
  return `CUDA${cuda} and cuDNN${cudnn}`;
}

/** " 13" for a library that is linked with `libcudart.so.13`; empty for one that is not linked with it. */
function versionOf(library: Buffer, name: string): string {
  // Names end with a zero byte, in the list of strings that the dynamic linker reads.
  const at = library.indexOf(name);
  if (at < 0) return "";
  const [version = ""] = /^\d+/.exec(library.subarray(at + name.length, at + name.length + 8).toString("latin1")) ?? [];
  return version === "" ? "" : ` ${version}`;
}

/** What the installed library needs; in general words where there is none. */
export function cudaNeedsIn(folder: string): string {
  try {
    const library = cudaLibrary(folder);
    if (library !== null) return cudaNeeds(readFileSync(library));
  } catch {
    // It can not be read: then nothing is known of it.
  }
  return "the CUDA and cuDNN that ONNX Runtime's library for it is built for";
}
