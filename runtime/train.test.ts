import { existsSync, readFileSync, readdirSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "./findings.ts";
import type { Engine } from "./engine/engine.ts";
import { openEngine } from "./engine/index.ts";
import { weightsPath } from "./checkpoints/checkpoint-files.ts";
import type { StepEvent, TrainEvent } from "./metrics/events.ts";
import type { Run } from "./training/run-inputs.ts";
import { readTensorFile } from "./checkpoints/tensor-file.ts";
import { fillDisk } from "./testing/full-disk.ts";
import { tinyRun, type TinyOptions } from "./testing/tiny-run.ts";
import { train } from "./train.ts";
import { temporaryFolders } from "./testing/temporary-folders.ts";

const test = suite("train");
const { engine } = await openEngine("cpu");
const folder = temporaryFolders(test, "train");

async function run(
  options: Partial<TinyOptions> & { signal?: AbortSignal; onEvent?: (event: TrainEvent) => void } = {},
) {
  const outputDirectory = options.outputDirectory ?? (await folder());
  const tiny = tinyRun(engine, { outputDirectory, ...options });
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent) => {
    events.push(event);
    options.onEvent?.(event);
  };
  const outcome = train(tiny, { onEvent, ...(options.signal ? { signal: options.signal } : {}) });
  const thrown = await outcome.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown !== null && !(thrown instanceof FindingsError)) throw thrown;
  const weights = await readWeights(tiny);
  engine.dispose(...tiny.trainable.tensors());
  return { outputDirectory, events, findings: thrown?.findings ?? [], weights, summary: events.at(-1) };
}

const readWeights = ({ trainable }: Run) =>
  Promise.all(trainable.tensors().map(async (tensor) => Array.from((await engine.read(tensor)).data)));
const steps = (events: readonly TrainEvent[]) => events.filter((event): event is StepEvent => event.type === "step");
const warnings = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => (event.type === "warning" ? [`${event.finding.code} ${event.finding.message}`] : []));
/** What checkpoints of the tiny run say of it. */
const described = (alpha: string) => ({
  "ltxc.version": "",
  "ltxc.run": "tiny",
  "ltxc.strategy": "tiny",
  "ltxc.source_hash": "",
  "ltxc.params": '{"strength":1}',
  "ltxc.training_mode": "lora",
  "ltxc.lora_rank": "3",
  "ltxc.lora_alpha": alpha,
  "ltxc.base_model": "none",
});
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test("the loss falls, and the end is a checkpoint with the weights of the last step", async () => {
  const { events, weights, summary, outputDirectory } = await run({ settings: { optimization: { steps: 60 } } });
  const losses = steps(events).map(({ loss }) => loss);
  assert.is(losses.length, 60);
  assert.ok(mean(losses.slice(-15)) < 0.7 * mean(losses.slice(0, 15)), losses.join());
  if (summary?.type !== "finished") return assert.unreachable(JSON.stringify(summary));
  assert.is(summary.checkpoint, weightsPath(outputDirectory, 60));
  const file = await readTensorFile(summary.checkpoint);
  assert.equal(
    [...file.tensors.keys()],
    ["diffusion_model.layer.lora_A.weight", "diffusion_model.layer.lora_B.weight"],
  );
  assert.equal(
    [...file.tensors.values()].map(({ data }) => Array.from(data)),
    weights,
  );
  assert.equal(file.metadata, { ...described("3"), "ltxc.steps": "60", made_by: "tiny" });
});

