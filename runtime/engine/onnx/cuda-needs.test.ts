import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { cudaLibrary, cudaNeeds, cudaNeedsIn } from "./cuda-needs.ts";

const test = suite("what the CUDA provider needs");
const folder = temporaryFolders(test, "ltxc-cuda-needs");

const linkedWith = (...names: string[]) => Buffer.from(["\x7fELF", ...names, "cudaMalloc"].join("\0"), "latin1");

test("versions are those of the libraries that it is linked with", () => {
  assert.is(cudaNeeds(linkedWith("libcublas.so.13", "libcudart.so.13", "libcudnn.so.9")), "CUDA 13 and cuDNN 9");
  assert.is(cudaNeeds(linkedWith("libcudart.so.12", "libcudnn.so.9")), "CUDA 12 and cuDNN 9");
  assert.is(cudaNeeds(linkedWith("libcudart.so.12")), "CUDA 12 and cuDNN");
  assert.is(cudaNeeds(Buffer.alloc(0)), "CUDA and cuDNN");
});

test("it is looked for where ONNX Runtime is; without it nothing is claimed", async () => {
  const runtime = await folder();
  await mkdir(join(runtime, "bin/napi-v6/linux/x64"), { recursive: true });
  assert.is(cudaLibrary(runtime), null);
  assert.match(cudaNeedsIn(runtime), "is built for");
  const library = join(runtime, "bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so");
  await writeFile(library, linkedWith("libcudart.so.13", "libcudnn.so.9"));
  assert.is(cudaLibrary(runtime), library);
  assert.is(cudaNeedsIn(runtime), "CUDA 13 and cuDNN 9");
});

test.run();
