import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { projectFiles } from "../../bin/init/project.ts";
import { compile } from "../../compiler/index.ts";
import { resolveConfig } from "../config/index.ts";
import type { OutputInfo, Step } from "../contract.ts";
import { writePt } from "../files/pt/index.ts";
import { openSafetensors, writeSafetensors, type OutputTensor } from "../files/safetensors/index.ts";
import { openEngine } from "../engine/index.ts";
import { FindingsError } from "../findings.ts";
import { train } from "../train.ts";
import type { StepEvent, TrainEvent } from "../metrics/events.ts";
import { openRun } from "./open-run.ts";
import { preflight } from "./preflight.ts";
import { readTensorFile } from "../checkpoints/tensor-file.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("open run");
const newFolder = temporaryFolders(test, "open-run");
const { engine } = await openEngine("wasm");
const targets = ["attn1.to_q", "attn1.to_v", "attn2.to_q", "ff.net.2"];

/** A project as `ltxc init` makes it, with its strategy compiled. */
async function project(name: string): Promise<{ readonly folder: string; readonly step: Step }> {
  const folder = await newFolder();
  for (const { path, content } of await projectFiles(name)) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await (typeof content === "string" ? writeFile(target, content) : content(target));
  }
  const path = join(folder, `${name}.strategy`);
  const { artifacts } = await compile({ path, text: await readFile(path, "utf8") });
  for (const artifact of artifacts) await writeFile(join(folder, artifact.name), artifact.text);
  return { folder, step: (await import(pathToFileURL(join(folder, `${name}.mjs`)).href)) as Step };
}

type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function configOf(folder: string, name: string, settings: Settings = {}, more: Readonly<Record<string, unknown>> = {}) {
  const raw = {
    model: { model_path: "models/tiny-ltx2.safetensors", ...settings["model"] },
    lora: { rank: 4, target_modules: targets, ...settings["lora"] },
    training_strategy: { name, ...settings["training_strategy"] },
    data: { preprocessed_data_root: "data", ...settings["data"] },
    optimization: { steps: 4, learning_rate: 0.01, ...settings["optimization"] },
    checkpoints: { save_training_state: "full", ...settings["checkpoints"] },
    ...more,
  };
  const { config, findings } = resolveConfig(raw, { configDirectory: folder });
  if (config === null) throw new Error(findings.map(({ message }) => message).join());
  return config;
}

async function trainIn(
  folder: string,
  step: Step,
  settings: Settings = {},
  more: Readonly<Record<string, unknown>> = {},
) {
  const { run, warnings, close } = await openRun(engine, configOf(folder, step.strategy.name, settings, more), step);
  const events: TrainEvent[] = [];
  const tensors: number[] = [];
  const onEvent = (event: TrainEvent) => {
    events.push(event);
    if (event.type === "step") tensors.push(engine.memory().tensors);
  };
  const summary = await train(run, { onEvent });
  await close();
  const losses = events.filter((event): event is StepEvent => event.type === "step").map(({ loss }) => loss);
  const loading = events.flatMap((event) =>
    event.type === "warning" ? [`${event.finding.code} ${event.finding.message}`] : [],
  );
  return { summary, losses, tensors, warnings, loading };
}

async function messagesOf(promise: Promise<unknown>): Promise<string[]> {
  const error = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof FindingsError)) throw error;
  return error.findings.map(({ message }) => message);
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

async function findingsOf(promise: Promise<unknown>): Promise<string[]> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error === null) return [];
  if (!(error instanceof FindingsError)) throw error;
  return error.findings.map(({ code, path }) => `${code} ${path.join(".")}`);
}

test("a compiled strategy trains on files in the official layout, and leaves no tensor behind", async () => {
  const { folder, step } = await project("inpainting");
  const before = engine.memory().tensors;
  const { losses, tensors, warnings } = await trainIn(folder, step, { optimization: { steps: 40 } });
  assert.equal(warnings, []);
  assert.ok(mean(losses.slice(-10)) < 0.9 * mean(losses.slice(0, 10)), losses.join());
  assert.is(new Set(tensors.slice(5)).size, 1, tensors.join());
  assert.is(engine.memory().tensors, before);
});

