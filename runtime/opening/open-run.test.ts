import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { readTensorFile } from "../checkpoints/tensor-file.ts";
import type { Step } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { writePt } from "../files/pt/index.ts";
import { openSafetensors, writeSafetensors, type OutputTensor } from "../files/safetensors/index.ts";
import { configOf, findingsOf, full, growth, messagesOf, trainIn, withHeads } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { openRun } from "./open-run.ts";
import { preflight } from "./preflight.ts";

const test = suite("open run");
const newFolder = temporaryFolders(test, "open-run");
const { engine } = await openEngine("wasm");

async function project(name: string): Promise<{ readonly folder: string; readonly step: Step }> {
  const folder = await newFolder();
  return { folder, step: await compiledProject(folder, name) };
}

test("a run that was resumed equals one that was not", async () => {
  const { folder, step } = await project("inpainting");
  const optimization = { steps: 4, gradient_accumulation_steps: 2, scheduler_type: "constant" };
  const whole = await trainIn(engine, { folder, step }, { optimization });
  const first = await trainIn(engine, { folder, step }, { optimization: { ...optimization, steps: 2 } });
  const model = { load_checkpoint: first.summary.checkpoint };
  const second = await trainIn(engine, { folder, step }, { optimization, model });
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

test("video and audio train together", async () => {
  const { folder, step } = await project("text_to_video_with_audio");
  const lora = { target_modules: ["to_q", "audio_ff.net.2"] };
  const { losses, summary } = await trainIn(engine, { folder, step }, { lora });
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

test("heads without a state are loaded from their file, and start anew with a warning where it is missing", async () => {
  const { folder, step } = await project("inpainting");
  const own = withHeads(step);
  const optimization = { steps: 1, learning_rate: 1e-12 };
  const { summary } = await trainIn(engine, { folder, step: own }, { optimization });
  const heads = "checkpoints/heads_00001.safetensors";
  const values = async (output: string) =>
    Array.from((await readTensorFile(join(folder, output, heads))).tensors.values(), ({ data }) => [...data]);
  const saved = await values("outputs");
  const checkpoints = { no_resume: true };
  const again = (output_dir: string) =>
    trainIn(
      engine,
      { folder, step: own },
      { optimization, checkpoints, model: { load_checkpoint: summary.checkpoint } },
      { seed: 7, output_dir },
    );
  const loaded = await again("loaded");
  assert.equal(loaded.loading, []);
  assert.equal(await values("loaded"), saved);
  await rm(join(folder, "outputs", heads));
  const { loading } = await again("anew");
  assert.match(
    loading.join(),
    /^LTX6313 the strategy's heads start anew \(outputs\.aligned\.weight, outputs\.aligned\.bias\)/,
  );
  assert.not.equal(await values("anew"), saved);
});

test("a tap beyond the model's blocks is found before the run", async () => {
  const { folder, step } = await project("inpainting");
  const beyond = withHeads(step, [{ name: "late", kind: "tap", modality: "video", block: 9 }]);
  assert.equal(await findingsOf(preflight(configOf(folder, "inpainting"), beyond)), ["LTX6217 training_strategy.name"]);
});

test("a full training changes all weights that it feeds, and leaves a checkpoint to build on", async () => {
  const { folder, step } = await project("text_to_video");
  const { summary, losses, tensors } = await trainIn(engine, { folder, step }, full);
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
  assert.equal(await findingsOf(trainIn(engine, { folder, step }, { model })), ["LTX6342 model.model_path"]);
  assert.is((await trainIn(engine, { folder, step }, { model }, { output_dir: "lora" })).losses.length, 4);
});

test.run();
