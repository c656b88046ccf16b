import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../../runtime/index.ts";
import { loadModel } from "../../runtime/model/checkpoint.ts";
import { openSafetensors } from "../../runtime/files/index.ts";
import { writeModel } from "./model.ts";

const test = suite<{ folder: string; path: string }>("init model");

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "ltxc-model-"));
  context.path = join(context.folder, "tiny.safetensors");
  await writeModel(context.path);
});

test.after(({ folder }) => rm(folder, { recursive: true }));

test("the tiny model is a complete official checkpoint with nothing left over", async ({ path }) => {
  const { engine } = await openEngine("cpu");
  const model = await loadModel(engine, {
    modelPath: path,
    videoVaePath: null,
    streams: { video: true, audio: true },
  });
  assert.equal(model.warnings, []);
  assert.equal(model.scaleFactors, { time: 8, height: 32, width: 32 });
  assert.is(model.config.type, "audio-video");
  model.dispose();
});

test("its tensors are bf16 and named as in published files", async ({ path }) => {
  const file = await openSafetensors(path);
  const name = "model.diffusion_model.transformer_blocks.1.attn1.to_k.weight";
  assert.equal(file.tensors.get(name)?.shape, [64, 64]);
  assert.equal(new Set([...file.tensors.values()].map(({ dtype }) => dtype)), new Set(["BF16"]));
  assert.ok(file.tensors.has("model.diffusion_model.video_embeddings_connector.learnable_registers"));
  await file.close();
});

test.run();