test("a run that was resumed equals one that was not", async () => {
  const { folder, step } = await project("inpainting");
  const optimization = { steps: 4, gradient_accumulation_steps: 2, scheduler_type: "constant" };
  const whole = await trainIn(folder, step, { optimization });
  const first = await trainIn(folder, step, { optimization: { ...optimization, steps: 2 } });
  const model = { load_checkpoint: first.summary.checkpoint };
  const second = await trainIn(folder, step, { optimization, model });
  assert.equal([...first.losses, ...second.losses], whole.losses);
});

test("the adapters' start follows the seed, whatever was drawn before", async () => {
  const { folder, step } = await project("inpainting");
  const startOf = async (seed: number) => {
    const { run, close } = await openRun(engine, configOf(folder, step.strategy.name, {}, { seed }), step);
    const [first] = run.trainable.tensors();
    const values = first === undefined ? [] : [...(await engine.read(first)).data];
    await close();
    return values;
  };
  const [a, b, other] = [await startOf(42), await startOf(42), await startOf(43)];
  assert.ok(a.some((value) => value !== 0));
  assert.equal(a, b);
  assert.not.equal(a, other);
});

test("dropout changes the training, not the evaluation, and a run that was resumed drops the same", async () => {
  const { folder, step } = await project("inpainting");
  const evaluated = async (output: string, settings: Settings) => {
    const { run, close } = await openRun(
      engine,
      configOf(folder, step.strategy.name, settings, {
        output_dir: output,
        evaluation: { samples: 2, interval: 2, sigmas: [0.5] },
      }),
      step,
    );
    const events: TrainEvent[] = [];
    await train(run, { onEvent: (event) => void events.push(event) });
    await close();
    const losses = events.flatMap((event) => (event.type === "step" ? [event.loss] : []));
    const evaluations = events.flatMap((event) => (event.type === "evaluation" ? [event.loss] : []));
    return { losses, evaluations };
  };
  const lora = { dropout: 0.3 };
  const optimization = { scheduler_type: "constant" };
  const without = await evaluated("none", { optimization });
  const whole = await evaluated("whole", { lora, optimization });
  const half = await evaluated("half", {
    lora,
    checkpoints: { interval: 2 },
    optimization: { ...optimization, steps: 2 },
  });
  const load_checkpoint = join(folder, "half/checkpoints/lora_weights_step_00002.safetensors");
  const rest = await evaluated("rest", { lora, optimization, model: { load_checkpoint } });
  // At first B is zero, so that nothing of what is dropped reaches the output.
  assert.is(whole.losses[0], without.losses[0]);
  assert.is(whole.evaluations[0], without.evaluations[0]);
  assert.is.not(whole.losses[2], without.losses[2]);
  assert.equal(rest.losses, whole.losses.slice(2));
  assert.equal(half.losses, whole.losses.slice(0, 2));
  await rm(folder, { recursive: true });
});

test("video and audio train together", async () => {
  const { folder, step } = await project("text_to_video_with_audio");
  const lora = { target_modules: ["to_q", "audio_ff.net.2"] };
  const { losses, summary } = await trainIn(folder, step, { lora });
  assert.is(summary.type, "finished");
  assert.ok(losses.every(Number.isFinite), losses.join());
});

test("mistakes in parameters, data, files and output folder are found at once, before the model is loaded", async () => {
  const { folder, step } = await project("inpainting");
  await rm(join(folder, "data/conditions"), { recursive: true });
  const config = configOf(folder, "inpainting", {
    model: { model_path: "missing.safetensors", load_checkpoint: "none" },
    training_strategy: { mask_threshold: 2, mask_treshold: 0.5 },
  });
  await writeFile(join(folder, "outputs"), "a file where the folder should be");
  assert.equal(await findingsOf(openRun(engine, config, step)), [
    "LTX6121 data.preprocessed_data_root",
    "LTX6303 model.model_path",
    "LTX6191 output_dir",
    "LTX6001 training_strategy.mask_treshold",
    "LTX6003 training_strategy.mask_threshold",
  ]);
});

