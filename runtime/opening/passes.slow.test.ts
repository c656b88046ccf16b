// Runs of strategies with passes in every way to train: all weights, blocks that are computed again, dropout, and a resumed run.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { openEngine } from "../engine/index.ts";
import { full, trainIn, type Settings } from "../testing/opened-run.ts";
import { torchEngines } from "../testing/test-torch.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("passes in every kind of training");
const newFolder = temporaryFolders(test, "passes");
const { engine } = await openEngine("wasm");

async function project(name: string) {
  const folder = await newFolder();
  return { folder, step: await compiledProject(folder, name) };
}

test("a full training compares with a copy of what it began with, also after it was resumed", async () => {
  const made = await project("output_preservation");
  const preserved = (run: Awaited<ReturnType<typeof trainIn>>) => run.steps.map(({ terms }) => terms["preserve"]);
  const optimization = { steps: 4, learning_rate: 1e-3, scheduler_type: "constant" };
  const whole = await trainIn(engine, made, { ...full, optimization });
  const [first, ...others] = preserved(whole);
  assert.is(first, 0);
  assert.ok(
    others.every((value) => (value ?? NaN) > 1e-9),
    others.join(),
  );
  const half = await trainIn(engine, made, { ...full, optimization: { ...optimization, steps: 2 } });
  const model = { ...full.model, load_checkpoint: half.summary.checkpoint };
  const rest = await trainIn(engine, made, { ...full, model, optimization });
  assert.equal([...preserved(half), ...preserved(rest)], [first, ...others]);
});

test("blocks that are computed again give the same losses, and dropout the same loss to all calls of a fresh LoRA", async () => {
  const made = await project("diffusion_dpo");
  const losses = async (settings: Settings) => {
    const optimization = { steps: 3, ...settings["optimization"] };
    return (await trainIn(engine, made, { training_strategy: { beta: 1 }, ...settings, optimization })).losses;
  };
  const plain = await losses({});
  assert.ok(Math.abs((plain[0] ?? 0) - Math.log(2)) < 1e-6, String(plain[0]));
  const again = await losses({ optimization: { enable_gradient_checkpointing: true } });
  again.forEach((loss, i) => assert.ok(Math.abs(loss - (plain[i] ?? NaN)) < 1e-6, `${again.join()} ${plain.join()}`));
  const dropped = await losses({ lora: { dropout: 0.5 } });
  assert.ok(Math.abs((dropped[0] ?? 0) - Math.log(2)) < 1e-6);
  assert.not.equal(dropped, plain);
});

test("a teacher that is a moving average: equal losses on every engine, under a full training, and after a resume", async () => {
  const made = await project("consistency");
  const losses = async (on: typeof engine, settings: Settings = {}) => {
    const runtime = { optimization: { ema_decay: 0.9 } };
    return await trainIn(on, made, { ...settings, optimization: { steps: 3, learning_rate: 1e-3 } }, { runtime });
  };
  const expected = (await losses(engine)).losses;
  const names = ["cpu", "onnx"] as const;
  const others = await Promise.all(names.map(async (name) => (await openEngine(name)).engine));
  for (const other of [...others, ...(await torchEngines())]) {
    const actual = (await losses(other)).losses;
    actual.forEach((loss, i) =>
      assert.ok(Math.abs(loss / (expected[i] ?? NaN) - 1) < 1e-3, `${other.name}: ${actual.join()}`),
    );
  }
  const checkpointed = {
    model: { training_mode: "full" },
    checkpoints: { precision: "float32", interval: 1, keep_last_n: 0 },
  };
  const whole = await losses(engine, checkpointed);
  assert.ok(whole.losses.every((loss) => loss > 1e-9));
  const load_checkpoint = whole.summary.checkpoint.replace("00003", "00001");
  const rest = await losses(engine, { ...checkpointed, model: { ...checkpointed.model, load_checkpoint } });
  assert.equal(rest.losses, whole.losses.slice(1));
});

test.run();
