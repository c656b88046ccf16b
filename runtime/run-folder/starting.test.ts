import { appendFile, mkdir, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { statePath, weightsPath } from "../checkpoints/checkpoint-files.ts";
import { writeTensorFile } from "../checkpoints/tensor-file.ts";
import { resolveConfig, type RunConfig } from "../config/index.ts";
import { FindingsError } from "../findings.ts";
import { writeSafetensors } from "../files/safetensors/index.ts";
import { encodeState } from "../checkpoints/training-state.ts";
import { resumePointOf } from "../checkpoints/resume.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import type { Fingerprint } from "../training/fingerprint.ts";
import { lockNewFolder } from "./new-folder.ts";
import { remove, removalOf } from "./overwrite.ts";
import { startingOver } from "./starting.ts";

const test = suite("beginning in a run's folder");
const newFolder = temporaryFolders(test, "starting");

const fingerprint: Fingerprint = {
  optimizer_type: "adamw",
  scheduler_type: "linear",
  training_mode: "lora",
  lora_rank: 8,
  seed: 42,
};

function configIn(folder: string, settings: Readonly<Record<string, unknown>> = {}): RunConfig {
  const raw = {
    model: { model_path: "ltx.safetensors" },
    lora: { rank: 8 },
    data: { preprocessed_data_root: "data" },
    optimization: { steps: 100 },
    ...settings,
  };
  const { config, findings } = resolveConfig(raw, { configDirectory: folder });
  if (config === null) throw new Error(findings.map(({ message }) => message).join());
  return config;
}

const loading = (path: string) => ({ model: { model_path: "ltx.safetensors", load_checkpoint: path } });

/** Weights that ltxc saved, with their state, or those of the official trainer. */
async function save(output: string, step: number, ours = true): Promise<string> {
  const path = weightsPath(output, step);
  const metadata = { "ltxc.version": "0.1.0", "ltxc.strategy": "inpainting", "ltxc.run": "id" };
  await writeSafetensors(path, [], ours ? metadata : {});
  const state = encodeState({ globalStep: step, fingerprint, full: null }, []);
  if (ours) await writeTensorFile(statePath(path) ?? "", state, "float32");
  return path;
}

const line = (event: object) => `${JSON.stringify(event)}\n`;
const stepLine = (globalStep: number) => line({ type: "step", globalStep, steps: 100 });

/** `code path: message; help` of the finding, without the time; null where the run may begin. */
async function said(config: RunConfig, now = fingerprint): Promise<string | null> {
  const found = await startingOver(config, now, await resumePointOf(config, now));
  const text = `${found?.code} ${found?.path.join(".")}: ${found?.message}; ${found?.help}`;
  return found === null
    ? null
    : text.replaceAll(/written [\d: -]{16}/g, "written then").replaceAll(config.output_dir, "OUT");
}

test("an empty folder, one that is missing, and one with other files are free", async () => {
  const folder = await newFolder();
  assert.is(await said(configIn(folder)), null);
  await mkdir(join(folder, "outputs/checkpoints"), { recursive: true });
  await writeFile(join(folder, "outputs/notes.txt"), "mine");
  await writeFile(join(folder, "outputs/metrics.jsonl"), line({ type: "started", globalStep: 0 }));
  assert.is(await said(configIn(folder)), null);
});

test("what lies there is said, and how to go on", async () => {
  const folder = await newFolder();
  const output = join(folder, "outputs");
  await save(output, 20);
  await save(output, 40);
  const metrics = join(output, "metrics.jsonl");
  await writeFile(
    metrics,
    line({ type: "started", globalStep: 0, strategy: "inpainting" }) + stepLine(1) + stepLine(41),
  );
  const choices = "`ltxc run --new` trains in OUT-2; `ltxc run --overwrite` deletes it and begins anew";
  const stopped =
    "LTX6341 output_dir: OUT holds a run of `inpainting` that stopped at step 41 of 100, 2 checkpoints, the last of step 40, written then";
  assert.is(await said(configIn(folder)), `${stopped}; \`ltxc run --resume\` goes on with it; ${choices}`);
  assert.is(
    await said(configIn(folder), { ...fingerprint, seed: 7, lora_rank: 4 }),
    `${stopped}; \`lora.rank\` was 8 there and is now 4, and 1 more of its settings differ; ${choices}`,
  );
  await mkdir(`${output}-2`);
  await appendFile(metrics, line({ type: "finished", globalStep: 40 }));
  assert.match(
    (await said(configIn(folder, { optimization: { steps: 40 } }))) ?? "",
    /holds a finished run of `inpainting` \(41 steps\), .*; to train it longer, write more than 40 `optimization.steps` and `ltxc run --resume`; `ltxc run --new` trains in OUT-3/,
  );
});

test("metrics without a checkpoint, and checkpoints of the official trainer, are work as well", async () => {
  const folder = await newFolder();
  const output = join(folder, "outputs");
  await mkdir(output);
  await writeFile(join(output, "metrics.jsonl"), `${stepLine(3)}{"type":"st`);
  assert.match((await said(configIn(folder))) ?? "", "OUT holds a run that stopped at step 3 of 100, no checkpoint");
  const official = await newFolder();
  await save(join(official, "outputs"), 500, false);
  const text = (await said(configIn(official))) ?? "";
  assert.match(text, "OUT holds 1 checkpoint (not written by ltxc), the last of step 500");
  assert.not.match(text, "--resume");
});

test("a checkpoint of the folder itself is gone on from, one without a state is not begun anew with", async () => {
  const folder = await newFolder();
  const output = join(folder, "outputs");
  const path = await save(output, 20);
  for (const from of [path, output, "outputs"]) assert.is(await said(configIn(folder, loading(from))), null);
  await symlink(output, join(folder, "link"));
  assert.is(await said(configIn(folder, loading("link/checkpoints"))), null);
  // A checkpoint that was moved to another disk, with a link in its place.
  const moved = await save(output, 50);
  await rename(moved, join(folder, "elsewhere.safetensors"));
  await symlink(join(folder, "elsewhere.safetensors"), moved);
  assert.is(await said(configIn(folder, loading(moved))), null);
  const anew = { ...loading(path), checkpoints: { no_resume: true } };
  assert.match((await said(configIn(folder, anew))) ?? "", "LTX6344 model.load_checkpoint");
  await rename(statePath(path) ?? "", join(folder, "away"));
  assert.match((await said(configIn(folder, loading(path)))) ?? "", "no training state lies next to them");
  const elsewhere = { ...loading(path), output_dir: "others" };
  assert.is(await said(configIn(folder, elsewhere)), null);
});

test("--new: each gets a folder of its own, and files of others stay alone", async () => {
  const folder = await newFolder();
  const output = join(folder, "outputs");
  await save(output, 20);
  await mkdir(`${output}-3`);
  await writeFile(join(`${output}-3`, "photo.jpg"), "");
  const locks = await Promise.all(Array.from({ length: 5 }, () => lockNewFolder(output)));
  const names = locks.map((lock) => lock.folder.slice(folder.length + 1)).toSorted();
  assert.equal(names, ["outputs-2", "outputs-4", "outputs-5", "outputs-6", "outputs-7"]);
  for (const lock of locks) await lock.release();
  assert.equal((await readdir(folder)).toSorted(), ["outputs", "outputs-3"]);
  const first = await lockNewFolder(join(folder, "fresh"));
  assert.is(first.folder, join(folder, "fresh"));
  await first.release();
});

test("--overwrite: deletes what ltxc wrote and nothing else, and follows no link", async () => {
  const folder = await newFolder();
  const output = join(folder, "outputs");
  await save(output, 20);
  const away = join(folder, "away");
  await mkdir(away);
  await writeFile(join(away, "events.out.tfevents.1.h.1"), "");
  await symlink(away, join(output, "tensorboard"));
  await mkdir(join(output, "strategy"));
  const names = ["notes.txt", "metrics.jsonl", "checkpoints/mine.safetensors", "strategy/own.strategy"];
  for (const name of names) await writeFile(join(output, name), "");
  const removal = await removalOf(configIn(folder));
  assert.match(removal.text, /^1 checkpoint \(\d+ bytes\), 1 training state \(.*\), 1 metrics file \(0 bytes\)$/);
  await remove(removal);
  const left = (await readdir(output, { recursive: true })).toSorted();
  const kept = ["checkpoints", "checkpoints/mine.safetensors", "notes.txt", "strategy", "strategy/own.strategy"];
  assert.equal(
    left.filter((name) => !name.startsWith("tensorboard/")),
    [...kept, "tensorboard"],
  );
  assert.equal(await readdir(away), ["events.out.tfevents.1.h.1"]);
});

test("--overwrite: weights of others, behind links or in use are a finding, and nothing is deleted", async () => {
  const refused = async (config: RunConfig) => {
    const error: unknown = await removalOf(config).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof FindingsError)) throw new Error(String(error));
    return error.findings.map(({ code, path }) => `${code} ${path.join(".")}`).join();
  };
  const folder = await newFolder();
  const official = await save(join(folder, "outputs"), 500, false);
  assert.is(await refused(configIn(folder)), "LTX6342 output_dir");
  await rename(official, join(folder, "moved.safetensors"));
  const path = await save(join(folder, "outputs"), 20);
  assert.is(await refused(configIn(folder, loading(path))), "LTX6342 model.load_checkpoint");
  assert.is(await refused(configIn(folder, loading("outputs"))), "LTX6342 model.load_checkpoint");
  await mkdir(join(folder, "linked"));
  await symlink(join(folder, "outputs/checkpoints"), join(folder, "linked/checkpoints"));
  assert.is(await refused(configIn(folder, { output_dir: "linked" })), "LTX6342 output_dir");
});

test.run();