test("too few samples, a broken file, and targets that match nothing are findings", async () => {
  const { folder, step } = await project("inpainting");
  const few = configOf(folder, "inpainting", { optimization: { batch_size: 64 } });
  assert.equal(await findingsOf(openRun(engine, few, step)), ["LTX6301 optimization.batch_size"]);
  const none = configOf(folder, "inpainting", { lora: { target_modules: ["attn9.to_q"] } });
  const before = engine.memory().tensors;
  assert.equal(await findingsOf(openRun(engine, none, step)), ["LTX6210 lora.target_modules.0"]);
  assert.is(engine.memory().tensors, before);
});

test("model, adapters and data are judged together, from headers and the first sample", async () => {
  const { folder, step } = await project("inpainting");
  const latents = (C: number, side: number) => ({
    shape: [C, 3, side, side],
    storage: "bfloat16" as const,
    values: new Float32Array(C * 3 * side * side),
  });
  // The first clip has too many channels for the model, and its mask another grid than the clip.
  const sizes = (side: number) => ({ num_frames: 3, height: side, width: side, fps: { float: 24 } });
  const clip = (kind: string) => join(folder, "data", kind, "clip_1.pt");
  await writePt(clip("latents"), { latents: latents(9, 6), ...sizes(6) });
  const config = configOf(folder, "inpainting", { lora: { target_modules: ["audio_attn1.to_q"] } });
  const found = await findingsOf(preflight(config, step));
  assert.equal(found, ["LTX6212 lora.target_modules"]);
  const fed = configOf(folder, "inpainting");
  assert.equal(await messagesOf(preflight(fed, step)), [
    `${clip("latents")}: \`latents\` [9, 3, 6, 6] has 9 channels per token, the model takes 8`,
  ]);
  await writePt(clip("latents"), { latents: latents(8, 4), ...sizes(4) });
  assert.equal(await messagesOf(preflight(fed, step)), [
    `${clip("mask_latents")} has 3 x 6 x 6 latent cells (frames, height, width), but ${clip("latents")} has 3 x 4 x 4 latent cells (frames, height, width)`,
  ]);
});

test("a checkpoint that lacks tensors is found beside a missing directory, without an engine", async () => {
  const { folder, step } = await project("inpainting");
  const path = join(folder, "models/tiny-ltx2.safetensors");
  const file = await openSafetensors(path);
  const kept = [...file.tensors].filter(([name]) => !name.endsWith("blocks.1.ff.net.2.weight"));
  const tensors: OutputTensor[] = [];
  for (const [name, { dtype, shape }] of kept) tensors.push({ name, dtype, shape, data: await file.read(name) });
  await file.close();
  await writeSafetensors(path, tensors, file.metadata);
  await rm(join(folder, "data/mask_latents"), { recursive: true });
  assert.equal(await findingsOf(preflight(configOf(folder, "inpainting"), step)), [
    "LTX6205 model.model_path",
    "LTX6121 training_strategy.mask_latents_dir",
  ]);
});

test("captions of another model are noticed before the first step", async () => {
  const { folder, step } = await project("inpainting");
  const features = (D: number) => ({
    shape: [128, D],
    storage: "bfloat16" as const,
    values: new Float32Array(128 * D),
  });
  const mask = { shape: [128], storage: "int64" as const, values: new Float32Array(128).fill(1) };
  await writePt(join(folder, "data/conditions/clip_1.pt"), {
    video_prompt_embeds: features(48),
    audio_prompt_embeds: features(32),
    prompt_attention_mask: mask,
  });
  assert.equal(await messagesOf(preflight(configOf(folder, "inpainting"), step)), [
    "clip_1.pt: the text embeddings for video have 48 channels, the checkpoint's connector takes 64",
  ]);
});

const heads: readonly OutputInfo[] = [
  { name: "mid", kind: "tap", modality: "video", block: 0 },
  { name: "aligned", kind: "linear", modality: "video", input: "mid", features: 3, activation: "gelu" },
];

