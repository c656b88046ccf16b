import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../contract.ts";
import { FindingsError } from "../findings.ts";
import { bitFlips } from "../testing/byte-edits.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { readTensorFile, writeTensorFile } from "./tensor-file.ts";
import { encodeState } from "./training-state.ts";

const test = suite("tensor file");
const newFolder = temporaryFolders(test, "ltxc-tensor-file");

const host = (...values: number[]): HostTensor => ({
  shape: [values.length],
  dtype: "float32",
  data: Float32Array.from(values),
});

const fingerprint = {
  optimizer_type: "adamw",
  scheduler_type: "linear",
  training_mode: "lora",
  lora_rank: 4,
  seed: 42,
};
const full = { parameters: [host(1, 2, 3)], moments: [null] };

const files = {
  "training_state_step_00250.state": encodeState({ globalStep: 250, fingerprint, full }, ["a.lora_A.weight"]),
  "heads_00250.safetensors": { tensors: new Map([["head.weight", host(1, 2, 3)]]), metadata: { strategy: "probe" } },
  "lora_weights_step_00250.safetensors": { tensors: new Map([["a.lora_B.weight", host(1, 2)]]), metadata: {} },
};

test("a single bit that flips in a state, in heads or in weights is noticed", async () => {
  for (const [name, file] of Object.entries(files)) {
    const path = join(await newFolder(), name);
    await writeTensorFile(path, file, "float32");
    for (const flipped of bitFlips(await readFile(path), 200)) {
      await writeFile(path, flipped);
      const read = await readTensorFile(path).catch((error: unknown) => error);
      assert.instance(read, FindingsError, name);
    }
  }
});

test.run();
