/** Weights and training states for the fuzzer: changed as bytes, and with headers and descriptions that are sound JSON. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { loadLora } from "../runtime/checkpoints/fit-lora.ts";
import { checkResume } from "../runtime/checkpoints/resume.ts";
import { readTensorFile, writeTensorFile } from "../runtime/checkpoints/tensor-file.ts";
import { decodeState, encodeState } from "../runtime/checkpoints/training-state.ts";
import { resolveConfig } from "../runtime/config/index.ts";
import { openSafetensors, writeSafetensors } from "../runtime/files/safetensors/index.ts";
import type { Fingerprint } from "../runtime/training/fingerprint.ts";
import { mutated, trees, type Bytes } from "./fuzz-bytes.ts";
import { host, refusing, verifying, type Subject } from "./fuzz-subject.ts";

/** A safetensors file with a header of any JSON. */
function withHeader(header: unknown, data: number, padding: number): Buffer {
  const json = Buffer.from(JSON.stringify(header) ?? "");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(data + padding, 1)]);
}

function headers(file: Buffer): Bytes {
  const length = Number(file.readBigUInt64LE(0));
  const header: unknown = JSON.parse(file.toString("utf8", 8, 8 + length));
  return fc
    .tuple(trees([header]), fc.constantFrom(0, 0, 0, 1, 8, 1000))
    .map(([tree, padding]) => withHeader(tree, file.length - 8 - length, padding));
}

/** The same file as earlier versions wrote it. */
function withoutChecksum(file: Buffer): Buffer {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + length)) as { __metadata__: Record<string, string> };
  delete header["__metadata__"]["ltxc.checksum"];
  return Buffer.concat([withHeader(header, 0, 0), file.subarray(8 + length)]);
}

export async function safetensorsFiles(folder: string): Promise<Subject> {
  const path = join(folder, "lora_weights_step_00001.safetensors");
  const names = ["diffusion_model.a.lora_A.weight", "diffusion_model.a.lora_B.weight"];
  const wanted = ["a.lora_A.weight", "a.lora_B.weight"].map((name) => ({ name, shape: [2, 3] }));
  const data = host(2, 3).data as Float32Array;
  const tensors = names.map((name, i) => ({
    name,
    shape: [2, 3],
    dtype: i === 0 ? ("F32" as const) : ("BF16" as const),
    data,
  }));
  await writeSafetensors(path, tensors, { lora_rank: "2", lora_alpha: "4" });
  const file = readFileSync(path);
  const plain = withoutChecksum(file);
  return {
    inputs: fc.oneof(mutated([file, plain]), headers(plain)),
    async read(input) {
      writeFileSync(path, input);
      await refusing(async () => {
        const found = await openSafetensors(path);
        for (const name of found.tensors.keys()) await found.readFloat32(name).finally(() => undefined);
        await found.close();
      });
      await refusing(() => loadLora(path, wanted, { rank: 2, alpha: 4 }));
      await verifying(path, "safetensors", input.length);
    },
  };
}

const fingerprint = {
  optimizer_type: "adamw",
  scheduler_type: "linear",
  training_mode: "lora",
  lora_rank: 2,
  lora_alpha: 2,
  target_modules: ["to_k"],
  seed: 42,
  strategy: "inpainting",
  source_hash: "0",
  params: { mask: true },
  samples: 8,
  samples_hash: "0",
} satisfies Fingerprint;

export async function stateFiles(folder: string): Promise<Subject> {
  const [weights, path] = ["lora_weights_step_00001.safetensors", "training_state_step_00001.state"].map((name) =>
    join(folder, name),
  ) as [string, string];
  const parameters = [{ name: "a", shape: [2, 3] }];
  const moments = { t: 3, m: host(2, 3), v: host(2, 3) };
  const state = { globalStep: 1, fingerprint, full: { parameters: [host(2, 3)], moments: [moments as never] } };
  const encoded = encodeState(state, ["a"]);
  await writeTensorFile(path, encoded, "float32");
  writeFileSync(weights, readFileSync(path));
  const plain = withoutChecksum(readFileSync(path));
  const raw = {
    model: { model_path: "x", load_checkpoint: weights },
    data: { preprocessed_data_root: "x" },
    lora: { rank: 2, alpha: 2 },
  };
  const { config } = resolveConfig(raw, { configDirectory: folder });
  if (config === null) throw new Error("the run config of the fuzzer is wrong");
  const file = readFileSync(path);
  const described: unknown = JSON.parse(encoded.metadata["training_state"] ?? "");
  const start = Number(plain.readBigUInt64LE(0)) + 8;
  const header = JSON.parse(plain.toString("utf8", 8, start)) as Record<string, unknown>;
  const states = trees([described]).map((tree) => {
    const metadata = { training_state: JSON.stringify(tree) ?? "" };
    return Buffer.concat([withHeader({ ...header, __metadata__: metadata }, 0, 0), plain.subarray(start)]);
  });
  return {
    inputs: fc.oneof(mutated([file, plain]), headers(plain), states),
    async read(input) {
      writeFileSync(path, input);
      await refusing(() => checkResume(config, fingerprint));
      await refusing(async () => decodeState(await readTensorFile(path), parameters));
      await verifying(path, "state", input.length);
    },
  };
}
