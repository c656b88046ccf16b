// Weights of a strategy's own in every kind of training: on each engine, with blocks that are computed again, all weights, and resumed.
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { readTensorFile } from "../checkpoints/tensor-file.ts";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/index.ts";
import { full, trainIn, type Settings } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { torchEngines } from "../testing/test-torch.ts";

const test = suite("weights of a strategy's own in every kind of training");
const newFolder = temporaryFolders(test, "own-weights");
const { engine: wasm } = await openEngine("wasm");

async function project(name = "textual_inversion") {
  const folder = await newFolder();
  return { folder, step: await compiledProject(folder, name) };
}

const three = {
  optimization: { steps: 3, learning_rate: 0.01, scheduler_type: "constant" },
  checkpoints: { precision: "float32" },
};

/** Losses of a run, and what it saved of the strategy's own. */
async function trained(engine: Engine, made: Awaited<ReturnType<typeof project>>, settings: Settings = three) {
  const { losses, summary } = await trainIn(engine, made, settings);
  const { tensors } = await readTensorFile(
    join(made.folder, `outputs/checkpoints/heads_0000${summary.globalStep}.safetensors`),
  );
  return { losses, summary, numbers: Array.from(tensors.values(), ({ data }) => [...data]).flat() };
}

const isNear = (a: readonly number[], b: readonly number[], by: number): boolean =>
  a.length === b.length && a.every((x, i) => Math.abs(x - (b[i] ?? NaN)) <= by);

test("three steps are the same on every engine, with the gradient through the captions", async () => {
  const made = await project();
  const expected = await trained(wasm, made);
  assert.is(expected.numbers.length, 8 * 64);
  const others = [(await openEngine("cpu")).engine, (await openEngine("onnx")).engine, ...(await torchEngines())];
  for (const engine of others) {
    const { losses, numbers } = await trained(engine, made);
    assert.ok(isNear(losses, expected.losses, 1e-4), `${engine.name}: ${losses.join()} ${expected.losses.join()}`);
    assert.ok(isNear(numbers, expected.numbers, 1e-3), engine.name);
  }
});

test("blocks that are computed again pass the gradient on to the captions", async () => {
  const made = await project();
  const expected = await trained(wasm, made);
  const optimization = { ...three.optimization, enable_gradient_checkpointing: true };
  const { losses, numbers } = await trained(wasm, made, { ...three, optimization });
  assert.ok(isNear(losses, expected.losses, 1e-6), losses.join());
  assert.ok(isNear(numbers, expected.numbers, 1e-4));
});

test("a resumed run ends with the same bits, also where all weights of the model are trained", async () => {
  for (const settings of [three, { ...three, ...full }] as readonly Settings[]) {
    const made = await project();
    const whole = await trained(wasm, made, settings);
    const half = await trained(wasm, made, { ...settings, optimization: { ...three.optimization, steps: 2 } });
    const model = { ...settings["model"], load_checkpoint: half.summary.checkpoint };
    const rest = await trained(wasm, made, { ...settings, model });
    assert.equal(rest.losses, whole.losses.slice(2));
    assert.equal(rest.numbers, whole.numbers);
  }
});

test.run();
