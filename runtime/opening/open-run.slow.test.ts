import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { readTensorFile } from "../checkpoints/tensor-file.ts";
import type { Step } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { writeSafetensors, type OutputTensor } from "../files/safetensors/index.ts";
import type { TrainEvent } from "../metrics/events.ts";
import {
  configOf,
  full,
  growth,
  messagesOf,
  targets,
  trainIn,
  withHeads,
  type Settings,
} from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { train } from "../train.ts";
import { openRun } from "./open-run.ts";

const test = suite("whole runs");
const newFolder = temporaryFolders(test, "open-run-slow");
const { engine } = await openEngine("wasm");

async function project(name: string): Promise<{ readonly folder: string; readonly step: Step }> {
  const folder = await newFolder();
  return { folder, step: await compiledProject(folder, name) };
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test("a compiled strategy trains on files in the official layout, and leaves no tensor behind", async () => {
  const { folder, step } = await project("inpainting");
  const before = engine.memory().tensors;
  const { losses, tensors, warnings } = await trainIn(engine, { folder, step }, { optimization: { steps: 40 } });
  assert.equal(warnings, []);
  assert.ok(mean(losses.slice(-10)) < 0.9 * mean(losses.slice(0, 10)), losses.join());
  assert.is(new Set(tensors.slice(5)).size, 1, tensors.join());
  assert.is(engine.memory().tensors, before);
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

test("heads are trained and saved beside the adapters; a run that was resumed equals one that was not", async () => {
  const { folder, step } = await project("inpainting");
  const before = engine.memory().tensors;
  const optimization = { steps: 4, scheduler_type: "constant" };
  const own = withHeads(step);
  const whole = await trainIn(engine, { folder, step: own }, { optimization });
  const weights = (name: string) => readFile(join(folder, "outputs/checkpoints", name));
  const last = [await weights("heads_00004.safetensors"), await weights("lora_weights_step_00004.safetensors")];
  const first = await trainIn(engine, { folder, step: own }, { optimization: { ...optimization, steps: 2 } });
  assert.not.equal(await weights("heads_00002.safetensors"), last[0]);
  const model = { load_checkpoint: first.summary.checkpoint };
  const second = await trainIn(engine, { folder, step: own }, { optimization, model });
  assert.equal([...first.losses, ...second.losses], whole.losses);
  assert.equal([await weights("heads_00004.safetensors"), await weights("lora_weights_step_00004.safetensors")], last);
  assert.ok((whole.losses[3] ?? NaN) < (whole.losses[0] ?? NaN));
  assert.is(engine.memory().tensors, before);

  const { tensors } = await readTensorFile(join(folder, "outputs/checkpoints/heads_00004.safetensors"));
  assert.equal([...tensors.keys()], ["outputs.aligned.weight", "outputs.aligned.bias"]);
  const lora = await readTensorFile(whole.summary.checkpoint);
  assert.not([...lora.tensors.keys()].some((name) => name.includes("outputs")));
});

test("a full training that was resumed equals one that never stopped", async () => {
  const [whole, parts] = [await project("text_to_video"), await project("text_to_video")];
  const steady = { ...full, optimization: { scheduler_type: "constant" } };
  const expected = await trainIn(engine, whole, steady);
  await trainIn(engine, parts, { ...steady, optimization: { scheduler_type: "constant", steps: 2 } });
  const model = { training_mode: "full", load_checkpoint: "outputs" };
  const resumed = await trainIn(engine, parts, { ...steady, model });
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
  const { losses, loading } = await trainIn(engine, { folder, step }, load("bare_step_7.safetensors"));
  assert.is(losses.length, 4);
  assert.equal(
    loading.map((text) => text.slice(0, 7)),
    ["LTX6309"],
  );
  await writeSafetensors(
    join(folder, "cut.safetensors"),
    bare.filter(({ name }) => name !== "proj_out.bias"),
  );
  const messages = await messagesOf(trainIn(engine, { folder, step }, load("cut.safetensors"), { output_dir: "cut" }));
  assert.is(messages.length, 1);
  assert.match(messages[0] ?? "", "has no proj_out.bias");
});

test("blocks that are computed again train to the same weights: adapters with dropout, both streams, and all weights", async () => {
  const { folder, step } = await project("text_to_video_with_audio");
  const lora = {
    lora: { dropout: 0.3, target_modules: [...targets, "adaln_single.linear", "audio_to_video_attn.to_v"] },
  };
  for (const settings of [lora, { model: { training_mode: "full" } }]) {
    const expected = await trainIn(engine, { folder, step }, settings);
    const optimization = { enable_gradient_checkpointing: true };
    const { losses, tensors } = await trainIn(engine, { folder, step }, { ...settings, optimization });
    losses.forEach((loss, i) =>
      assert.ok(Math.abs(loss - (expected.losses[i] ?? NaN)) < 1e-5, `step ${i + 1}: ${loss}`),
    );
    assert.equal(growth(tensors), [6, 6, 6]);
  }
});

test.run();
