import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Prepared, Step } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/index.ts";
import { train } from "../train.ts";
import { lastSaved } from "../checkpoints/last-saved.ts";
import type { EvaluationEvent, TrainEvent } from "../metrics/events.ts";
import { normal } from "../random/philox.ts";
import { tinyRun, type TinySettings } from "../testing/tiny-run.ts";

const test = suite<{ folder: string }>("evaluation");
const { engine } = await openEngine("cpu");
const section = { samples: 2, interval: 4, sigmas: [0.25, 0.75] };

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "evaluation-"));
});
test.after.each(({ folder }) => rm(folder, { recursive: true }));

interface Options {
  readonly on?: Engine;
  readonly settings?: TinySettings;
  readonly change?: (step: Step) => Step;
  readonly seed?: number;
}

async function events(outputDirectory: string, { on = engine, settings = {}, change, seed = 42 }: Options = {}) {
  const tiny = tinyRun(on, { outputDirectory, settings: { evaluation: section, ...settings } });
  const seen: TrainEvent[] = [];
  const config = { ...tiny.config, seed };
  await train({ ...tiny, config, step: change?.(tiny.step) ?? tiny.step }, { onEvent: (event) => seen.push(event) });
  on.dispose(...tiny.trainable.tensors());
  return seen;
}

const evaluations = (seen: readonly TrainEvent[]) =>
  seen.flatMap((event): Omit<EvaluationEvent, "seconds" | "type">[] => {
    if (event.type !== "evaluation") return [];
    const { seconds: _, type: _type, ...rest } = event;
    return [rest];
  });

const near = (a: number | undefined, b: number) =>
  assert.ok(Math.abs((a ?? Number.NaN) - b) < 1e-6, `${a} is not ${b}`);

test("the untrained model's loss is the mean square of noise minus clip, at every level and for every sample", async ({
  folder,
}) => {
  const [first] = evaluations(await events(folder));
  const squares = [0, 1].flatMap((i) => {
    const noise = normal({ seed: 0, step: i, microBatch: 0, name: "video.noise" }, 12);
    // Held-out clips follow the five that are trained on.
    const clip = normal({ seed: 9, step: 5 + i, microBatch: 0, name: "clip" }, 12);
    return Array.from(noise, (value, k) => (value - 0.3 * (clip[k] ?? 0)) ** 2);
  });
  const expected = squares.reduce((sum, value) => sum + value, 0) / squares.length;
  assert.is(first?.globalStep, 0);
  near(first?.loss, expected);
  near(first?.terms["flow"], expected);
  assert.equal(
    first?.sigmas.map(({ sigma }) => sigma),
    section.sigmas,
  );
  for (const { loss } of first?.sigmas ?? []) near(loss, expected);
});

test("it comes before the first step, at each interval and after the last, and the levels come apart", async ({
  folder,
}) => {
  const all = evaluations(await events(folder));
  assert.equal(
    all.map(({ globalStep }) => globalStep),
    [0, 4, 6],
  );
  const [low, high] = all[2]?.sigmas ?? [];
  assert.is.not(low?.loss, high?.loss);
  near(all[2]?.loss, ((low?.loss ?? 0) + (high?.loss ?? 0)) / 2);
});

test("it changes nothing of the training", async ({ folder }) => {
  const losses = (seen: readonly TrainEvent[]) => seen.flatMap((event) => (event.type === "step" ? [event.loss] : []));
  const without = await events(folder, { settings: { evaluation: { samples: 0 } } });
  assert.equal(evaluations(without), []);
  assert.equal(losses(await events(join(folder, "with"))), losses(without));
});

test("batch size and seed do not matter, nor does the engine beyond rounding", async ({ folder }) => {
  const [first] = evaluations(await events(folder));
  const [other] = evaluations(
    await events(join(folder, "other"), { seed: 7, settings: { optimization: { gradient_accumulation_steps: 2 } } }),
  );
  assert.equal(other, first);
  const { engine: wasm } = await openEngine("wasm");
  near(evaluations(await events(join(folder, "wasm"), { on: wasm }))[0]?.loss, first?.loss ?? 0);
});

test("a resumed run evaluates as the uninterrupted one", async ({ folder }) => {
  const settings = { checkpoints: { interval: 3, keep_last_n: -1, save_training_state: "full" } };
  const whole = evaluations(await events(folder, { settings }));
  const weights = (await readdir(join(folder, "checkpoints"))).find((name) => name.endsWith("00003.safetensors")) ?? "";
  const model = { load_checkpoint: join(folder, "checkpoints", weights) };
  const resumed = evaluations(await events(folder, { settings: { ...settings, model } }));
  assert.equal(resumed, whole.slice(1));
  assert.ok((await lastSaved(folder)) !== null);
});

test("the checkpoint with the lowest loss stays, also where none was due", async ({ folder }) => {
  const settings = {
    checkpoints: { interval: null, keep_last_n: 1 },
    evaluation: { ...section, keep_best: true },
  };
  const found = evaluations(await events(folder, { settings })).filter(({ globalStep }) => globalStep > 0);
  const [best] = found.toSorted((a, b) => a.loss - b.loss);
  const last = found.at(-1);
  const names = (await readdir(join(folder, "checkpoints"))).filter((name) => name.endsWith(".safetensors"));
  const steps = names.map((name) => Number(/step_(\d+)/.exec(name)?.[1])).toSorted((a, b) => a - b);
  assert.equal(steps, [...new Set([best?.globalStep, last?.globalStep])]);
});

test("it is in the files, too", async ({ folder }) => {
  await events(folder);
  const lines = (await readFile(join(folder, "metrics.jsonl"), "utf8")).trim().split("\n");
  assert.is(lines.filter((line) => line.startsWith('{"type":"evaluation"')).length, 3);
  const [name = ""] = await readdir(join(folder, "tensorboard"));
  assert.match(await readFile(join(folder, "tensorboard", name), "latin1"), "eval/loss_sigma_0.75");
});

test("a strategy that sets its noise levels itself is named once", async ({ folder }) => {
  const halved = (step: Step): Step => ({
    ...step,
    prepare(context, batch): Prepared {
      const prepared = step.prepare(context, batch);
      const { video } = prepared.inputs;
      if (video === null) return prepared;
      return { ...prepared, inputs: { video: { ...video, sigma: context.ops.mul(video.sigma, 0.5) }, audio: null } };
    },
  });
  const seen = await events(folder, { change: halved });
  const said = seen.flatMap((event) => (event.type === "warning" ? [event.finding.code] : []));
  assert.equal(said, ["LTX7020"]);
});

test("no tensor is left behind", async ({ folder }) => {
  const before = engine.memory().tensors;
  await events(folder);
  assert.is(engine.memory().tensors, before);
});

test.run();