/** The step with a loss on a head over the first block, as a strategy with these `outputs` has one. */
function withHeads(step: Step, outputs = heads): Step {
  const { strategy } = step;
  const losses = [...strategy.losses, { name: "align", modality: "video" as const }];
  return {
    ...step,
    strategy: { ...strategy, outputs, losses },
    loss(ctx, prepared, prediction) {
      const { aligned } = prediction.outputs;
      if (aligned === undefined) throw new Error("no head");
      const align = ctx.ops.mean(ctx.ops.square(ctx.ops.sub(aligned, 1)), [1, 2]);
      return { ...step.loss(ctx, prepared, prediction), align };
    },
  };
}

test("heads are trained and saved beside the adapters; a run that was resumed equals one that was not", async () => {
  const { folder, step } = await project("inpainting");
  const before = engine.memory().tensors;
  const optimization = { steps: 4, scheduler_type: "constant" };
  const own = withHeads(step);
  const whole = await trainIn(folder, own, { optimization });
  const weights = (name: string) => readFile(join(folder, "outputs/checkpoints", name));
  const last = [await weights("heads_00004.safetensors"), await weights("lora_weights_step_00004.safetensors")];
  const first = await trainIn(folder, own, { optimization: { ...optimization, steps: 2 } });
  assert.not.equal(await weights("heads_00002.safetensors"), last[0]);
  const model = { load_checkpoint: first.summary.checkpoint };
  const second = await trainIn(folder, own, { optimization, model });
  assert.equal([...first.losses, ...second.losses], whole.losses);
  assert.equal([await weights("heads_00004.safetensors"), await weights("lora_weights_step_00004.safetensors")], last);
  assert.ok((whole.losses[3] ?? NaN) < (whole.losses[0] ?? NaN));
  assert.is(engine.memory().tensors, before);

  const { tensors } = await readTensorFile(join(folder, "outputs/checkpoints/heads_00004.safetensors"));
  assert.equal([...tensors.keys()], ["outputs.aligned.weight", "outputs.aligned.bias"]);
  const lora = await readTensorFile(whole.summary.checkpoint);
  assert.not([...lora.tensors.keys()].some((name) => name.includes("outputs")));
});

test("heads without a state are loaded from their file, and start anew with a warning where it is missing", async () => {
  const { folder, step } = await project("inpainting");
  const own = withHeads(step);
  const optimization = { steps: 1, learning_rate: 1e-12 };
  const { summary } = await trainIn(folder, own, { optimization });
  const path = join(folder, "outputs/checkpoints/heads_00001.safetensors");
  const values = async () => Array.from((await readTensorFile(path)).tensors.values(), ({ data }) => [...data]);
  const saved = await values();
  const checkpoints = { no_resume: true };
  const again = (seed: number) =>
    trainIn(folder, own, { optimization, checkpoints, model: { load_checkpoint: summary.checkpoint } }, { seed });
  const loaded = await again(7);
  assert.equal(loaded.loading, []);
  assert.equal(await values(), saved);
  await rm(path);
  const { loading } = await again(7);
  assert.match(
    loading.join(),
    /^LTX6313 the strategy's heads start anew \(outputs\.aligned\.weight, outputs\.aligned\.bias\)/,
  );
  assert.not.equal(await values(), saved);
});

test("a tap beyond the model's blocks is found before the run", async () => {
  const { folder, step } = await project("inpainting");
  const beyond = withHeads(step, [{ name: "late", kind: "tap", modality: "video", block: 9 }]);
  assert.equal(await findingsOf(preflight(configOf(folder, "inpainting"), beyond)), ["LTX6217 training_strategy.name"]);
});

const growth = (counts: readonly number[]) => counts.slice(1).map((count, i) => count - (counts[i] ?? NaN));
const full = { model: { training_mode: "full" }, checkpoints: { precision: "float32", interval: 2 } };

