// Base models that are changed while a run uses them, on engines that have read them into memory.
import { openSync, readFileSync, utimesSync, writeFileSync, writeSync, closeSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { weightsPath } from "../checkpoints/checkpoint-files.ts";
import { readTensorFile } from "../checkpoints/tensor-file.ts";
import type { Step } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import type { TrainEvent } from "../metrics/events.ts";
import { configOf, findingsOf, full, trainIn, type Settings } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { train } from "../train.ts";
import { openRun } from "./open-run.ts";

const test = suite("changed base models");
const newFolder = temporaryFolders(test, "changed-base");
const { engine } = await openEngine("wasm");
const baseOf = (folder: string): string => join(folder, "models/tiny-ltx2.safetensors");

async function project(): Promise<{ readonly folder: string; readonly step: Step }> {
  const folder = await newFolder();
  return { folder, step: await compiledProject(folder, "text_to_video") };
}

/** Trains, changes the base after the first step, and returns the findings that ended the run and those that it only told. */
async function trainAndChange(
  { folder, step }: Awaited<ReturnType<typeof project>>,
  settings: Settings,
  output_dir: string,
  change: (path: string) => void,
) {
  const { run, close } = await openRun(engine, configOf(folder, step.strategy.name, settings, { output_dir }), step);
  const told: Finding[] = [];
  const onEvent = (event: TrainEvent) => {
    if (event.type === "step" && event.globalStep === 1) change(baseOf(folder));
    if (event.type === "warning") told.push(event.finding);
  };
  try {
    await train(run, { onEvent });
    return { ended: [], told };
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return { ended: error.findings, told };
  } finally {
    await close();
  }
}

/** Writes other numbers where the first tensor begins. */
function overwrite(path: string): void {
  const start = 8 + Number(readFileSync(path).readBigUInt64LE(0));
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(64, 7), 0, 64, start);
  closeSync(file);
}

test("a full training saves the trained weights alone and ends, and goes on bit by bit when the base is back", async () => {
  const made = await project();
  const { folder } = made;
  const base = baseOf(folder);
  await trainIn(engine, made, full, { output_dir: "undisturbed" });
  await copyFile(base, join(folder, "whole"));
  const { ended } = await trainAndChange(made, full, "disturbed", overwrite);
  assert.equal(
    ended.map(({ code }) => code),
    ["LTX6162"],
  );
  assert.match(ended[0]?.message ?? "", "its content is another");
  assert.match(ended[0]?.help ?? "", /^the weights of step 2 are in .*--resume/);
  const alone = await readTensorFile(weightsPath(join(folder, "disturbed"), 2, "full"));
  assert.ok(alone.tensors.size > 0 && [...alone.tensors.keys()].every((name) => !name.startsWith("model.")));
  const settings = { ...full, model: { ...full.model, load_checkpoint: "disturbed" } };
  const resume = () => trainIn(engine, made, settings, { output_dir: "disturbed" });
  assert.equal(await findingsOf(resume()), ["LTX6314 model.model_path"]);
  await copyFile(join(folder, "whole"), base);
  await resume();
  const bytes = (output: string) => readFile(weightsPath(join(folder, output), 4, "full"));
  assert.ok((await bytes("disturbed")).equals(await bytes("undisturbed")));
});

test("a LoRA run trains to its end and says once that its base was changed; a copy of the same content is none", async () => {
  const made = await project();
  const settings = { checkpoints: { interval: 1 } };
  const same = await trainAndChange(made, settings, "same", (path) => {
    writeFileSync(path, readFileSync(path));
    utimesSync(path, 1, 1);
  });
  assert.equal([same.ended, same.told], [[], []]);
  const { ended, told } = await trainAndChange(made, settings, "other", overwrite);
  assert.equal(ended, []);
  assert.equal(
    told.map(({ code }) => code),
    ["LTX6163"],
  );
});

test("a base that changes while the run is being opened ends it before the first step", async () => {
  const { folder, step } = await project();
  const change = async () => {
    overwrite(baseOf(folder));
    return [];
  };
  const opening = openRun(engine, configOf(folder, step.strategy.name), step, { judge: change });
  assert.equal(await findingsOf(opening), ["LTX6161 model.model_path"]);
});

test.run();