test("events and metrics.jsonl say the same", async () => {
  const { events, outputDirectory } = await run();
  const lines = readFileSync(join(outputDirectory, "metrics.jsonl"), "utf8").trim().split("\n");
  assert.equal(
    lines.map((line) => JSON.parse(line) as unknown),
    events,
  );
  assert.equal(events.map(({ type }) => type).join(), "started,step,step,step,step,step,step,checkpoint,finished");
  const [started] = events;
  assert.is(started?.type === "started" && started.trainableParameters, 18);
  const [first] = steps(events);
  assert.is(first?.globalStep, 1);
  assert.is(first?.terms["flow"], first?.loss);
  assert.is(first?.learningRate, 0.05);
  assert.ok((first?.gradNorm ?? 0) > 0);
  assert.ok(Object.keys(first?.sigmaBuckets ?? {}).length > 0);
  assert.ok(existsSync(join(outputDirectory, "training_config.yaml")));
  assert.is(readdirSync(join(outputDirectory, "tensorboard")).length, 1);
});

test("a run gives the same numbers each time", async () => {
  const [a, b] = [await run(), await run()];
  assert.equal(a.weights, b.weights);
  assert.equal(
    steps(a.events).map(({ loss }) => loss),
    steps(b.events).map(({ loss }) => loss),
  );
});

test("two micro-batches make one step: rate, count and checkpoints go by optimizer steps", async () => {
  const optimization = { steps: 4, gradient_accumulation_steps: 2, scheduler_params: { end_factor: 0 } };
  const { events } = await run({ settings: { optimization, checkpoints: { interval: 2 } } });
  const rates = steps(events).map(({ learningRate }) => learningRate / 0.05);
  assert.ok(
    rates.every((rate, j) => Math.abs(rate - (1 - j / 4)) < 1e-12),
    rates.join(),
  );
  assert.equal(
    events.flatMap((event) => (event.type === "checkpoint" ? [event.globalStep] : [])),
    [2, 4],
  );
});

test("each step names its samples, every epoch has each of them at most once, and a resumed run goes on in the order", async () => {
  const settings = { optimization: { steps: 6, gradient_accumulation_steps: 2 } };
  const { events } = await run({ settings });
  const perStep = steps(events).map(({ samples }) => samples);
  assert.equal(
    perStep.map(({ length }) => length),
    [4, 4, 4, 4, 4, 4],
  );
  // Five samples in batches of two: two micro-batches, and so one step, are an epoch.
  for (const epoch of perStep) assert.is(new Set(epoch).size, 4);
  assert.ok(new Set(perStep.map((names) => names.join())).size > 3);
  const named = new Set(perStep.flat());
  assert.equal(
    [...named].toSorted(),
    [0, 1, 2, 3, 4].map((i) => `clip_${i}.pt`),
  );
  const { first, second } = await interrupted("full");
  const whole = await run();
  assert.equal(
    [...steps(first.events), ...steps(second.events)].map(({ samples }) => samples),
    steps(whole.events).map(({ samples }) => samples),
  );
});

test("only the last checkpoints stay, and the final one always", async () => {
  const settings = { checkpoints: { interval: 2, keep_last_n: 1 } };
  const { outputDirectory } = await run({ settings });
  assert.equal(await readdir(join(outputDirectory, "checkpoints")), [
    "lora_weights_step_00006.safetensors",
    "training_state_step_00006.state",
  ]);
});

/** Trains 6 steps with a stop after 3, then goes on from what was saved. */
async function interrupted(state: "full" | "minimal", more: Readonly<Record<string, unknown>> = {}) {
  const controller = new AbortController();
  const settings = { checkpoints: { save_training_state: state, ...more } };
  const onEvent = (event: TrainEvent) => {
    if (event.type === "step" && event.globalStep === 3) controller.abort();
  };
  const first = await run({ settings, onEvent, signal: controller.signal });
  const { summary } = first;
  if (summary?.type !== "interrupted") throw new Error(`not interrupted: ${JSON.stringify(summary)}`);
  const model = { load_checkpoint: summary.checkpoint };
  const second = await run({ settings: { ...settings, model }, outputDirectory: first.outputDirectory });
  return { first, second, summary };
}