test("a full training changes all weights that it feeds, and leaves a checkpoint to build on", async () => {
  const { folder, step } = await project("text_to_video");
  const { summary, losses, tensors } = await trainIn(folder, step, full);
  assert.ok((losses.at(-1) ?? NaN) < (losses[0] ?? NaN), losses.join());
  // Each step meets two new captions, whose contexts and masks are kept.
  assert.equal(growth(tensors), [4, 4, 4]);
  assert.is(summary.checkpoint, join(folder, "outputs/checkpoints/model_weights_step_00004.safetensors"));
  const base = await readTensorFile(join(folder, "models/tiny-ltx2.safetensors"));
  const trained = await readTensorFile(summary.checkpoint ?? "");
  assert.equal([...trained.tensors.keys()], [...base.tensors.keys()]);
  assert.is(trained.metadata["config"], base.metadata["config"]);
  const changed = new Set(
    [...base.tensors].flatMap(([name, { data }]) =>
      trained.tensors.get(name)?.data.some((x, i) => x !== data[i]) ? [name] : [],
    ),
  );
  const isFed = (name: string) =>
    !/audio|a2v|v2a|connector|av_ca/.test(name) && name.startsWith("model.diffusion_model.");
  const unchanged = [...base.tensors.keys()].filter((name) => isFed(name) && !changed.has(name));
  // Softmax does not see what is added to all keys alike, so the biases of keys have no gradient but what rounding leaves.
  assert.equal(
    unchanged.filter((name) => !name.endsWith("to_k.bias")),
    [],
  );
  assert.equal(
    [...changed].filter((name) => !isFed(name)),
    [],
  );
  const model = { model_path: summary.checkpoint ?? "", training_mode: "lora" };
  assert.is((await trainIn(folder, step, { model })).losses.length, 4);
});

test("a full training that was resumed equals one that never stopped", async () => {
  const [whole, parts] = [await project("text_to_video"), await project("text_to_video")];
  const steady = { ...full, optimization: { scheduler_type: "constant" } };
  const expected = await trainIn(whole.folder, whole.step, steady);
  await trainIn(parts.folder, parts.step, { ...steady, optimization: { scheduler_type: "constant", steps: 2 } });
  const model = { training_mode: "full", load_checkpoint: "outputs" };
  const resumed = await trainIn(parts.folder, parts.step, { ...steady, model });
  assert.equal(resumed.losses, expected.losses.slice(2));
  const bytes = (path: string | null) => readFile(path ?? "");
  assert.equal(await bytes(resumed.summary.checkpoint), await bytes(expected.summary.checkpoint));
});

test("a full training begins with weights under the official trainer's bare names, and refuses others", async () => {
  const { folder, step } = await project("text_to_video");
  const base = await readTensorFile(join(folder, "models/tiny-ltx2.safetensors"));
  const prefix = "model.diffusion_model.";
  const bare = [...base.tensors].flatMap(([name, { shape, data }]): OutputTensor[] =>
    name.startsWith(prefix)
      ? [{ name: name.slice(prefix.length), shape, dtype: "F32", data: data as Float32Array }]
      : [],
  );
  await writeSafetensors(join(folder, "bare_step_7.safetensors"), bare);
  const load = (file: string) => ({ ...full, model: { training_mode: "full", load_checkpoint: file } });
  const { losses, loading } = await trainIn(folder, step, load("bare_step_7.safetensors"));
  assert.is(losses.length, 4);
  assert.equal(
    loading.map((text) => text.slice(0, 7)),
    ["LTX6309"],
  );
  await writeSafetensors(
    join(folder, "cut.safetensors"),
    bare.filter(({ name }) => name !== "proj_out.bias"),
  );
  const messages = await messagesOf(trainIn(folder, step, load("cut.safetensors")));
  assert.is(messages.length, 1);
  assert.match(messages[0] ?? "", "has no proj_out.bias");
});

test("blocks that are computed again train to the same weights: adapters with dropout, both streams, and all weights", async () => {
  const { folder, step } = await project("text_to_video_with_audio");
  const lora = {
    lora: { dropout: 0.3, target_modules: [...targets, "adaln_single.linear", "audio_to_video_attn.to_v"] },
  };
  for (const settings of [lora, { model: { training_mode: "full" } }]) {
    const expected = await trainIn(folder, step, settings);
    const optimization = { enable_gradient_checkpointing: true };
    const { losses, tensors } = await trainIn(folder, step, { ...settings, optimization });
    losses.forEach((loss, i) =>
      assert.ok(Math.abs(loss - (expected.losses[i] ?? NaN)) < 1e-5, `step ${i + 1}: ${loss}`),
    );
    assert.equal(growth(tensors), [6, 6, 6]);
  }
});

test.run();
