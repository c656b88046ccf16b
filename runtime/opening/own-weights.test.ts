// Runs of strategies with weights of their own: what is trained and saved, and what a run goes on from.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { readTensorFile } from "../checkpoints/tensor-file.ts";
import { openEngine } from "../engine/index.ts";
import { normal } from "../random/philox.ts";
import { trainIn } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("weights of a strategy's own");
const newFolder = temporaryFolders(test, "own-weights");
const { engine } = await openEngine("wasm");

const optimization = { steps: 2, learning_rate: 0.01, scheduler_type: "constant" };
/** The weights alone: no layer of the model has an adapter. */
const alone = { lora: { target_modules: [] }, optimization, checkpoints: { precision: "float32" } };

test("without any adapters the weights alone are trained, from numbers that the seed gives, and saved in a file of their own", async () => {
  const folder = await newFolder();
  const step = await compiledProject(folder, "textual_inversion");
  const before = engine.memory().tensors;
  const { summary } = await trainIn(engine, { folder, step }, alone, { seed: 5 });
  assert.is(engine.memory().tensors, before, "every tensor is freed");
  const heads = join(folder, "outputs/checkpoints/heads_00002.safetensors");
  const { tensors, metadata } = await readTensorFile(heads);
  assert.equal([...tensors.keys()], ["weights.concept.video"]);
  assert.match(metadata["weights"] ?? "", '"tokens":8');
  const [concept] = tensors.values();
  assert.equal(concept?.shape, [8, 64]);
  const name = "weights.concept.video";
  const start = normal({ seed: 5, step: 0, microBatch: 0, name }, 8 * 64).map((x) => 0.02 * x);
  const moved = Array.from(concept?.data ?? [], (x, i) => Math.abs(x - (start[i] ?? NaN)));
  // Two steps of AdamW with a constant rate move every number by about the rate each.
  assert.ok(
    moved.every((by) => by > 1e-4 && by < 0.025),
    `${Math.min(...moved)} to ${Math.max(...moved)}`,
  );
  assert.is((await readTensorFile(summary.checkpoint ?? "")).tensors.size, 0);

  const again = { ...alone, model: { load_checkpoint: summary.checkpoint }, checkpoints: { no_resume: true } };
  assert.equal((await trainIn(engine, { folder, step }, again, { output_dir: "loaded" })).loading, []);
  await rm(heads);
  const { loading } = await trainIn(engine, { folder, step }, again, { output_dir: "anew" });
  assert.match(loading.join(), /^LTX6313 what the strategy trains of its own starts anew \(weights\.concept\.video\)/);
});

test("a teacher of the moving average has the average of the tokens", async () => {
  const folder = await newFolder();
  const step = await compiledProject(folder, "textual_inversion", (text) =>
    text
      .replace("\nvideo:\n", "\npasses:\n  teacher: {adapters: ema}\n\nvideo:\n")
      .replace("\nloss:\n", "\nloss:\n  follow: mse(video.prediction, teacher.video.prediction)\n"),
  );
  const trained = async (ema_decay: number) => {
    const { steps } = await trainIn(engine, { folder, step }, alone, { runtime: { optimization: { ema_decay } } });
    return steps.map(({ terms }) => terms["follow"] ?? NaN);
  };
  // The average begins as what is trained; only the tokens move, and after the first step half as far.
  const [first, second] = await trained(0.5);
  assert.is(first, 0);
  assert.ok((second ?? 0) > 0, `${second}`);
  // One that forgets at once is what is trained.
  const [, same] = await trained(1e-9);
  assert.ok((same ?? NaN) < 1e-6 * (second ?? 0), `${same} ${second}`);
});

test.run();
