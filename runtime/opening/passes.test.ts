// A run of a strategy with passes: the base model next to the LoRA that is trained.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { openEngine } from "../engine/index.ts";
import { findingsOf, trainIn } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("passes of a run");
const newFolder = temporaryFolders(test, "passes");
const { engine } = await openEngine("wasm");

test("a fresh LoRA predicts what the base model does, and training changes that", async () => {
  const folder = await newFolder();
  const step = await compiledProject(folder, "output_preservation");
  const before = engine.memory().tensors;
  const evaluation = { samples: 1, interval: 2, sigmas: [0.5] };
  const { steps, events } = await trainIn(engine, { folder, step }, { optimization: { steps: 2 } }, { evaluation });
  assert.is(engine.memory().tensors, before, "every tensor is freed");
  const [first, second] = steps.map(({ terms }) => terms["preserve"] ?? NaN);
  assert.is(first, 0);
  assert.ok((second ?? NaN) > 1e-9, String(second));
  const evaluated = events.flatMap((event) => (event.type === "evaluation" ? [event.terms["preserve"] ?? NaN] : []));
  assert.is(evaluated[0], 0);
  assert.ok((evaluated[1] ?? NaN) > 1e-9, String(evaluated[1]));
});

test("a pass with the moving average begins as the weights do, follows them slowly, and needs `ema_decay`", async () => {
  const folder = await newFolder();
  const step = await compiledProject(folder, "consistency");
  const losses = async (ema_decay: number, stride: number) => {
    const settings = { training_strategy: { stride }, optimization: { steps: 3 } };
    const runtime = { optimization: { ema_decay } };
    return (await trainIn(engine, { folder, step }, settings, { runtime })).losses;
  };
  // Where the two levels are one, the loss is what the weights and their average differ by.
  const [first] = await losses(0.99, 1e-9);
  assert.ok((first ?? NaN) < 1e-10, String(first));
  const [slow, quick] = [await losses(0.99, 0.05), await losses(1e-6, 0.05)];
  assert.is(slow[0], quick[0]);
  assert.ok((slow[0] ?? NaN) > 1e-6);
  assert.ok(Math.abs((slow[2] ?? NaN) / (quick[2] ?? NaN) - 1) > 1e-3, `${slow.join()} ${quick.join()}`);
  const before = engine.memory().tensors;
  const shown = await findingsOf(trainIn(engine, { folder, step }));
  assert.equal(shown, ["LTX6254 runtime.optimization"]);
  assert.is(engine.memory().tensors, before);
});

test.run();
