import { cp, mkdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../engine/index.ts";
import { FindingsError } from "../findings.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { tinyRun } from "../testing/tiny-run.ts";
import { train } from "../train.ts";
import { statePath, weightsPath } from "./checkpoint-files.ts";
import { lastBefore, lastSaved } from "./last-saved.ts";

const test = suite("the last checkpoint");
const { engine } = await openEngine("cpu");
const folder = temporaryFolders(test, "last-saved");

/** Trains with a checkpoint every two steps, all of which stay. */
async function trained(outputDirectory: string, steps: number, id = "tiny"): Promise<string> {
  const checkpoints = { interval: 2, keep_last_n: 0, save_training_state: "full" };
  const run = tinyRun(engine, { outputDirectory, id, settings: { optimization: { steps }, checkpoints } });
  await train(run);
  engine.dispose(...run.trainable.tensors());
  return outputDirectory;
}

const stateOf = (output: string, step: number): string => statePath(weightsPath(output, step)) ?? "";

test("there is none in a folder without one, and the highest step where nothing tells more", async () => {
  const output = await folder();
  assert.is(await lastSaved(output), null);
  await trained(output, 6);
  await rm(join(output, "metrics.jsonl"));
  assert.equal(await lastSaved(output), { path: weightsPath(output, 6), warnings: [] });
});

test("it is that of the last run, whatever the times of the files are and wherever they were copied", async () => {
  const output = await trained(await folder(), 8);
  // As versions before did, which let a run begin in the folder of another one.
  const second = await trained(await folder(), 4);
  await cp(second, output, { recursive: true });
  assert.is((await lastSaved(output))?.path, weightsPath(output, 4));
  // The steps of the first run are the newest files now.
  for (const step of [6, 8]) await utimes(weightsPath(output, step), 4e9, 4e9);
  assert.is((await lastSaved(output))?.path, weightsPath(output, 4));
  const copy = join(await folder(), "copy");
  await cp(output, copy, { recursive: true });
  for (const step of [2, 6]) await utimes(weightsPath(copy, step), 4e9, 4e9);
  assert.is((await lastSaved(copy))?.path, weightsPath(copy, 4));
});

test("a checkpoint whose process was killed before it could tell of it counts", async () => {
  const output = await trained(await folder(), 4);
  const metrics = join(output, "metrics.jsonl");
  const lines = (await readFile(metrics, "utf8")).split("\n");
  const told = lines.filter((line) => !/^\{"type":"(checkpoint","globalStep":4|finished)/.test(line));
  assert.is(told.length, lines.length - 2);
  await writeFile(metrics, told.join("\n"));
  assert.is((await lastSaved(output))?.path, weightsPath(output, 4));
});

test("what a resumed run has trained anew is not taken from before", async () => {
  const output = await trained(await folder(), 8);
  const started = { type: "started", globalStep: 2 };
  await writeFile(join(output, "metrics.jsonl"), `${JSON.stringify(started)}\n`, { flag: "a" });
  assert.is((await lastSaved(output))?.path, weightsPath(output, 2));
});

test("a broken one is said, and the one before is taken; if all are broken, nothing is", async () => {
  const output = await trained(await folder(), 6);
  await truncate(stateOf(output, 6), 100);
  await truncate(weightsPath(output, 4), 300);
  const found = await lastSaved(output);
  assert.is(found?.path, weightsPath(output, 2));
  assert.equal(
    found?.warnings.map(({ code, message }) => `${code} ${message.includes(output)}`),
    ["LTX6350 true", "LTX6350 true"],
  );
  assert.match(found?.warnings[0]?.message ?? "", stateOf(output, 6));
  await rm(weightsPath(output, 2));
  await mkdir(weightsPath(output, 2));
  const thrown = await lastSaved(output).then(
    () => null,
    (error: unknown) => error,
  );
  assert.is(thrown instanceof FindingsError && thrown.findings[0]?.code, "LTX6351");
});

test("a training state of another step is not gone on from, whatever its name", async () => {
  const output = await trained(await folder(), 4);
  await cp(stateOf(output, 2), stateOf(output, 4));
  const found = await lastSaved(output);
  assert.is(found?.path, weightsPath(output, 2));
  assert.match(found?.warnings[0]?.message ?? "", "it was saved after step 2, and its name says 4");
  const settings = { optimization: { steps: 6 }, model: { load_checkpoint: weightsPath(output, 4) } };
  const run = tinyRun(engine, { outputDirectory: await folder(), settings });
  const thrown = await train(run).catch((error: unknown) => error);
  const [finding] = thrown instanceof FindingsError ? thrown.findings : [];
  assert.is(finding?.code, "LTX6150");
  assert.match(
    finding?.help ?? "",
    `go on from the checkpoint before it: \`model.load_checkpoint: ${weightsPath(output, 2)}\``,
  );
});

test("without metrics, the run that the files name decides which checkpoint is the one before", async () => {
  const output = await trained(await folder(), 6);
  await cp(await trained(await folder(), 4, "another"), output, { recursive: true });
  await rm(join(output, "metrics.jsonl"));
  await truncate(stateOf(output, 6), 100);
  try {
    await lastSaved(output);
    assert.unreachable();
  } catch (error) {
    assert.match((error as FindingsError).findings[0]?.message ?? "", "none of the 1 checkpoints");
  }
  assert.is(await lastBefore(weightsPath(output, 6)), null);
});

test("the one before a checkpoint is the last whole one of its run", async () => {
  const output = await trained(await folder(), 8);
  assert.is(await lastBefore(weightsPath(output, 8)), weightsPath(output, 6));
  await truncate(stateOf(output, 6), 100);
  assert.is(await lastBefore(weightsPath(output, 8)), weightsPath(output, 4));
});

test.run();