test("after a stop the step is finished and saved; resuming in full equals never having stopped", async () => {
  const { first, second, summary } = await interrupted("full");
  assert.is(summary.globalStep, 3);
  assert.is(steps(first.events).length, 3);
  const whole = await run();
  const losses = [...steps(first.events), ...steps(second.events)].map(({ loss }) => loss);
  assert.equal(
    losses,
    steps(whole.events).map(({ loss }) => loss),
  );
  assert.equal(second.weights, whole.weights);
  assert.equal(warnings(second.events), []);
});

test("in full, resuming is exact although the weights file is rounded", async () => {
  const { second } = await interrupted("full", { precision: "bfloat16" });
  assert.equal(second.weights, (await run()).weights);
});

test("resuming from a minimal state goes on at the step, with new moments, and says so", async () => {
  const { second } = await interrupted("minimal");
  assert.equal(
    steps(second.events).map(({ globalStep }) => globalStep),
    [4, 5, 6],
  );
  assert.match(warnings(second.events).join(), /LTX6312 resumed at step 3; the optimizer's moments/);
  const whole = await run();
  assert.is(steps(second.events)[0]?.loss, steps(whole.events)[3]?.loss);
  assert.not.equal(second.weights, whole.weights);
});

test("a state of another run is refused with what changed, unless told otherwise", async () => {
  const { first, summary } = await interrupted("full", { keep_last_n: 0 });
  const resume = async (settings: Record<string, Record<string, unknown>>) => {
    const model = { load_checkpoint: summary.checkpoint };
    const { events, findings } = await run({
      settings: { model, checkpoints: { keep_last_n: 0 }, ...settings },
      outputDirectory: first.outputDirectory,
    });
    return [steps(events)[0]?.globalStep, ...warnings(events), ...findings.map(({ code }) => code)].join(" ");
  };
  const optimization = { scheduler_type: "constant" };
  assert.is(await resume({ optimization }), " LTX6314");
  assert.is(await resume({ optimization, lora: { alpha: 6, target_modules: ["x"] } }), " LTX6314 LTX6314 LTX6314");
  assert.is(await resume({ optimization, runtime: { resume_anyway: true } }), "4");
  assert.is(await resume({ checkpoints: { keep_last_n: 0, no_resume: true } }), " LTX6344");
  assert.is(await resume({ optimization: { steps: 3 } }), " LTX6306");
});

test("a folder without weights begins anew, and without a state training begins at step 0 with the weights; both are said", async () => {
  const empty = await folder();
  const fresh = await run({ settings: { model: { load_checkpoint: empty } } });
  assert.match(warnings(fresh.events).join(), `LTX6308 ${empty} holds no`);
  assert.equal(fresh.weights, (await run()).weights);
  const { first, summary } = await interrupted("full", { keep_last_n: 0 });
  const model = { load_checkpoint: summary.checkpoint };
  const state = summary.checkpoint.replace("lora_weights", "training_state").replace(".safetensors", ".state");
  const resume = async () => {
    const outputDirectory = await folder();
    const { events } = await run({
      settings: { model, optimization: { steps: 1, learning_rate: 1e-30 } },
      outputDirectory,
    });
    const file = await readTensorFile(weightsPath(outputDirectory, 1));
    return {
      said: warnings(events).join(),
      began: steps(events)[0]?.globalStep,
      weights: [...file.tensors.values()].map(({ data }) => [...data]),
    };
  };
  await rename(state, state.replace(".state", ".pt"));
  const anew = await resume();
  assert.equal([anew.began, anew.weights], [1, first.weights]);
  assert.match(anew.said, /LTX6309 .*training_state_step_00003\.pt is a state of the official trainer/);
  await rm(state.replace(".state", ".pt"));
  assert.match((await resume()).said, /LTX6309 .*there is no .*training_state_step_00003\.state/);
  const renamed = join(await folder(), "mine.safetensors");
  await rename(summary.checkpoint, renamed);
  model.load_checkpoint = renamed;
  assert.match((await resume()).said, /LTX6309 .*mine\.safetensors has no step in its name/);
});

test("a damaged state is not begun anew from in silence: the run ends and says what to do", async () => {
  const { summary } = await interrupted("full", { keep_last_n: 0 });
  const model = { load_checkpoint: summary.checkpoint };
  const state = summary.checkpoint.replace("lora_weights", "training_state").replace(".safetensors", ".state");
  const bytes = await readFile(state);
  const refused = async (damaged: Buffer, pattern: RegExp) => {
    await writeFile(state, damaged);
    const { findings } = await run({ settings: { model, optimization: { steps: 9 } } });
    assert.match(findings.map(({ code, message }) => `${code} ${message}`).join(), pattern);
  };
  await refused(bytes.subarray(0, bytes.length - 1), /^LTX6150 .*\.state is not a sound safetensors file: .*cut off/);
  const flipped = Buffer.from(bytes);
  flipped[flipped.length - 9] = (flipped.at(-9) ?? 0) ^ 4;
  await refused(flipped, /^LTX6150 .*\.state is damaged: .*checksum$/);
  // What a damaged state says of its run is no reason to refuse it as another run's.
  const seed = bytes.indexOf('"seed\\"');
  const otherSeed = Buffer.from(bytes);
  const digit = bytes.findIndex((byte, i) => i > seed + 8 && byte >= 0x30 && byte <= 0x39);
  otherSeed[digit] = (otherSeed[digit] ?? 0) ^ 1;
  await refused(otherSeed, /^LTX6150/);
});

test("what is said of a damaged state names the last whole checkpoint before it, wherever the damage shows", async () => {
  const settings = { checkpoints: { interval: 2, keep_last_n: 0, save_training_state: "full" } };
  const { outputDirectory } = await run({ settings });
  const model = { load_checkpoint: weightsPath(outputDirectory, 6) };
  const state = join(outputDirectory, "checkpoints/training_state_step_00006.state");
  const bytes = await readFile(state);
  const helpWith = async (place: number) => {
    const damaged = Buffer.from(bytes);
    damaged[place] = (damaged[place] ?? 0) ^ 1;
    await writeFile(state, damaged);
    const { findings } = await run({ settings: { ...settings, model, optimization: { steps: 9 } } });
    return findings.map(({ code, help }) => `${code} ${help}`).join();
  };
  // In the values, and in the seed, which then seems to be that of another run.
  const seed = bytes.indexOf('"seed\\"') + 8;
  const digit = bytes.findIndex((byte, i) => i > seed && byte >= 0x30 && byte <= 0x39);
  for (const place of [bytes.length - 9, digit]) {
    const help = await helpWith(place);
    assert.match(help, /^LTX6150 go on from the checkpoint before it/);
    assert.match(help, `\`model.load_checkpoint: ${weightsPath(outputDirectory, 4)}\``);
  }
});

test("an alpha other than the rank is multiplied into the file and taken out of it again", async () => {
  const lora = { alpha: 12 };
  const { weights, summary, outputDirectory } = await run({ settings: { lora } });
  if (summary?.type !== "finished") return assert.unreachable();
  const file = await readTensorFile(summary.checkpoint);
  const saved = Array.from(file.tensors.get("diffusion_model.layer.lora_B.weight")?.data ?? []);
  assert.equal(
    saved,
    weights[1]?.map((value) => value * 4),
  );
  assert.equal(file.metadata, {
    ...described("12"),
    "ltxc.steps": "6",
    made_by: "tiny",
  });
  const model = { load_checkpoint: summary.checkpoint };
  const settings = { lora, model, checkpoints: { no_resume: true }, optimization: { steps: 1, learning_rate: 1e-30 } };
  const again = await run({ settings, outputDirectory });
  assert.equal(again.weights, weights);
});

test("a loss that is not a number ends the run before the weights change, names step, term and sample, and saves", async () => {
  const settings = { checkpoints: { interval: 1, keep_last_n: 1 }, optimization: { steps: 50, batch_size: 2 } };
  const { findings, events, weights, outputDirectory } = await run({ settings, special: new Map([[1, NaN]]) });
  const done = steps(events).length;
  assert.equal([findings[0]?.code, findings[0]?.path], ["LTX7001", ["optimization", "learning_rate"]]);
  assert.match(
    findings[0]?.message ?? "",
    new RegExp(`\`flow\` of clip_1.pt is not a finite number at step ${done + 1}`),
  );
  assert.ok(weights.flat().every(Number.isFinite));
  assert.ok(done > 0, "the sample must not be in the first batch for this test");
  assert.ok(existsSync(weightsPath(outputDirectory, done)));
});

test("numbers that overflow end the run, too", async () => {
  const { findings } = await run({
    special: new Map([
      [0, 1e25],
      [1, 1e25],
      [2, 1e25],
      [3, 1e25],
      [4, 1e25],
    ]),
  });
  assert.ok(["LTX7001", "LTX7002"].includes(findings[0]?.code ?? ""), JSON.stringify(findings));
  // Before any training it is not the learning rate.
  assert.equal(findings[0]?.path, ["model", "model_path"]);
  assert.match(findings[0]?.help ?? "", "nothing was trained yet");
});

test("a token that attends to nothing ends the run before the weights change, and the sample is named", async () => {
  const settings = { optimization: { steps: 10 } };
  const { summary } = await run({ settings, attention: true });
  assert.is(summary?.type, "finished");
  const { findings, events } = await run({ settings, attention: true, special: new Map([[1, 0]]) });
  const [finding] = findings;
  assert.is(finding?.code, "LTX7010");
  assert.match(finding?.message ?? "", /of clip_1\.pt has tokens of `video` that may attend to nothing at step \d+;/);
  assert.match(finding?.message ?? "", `at step ${steps(events).length + 1};`);
});

test("a disk that is full when saving ends the run with the checkpoints of before intact", async () => {
  const outputDirectory = await folder();
  const saved = weightsPath(outputDirectory, 2);
  let restore = () => {};
  let before = Buffer.alloc(0);
  const full: Promise<void>[] = [];
  const onEvent = (event: TrainEvent) => {
    if (event.type !== "checkpoint") return;
    before = readFileSync(saved);
    full.push(fillDisk(outputDirectory).then((undo) => void (restore = undo)));
  };
  const settings = { checkpoints: { interval: 2, keep_last_n: 1 } };
  const { findings, events } = await run({ outputDirectory, settings, onEvent }).finally(async () => {
    await Promise.all(full);
    restore();
  });
  assert.equal(
    findings.map(({ code, path }) => `${code} ${path.join(".")}`),
    ["LTX6190 output_dir"],
  );
  assert.match(
    findings[0]?.help ?? "",
    /^the weights of step 4 could not be saved .*; the weights of step 2 are in .*; .*free some space/,
  );
  // Of what belongs to a step, the training state is written before the weights.
  assert.match(findings[0]?.message ?? "", join(outputDirectory, "checkpoints/training_state_step_00004.state"));
  assert.is(steps(events).length, 4);
  assert.ok(before.length > 0);
  assert.equal(await readFile(saved), before);
  assert.equal(await readdir(join(outputDirectory, "checkpoints")), [
    "lora_weights_step_00002.safetensors",
    "training_state_step_00002.state",
  ]);
});

test("half a line of metrics, as a killed process leaves it, does not swallow the next one", async () => {
  const outputDirectory = await folder();
  const path = join(outputDirectory, "metrics.jsonl");
  await writeFile(path, '{"type":"step","glo');
  const { events } = await run({ outputDirectory });
  const [broken, ...lines] = readFileSync(path, "utf8").trim().split("\n");
  assert.is(broken, '{"type":"step","glo');
  assert.equal(
    lines.map((line) => JSON.parse(line) as unknown),
    events,
  );
});

test("metrics that can not be written are a warning, and training goes on", async () => {
  const outputDirectory = await folder();
  await mkdir(join(outputDirectory, "metrics.jsonl"));
  const { events, summary } = await run({ outputDirectory });
  assert.is(summary?.type, "finished");
  const [first, ...others] = warnings(events);
  assert.match(first ?? "", "LTX7004 metrics are not written");
  const lost = events.find(({ type }) => type === "warning");
  assert.equal(lost?.type === "warning" && [lost.finding.path, lost.finding.help?.slice(0, 22)], [
    ["output_dir"],
    "the training goes on a",
  ]);
  assert.equal(others, []);
});

test("a sample without a token to learn from has loss 0 and is named once", async () => {
  const { events } = await run({ settings: { optimization: { steps: 10 } }, special: new Map([[3, 0]]) });
  const named = warnings(events);
  assert.is(named.length, 1);
  assert.match(named[0] ?? "", /^LTX7003 clip_3.pt: every token is kept/);
});

test("a run without any gradient ends with an error: after 20 steps, or at the end of fewer", async () => {
  const special = new Map(Array.from({ length: 20 }, (_, i): [number, number] => [i, 0]));
  for (const [steps, message] of [
    [60, "exactly 0 in 20 steps in a row"],
    [2, "exactly 0 in 2 steps in a row"],
  ] as const) {
    const { findings, events } = await run({ settings: { optimization: { steps } }, special });
    assert.equal(
      findings.map(({ code }) => code),
      ["LTX7130"],
    );
    assert.match(findings[0]?.message ?? "", message);
    assert.is(events.filter(({ type }) => type === "step").length, Math.min(steps, 20));
    assert.not.ok(events.some(({ type }) => type === "finished"));
  }
});

test("no tensor is left behind by a step", async () => {
  const counts: number[] = [];
  const bytes: number[] = [];
  const onEvent = (event: TrainEvent) => {
    if (event.type !== "step") return;
    counts.push(engine.memory().tensors);
    bytes.push(engine.memory().bytes);
  };
  await run({ settings: { optimization: { steps: 60 } }, onEvent });
  assert.equal(new Set(counts.slice(10)).size, 1, counts.join());
  assert.equal(new Set(bytes.slice(10)).size, 1, bytes.join());
});

test("a run gives back all that it took from the engine", async () => {
  const before = engine.memory().tensors;
  await run();
  assert.is(engine.memory().tensors, before);
});

test("the first step of a run says nothing of the time left", async () => {
  const { events } = await run({ settings: { optimization: { steps: 4 } } });
  const left = events.flatMap((event) => (event.type === "step" ? [event.etaSeconds] : []));
  assert.is(left[0], null);
  assert.ok(
    left.slice(1).every((seconds) => seconds !== null && seconds >= 0),
    left.join(),
  );
  assert.is(left[3], 0);
});

test("what ends the process at once is told with the last checkpoint, as one of the run's events", async () => {
  const outputDirectory = await folder();
  let tell: Parameters<NonNullable<Engine["onFault"]>>[0] = null;
  const faulty: Engine = { ...engine, onFault: (listener) => void (tell = listener) };
  const tiny = tinyRun(faulty, { outputDirectory, settings: { checkpoints: { interval: 2 } } });
  const finding = { code: "LTX6160", severity: "error", path: [], message: "no memory", help: "look" } as const;
  const onEvent = (event: TrainEvent) => {
    if (event.type === "step" && event.globalStep === 3) tell?.(finding);
  };
  await train(tiny, { onEvent });
  engine.dispose(...tiny.trainable.tensors());
  assert.is(tell, null);
  const told = (await readFile(join(outputDirectory, "metrics.jsonl"), "utf8"))
    .split("\n")
    .find((line) => line.includes("LTX6160"));
  assert.match(told ?? "", "the weights of step 2 are in ");
  assert.match(told ?? "", /goes on from there; look"/);
});

test.run();
