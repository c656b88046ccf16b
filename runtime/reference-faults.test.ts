/** Faults of the official trainer that no other test would notice here; runtime/README.md lists all of them with their tests. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "./engine/index.ts";
import { FindingsError } from "./findings.ts";
import { train } from "./train.ts";
import { statePath, weightsPath } from "./checkpoints/checkpoint-files.ts";
import { lastSaved } from "./checkpoints/last-saved.ts";
import type { StepEvent, TrainEvent } from "./metrics/events.ts";
import type { Run } from "./training/run-inputs.ts";
import { tinyRun, type TinySettings } from "./testing/tiny-run.ts";

const test = suite<{ folder: string }>("faults of the reference");
const { engine } = await openEngine("cpu");

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "faults-"));
});
test.after.each(({ folder }) => rm(folder, { recursive: true }));

async function stepsOf(folder: string, settings: TinySettings, change: (run: Run) => Run = (run) => run) {
  const run = tinyRun(engine, { outputDirectory: folder, settings });
  const events: TrainEvent[] = [];
  try {
    await train(change(run), { onEvent: (event) => void events.push(event) });
  } finally {
    engine.dispose(...run.trainable.tensors());
  }
  return events.filter((event): event is StepEvent => event.type === "step");
}

const rates = (steps: readonly StepEvent[]) => steps.map(({ learningRate }) => learningRate);

for (const scheduler_type of ["linear", "cosine", "cosine_with_restarts", "polynomial", "step"]) {
  test(`a minimal resume goes on at the learning rate of an uninterrupted run: ${scheduler_type}`, async ({
    folder,
  }) => {
    const optimization = { steps: 12, scheduler_type };
    const checkpoints = { save_training_state: "minimal", interval: 7, keep_last_n: 0 };
    const whole = await stepsOf(folder, { optimization, checkpoints });
    const model = { load_checkpoint: weightsPath(folder, 7) };
    const resumed = await stepsOf(folder, { optimization, checkpoints, model });
    assert.equal(rates(resumed), rates(whole).slice(7));
    assert.ok(new Set(rates(whole)).size > 1);
  });
}

test("a resumed run with more steps follows the schedule of the new length", async ({ folder }) => {
  const checkpoints = { save_training_state: "full", interval: 3, keep_last_n: 0 };
  await stepsOf(folder, { optimization: { steps: 3 }, checkpoints });
  const model = { load_checkpoint: weightsPath(folder, 3) };
  const resumed = await stepsOf(folder, { optimization: { steps: 12 }, checkpoints, model });
  const whole = await stepsOf(join(folder, "whole"), { optimization: { steps: 12 }, checkpoints });
  assert.equal(rates(resumed), rates(whole).slice(3));
});

test("the end of an epoch neither ends a step early nor adds one", async ({ folder }) => {
  // Five samples are two batches of two: an epoch ends within every step of three.
  const optimization = { steps: 4, gradient_accumulation_steps: 3 };
  const loaded: number[] = [];
  const steps = await stepsOf(folder, { optimization }, (run) => {
    const load: Run["data"]["load"] = (index) => {
      loaded.push(index);
      return run.data.load(index);
    };
    return { ...run, data: { ...run.data, load } };
  });
  assert.is(steps.length, 4);
  assert.equal(
    loaded,
    Array.from({ length: 12 }, (_, i) => i),
  );
});

test("the rate that is told of a step is the one that it was made with", async ({ folder }) => {
  const [first, second] = rates(await stepsOf(folder, { optimization: { steps: 2, learning_rate: 0.05 } }));
  assert.is(first, 0.05);
  assert.ok((second ?? 1) < 0.05);
});

test("a checkpoint that was cut short between its files is not gone on from", async ({ folder }) => {
  // Weights can not take the place of a folder: the files before them are there then, as after a kill.
  await mkdir(join(weightsPath(folder, 4), "in the way"), { recursive: true });
  const settings = { optimization: { steps: 4 }, checkpoints: { interval: 2, keep_last_n: 0 } };
  const failed = await stepsOf(folder, settings).then(
    () => null,
    (error: unknown) => error,
  );
  assert.instance(failed, FindingsError);
  assert.ok(existsSync(statePath(weightsPath(folder, 4)) ?? ""));
  await rm(weightsPath(folder, 4), { recursive: true });
  assert.is((await lastSaved(folder))?.path, weightsPath(folder, 2));
});

test("the time of an evaluation is not counted as a step's", async ({ folder }) => {
  const { now } = performance;
  let clock = 0;
  performance.now = () => clock;
  try {
    const settings = { optimization: { steps: 2 }, evaluation: { samples: 1, interval: 1 } };
    const steps = await stepsOf(folder, settings, (run) => {
      const { heldOut } = run;
      if (heldOut === null) throw new Error("nothing is held out");
      const load: typeof heldOut.load = (index) => {
        clock += 60_000;
        return heldOut.load(index);
      };
      return { ...run, heldOut: { ...heldOut, load } };
    });
    assert.ok(clock >= 120_000);
    assert.equal(
      steps.map(({ secondsPerStep }) => secondsPerStep),
      [0, 0],
    );
  } finally {
    performance.now = now;
  }
});

test("the saved run config has the schedule's parameters and needs no unsafe loader", async ({ folder }) => {
  const scheduler_params = { end_factor: 0.25 };
  await stepsOf(folder, { optimization: { steps: 1, scheduler_type: "linear", scheduler_params } });
  const text = await readFile(join(folder, "training_config.yaml"), "utf8");
  assert.match(text, /^ {4}end_factor: 0\.25$/m);
  assert.not.match(text, "!!");
});

test("every fault in the README's table names a test that there is", async () => {
  const root = import.meta.dirname;
  const readme = await readFile(join(root, "README.md"), "utf8");
  const table = readme.slice(readme.indexOf("## Faults of the reference"));
  const rows = [...table.matchAll(/^\| (.+?) \| `([\w/.-]+\.test\.ts)`: (.+?) \|$/gm)];
  assert.ok(rows.length >= 30, `${rows.length}`);
  for (const [, fault, file = "", title = ""] of rows) {
    const text = await readFile(join(root, file), "utf8");
    assert.ok(text.includes(title), `${fault}: ${file} has no test "${title}"`);
  }
});

test.run();
