import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../findings.ts";
import { findWeights, headsPath, officialStatePath, statePath, weightsPath } from "./checkpoint-files.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("checkpoint files");
const folder = temporaryFolders(test, "checkpoints");

async function touch(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "");
  return path;
}

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof FindingsError ? error.findings[0]?.code : String(error);
}

test("files have the official names", () => {
  assert.is(weightsPath("out", 250), join("out", "checkpoints", "lora_weights_step_00250.safetensors"));
  assert.is(statePath("out/lora_weights_step_00250.safetensors"), join("out", "training_state_step_00250.state"));
  assert.is(officialStatePath("out/lora_weights_step_00250.safetensors"), join("out", "training_state_step_00250.pt"));
  assert.is(statePath("out/mine.safetensors"), null);
  assert.is(headsPath("out/lora_weights_step_00250.safetensors"), join("out", "heads_00250.safetensors"));
  assert.is(headsPath("out/mine.safetensors"), null);
});

test("a folder whose weights have other names is refused, with a file to name; one without weights is not", async () => {
  const root = await folder();
  await touch(join(root, "heads_00002.safetensors"));
  await touch(join(root, "below/style.safetensors"));
  assert.is(await findWeights(root), null);
  await touch(join(root, "style.safetensors"));
  assert.is(await codeOf(findWeights(root)), "LTX6307");
  await touch(join(root, "x_step_1.safetensors"));
  assert.is(await findWeights(root), join(root, "x_step_1.safetensors"));
});

test("the latest weights below a folder are found, by number and not by name", async () => {
  const root = await folder();
  for (const name of [
    "a/x_step_900.safetensors",
    "b/c/x_step_1000.safetensors",
    "x_step_last.safetensors",
    "step_2000.txt",
    "heads_3000.safetensors",
  ]) {
    await touch(join(root, name));
  }
  assert.is(await findWeights(root), join(root, "b/c/x_step_1000.safetensors"));
});

test("a folder without weights gives none; what is missing or no weights file is a finding", async () => {
  const root = await folder();
  assert.is(await findWeights(root), null);
  assert.is(await codeOf(findWeights(join(root, "missing"))), "LTX6307");
  assert.is(await codeOf(findWeights(await touch(join(root, "weights.pt")))), "LTX6307");
  const file = await touch(join(root, "any.safetensors"));
  assert.is(await findWeights(file), file);
});

test("of a file with another name it is said what it is", async () => {
  const root = await folder();
  const messageFor = async (name: string, content: string) => {
    const path = join(root, name);
    await writeFile(path, content, "latin1");
    const error: unknown = await findWeights(path).catch((thrown: unknown) => thrown);
    return error instanceof FindingsError ? String(error.findings[0]?.message.slice(path.length + 1)) : String(error);
  };
  assert.match(await messageFor("lora.gguf", "GGUF\x03\0\0\0"), /^is a GGUF file/);
  assert.match(await messageFor("lora.bin", "\x80\x02}q\0."), /^is a file of PyTorch/);
  assert.is(await messageFor("lora.txt", "hello"), "does not end in `.safetensors`, as files of weights do");
});

test.run();
