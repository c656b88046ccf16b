import { existsSync } from "node:fs";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../findings.ts";
import {
  deleteOlder,
  findWeights,
  headsPath,
  lastSaved,
  officialStatePath,
  statePath,
  weightsPath,
} from "./checkpoint-files.ts";
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

test("only the last checkpoints stay, with their states and heads, and the newest always", async () => {
  const root = await folder();
  const paths = [1, 2, 3].map((step) => weightsPath(root, step));
  for (const path of paths) {
    await touch(path);
    await touch(statePath(path) ?? "");
    await touch(headsPath(path) ?? "");
    await deleteOlder(path, 1);
    await deleteOlder(path, 1);
  }
  const there = (pathOf: (weights: string) => string | null) => paths.map((path) => existsSync(pathOf(path) ?? ""));
  assert.equal([there((path) => path), there(statePath), there(headsPath)], Array(3).fill([false, false, true]));
});

test("checkpoints of earlier processes count, by time and not by step", async () => {
  const root = await folder();
  const [older, old, recent] = [weightsPath(root, 900), weightsPath(root, 50), weightsPath(root, 60)];
  for (const [path, time] of [
    [older, 1000],
    [old, 2000],
    [recent, 500],
  ] as const) {
    await touch(path);
    await utimes(path, time, time);
  }
  await deleteOlder(recent, 2);
  assert.equal([older, old, recent].map(existsSync), [false, true, true]);
});

test("0 and -1 keep everything", async () => {
  const root = await folder();
  for (const keep of [0, -1]) {
    const paths = [1, 2, 3].map((step) => weightsPath(join(root, String(keep)), step));
    for (const path of paths) await deleteOlder(await touch(path), keep);
    assert.equal(paths.map(existsSync), [true, true, true]);
  }
});

test("what was saved last counts, not the highest step", async () => {
  const output = await folder();
  assert.is(await lastSaved(output), null);
  const old = await touch(weightsPath(output, 200));
  const recent = await touch(weightsPath(output, 77));
  await utimes(old, 1000, 1000);
  assert.is(await lastSaved(output), recent);
});

test.run();
