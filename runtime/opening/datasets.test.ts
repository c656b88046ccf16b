// Runs over mixed data sets: what their batches hold, what is told of each, and what a resumed run goes on with.
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { openEngine } from "../engine/index.ts";
import type { EvaluationEvent } from "../metrics/events.ts";
import { findingsOf, messagesOf, trainIn } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("mixed data sets of runs");
const newFolder = temporaryFolders(test, "mixed");
const { engine } = await openEngine("wasm");

const optimization = { steps: 3, batch_size: 2, learning_rate: 0.01 };
const setsOf = (samples: readonly string[]) => samples.map((name) => name.split("/")[0]);

test("every batch has both halves, losses are told of each, and a resumed run goes on as if it had never stopped", async () => {
  const folder = await newFolder();
  const project = { folder, step: await compiledProject(folder, "prior_preservation") };
  const held = { evaluation: { samples: 3, interval: 2, sigmas: [0.5] } };
  const whole = await trainIn(engine, project, { optimization }, held);
  for (const { samples, datasets, loss } of whole.steps) {
    assert.equal(setsOf(samples), ["subject", "prior"]);
    const { subject = NaN, prior = NaN } = datasets ?? {};
    assert.ok(Math.abs((subject + prior) / 2 - loss) < 1e-6, `${subject}, ${prior}, ${loss}`);
  }
  const evaluations = whole.events.filter((event): event is EvaluationEvent => event.type === "evaluation");
  assert.ok(evaluations.length > 1);
  // Of three held-out samples two are the subject's: the mean weighs them so.
  for (const { loss, datasets } of evaluations)
    assert.ok(Math.abs((2 * (datasets?.["subject"] ?? NaN) + (datasets?.["prior"] ?? NaN)) / 3 - loss) < 1e-6);
  const stopped = { ...held, output_dir: "half" };
  const half = await trainIn(engine, project, { optimization: { ...optimization, steps: 2 } }, stopped);
  const model = { load_checkpoint: half.summary.checkpoint };
  const rest = await trainIn(engine, project, { optimization, model }, stopped);
  assert.equal(
    rest.steps.map(({ samples }) => samples),
    whole.steps.slice(2).map(({ samples }) => samples),
  );
});

test("a data set can lie in a folder that the run config names; one that has changed is another run", async () => {
  const folder = await newFolder();
  const project = { folder, step: await compiledProject(folder, "prior_preservation") };
  const few = { ...optimization, steps: 1 };
  const first = await trainIn(engine, project, { optimization: few });
  await rename(join(folder, "data/class_clips"), join(folder, "class"));
  const moved = { runtime: { datasets: { prior: "class" } } };
  const goOn = (checkpoint: string | null, steps: number) =>
    trainIn(engine, project, { optimization: { ...few, steps }, model: { load_checkpoint: checkpoint } }, moved);
  const second = await goOn(first.summary.checkpoint, 2);
  assert.is(second.steps.length, 1);
  await rm(join(folder, "class/latents/clip_1.pt"));
  assert.match((await messagesOf(goOn(second.summary.checkpoint, 3))).join(), /the list of samples to train on/);
});

test("what a run config cannot mix is said before the run", async () => {
  const folder = await newFolder();
  const project = { folder, step: await compiledProject(folder, "prior_preservation") };
  const refused = (size: number, more = {}) =>
    findingsOf(trainIn(engine, project, { optimization: { ...optimization, batch_size: size } }, more));
  assert.equal(await refused(3), ["LTX6384 optimization.batch_size"]);
  assert.equal(await refused(20), ["LTX6301 optimization.batch_size"]);
  assert.equal(await refused(2, { evaluation: { samples: 16 } }), ["LTX6320 evaluation.samples"]);
  assert.equal(await refused(2, { runtime: { datasets: { class: "." } } }), ["LTX6387 runtime.datasets.class"]);
  assert.equal(await refused(2, { runtime: { datasets: { prior: "nowhere" } } }), ["LTX6385 runtime.datasets.prior"]);
  await rename(join(folder, "data/class_clips"), join(folder, "data/other"));
  assert.equal(await refused(2), ["LTX6385 data.preprocessed_data_root"]);
});

test.run();
