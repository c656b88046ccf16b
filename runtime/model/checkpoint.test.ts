// Small functions stand in the test that they serve.
/* oxlint-disable unicorn/consistent-function-scoping */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { writeSafetensors } from "../files/safetensors/index.ts";
import { openEngine } from "../engine/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { loadModel, type LoadedModel, type LoadOptions } from "./checkpoint.ts";
import { host, tinySection, writeTinyFile, type TinyFile } from "../testing/tiny-model.ts";

const test = suite("checkpoint");
const { engine } = await openEngine("cpu");
const folder = mkdtempSync(join(tmpdir(), "ltxc-checkpoint-"));
const path = join(folder, "model.safetensors");
test.after(() => rm(folder, { recursive: true }));

async function load(file: TinyFile, options: Partial<LoadOptions> = {}): Promise<LoadedModel> {
  await writeTinyFile(path, file);
  return loadModel(engine, { modelPath: path, videoVaePath: null, streams: { video: true, audio: true }, ...options });
}

async function refusal(file: TinyFile, options: Partial<LoadOptions> = {}): Promise<readonly Finding[]> {
  const before = engine.memory().tensors;
  const error: unknown = await load(file, options).catch((e: unknown) => e);
  assert.is(engine.memory().tensors, before);
  if (error instanceof FindingsError) return error.findings;
  throw error instanceof Error ? error : new Error("accepted");
}

const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code);

test("published, bare and wrapped names load alike, without warnings", async () => {
  for (const prefix of ["model.diffusion_model.", "", "net.", "module._orig_mod."]) {
    const before = engine.memory().tensors;
    const model = await load({ prefix });
    const weight = model.weights.get("transformer_blocks.0.attn1.to_q.weight");
    if (weight === undefined) throw new Error("not loaded");
    assert.equal((await engine.read(weight)).data, host("transformer_blocks.0.attn1.to_q.weight", [12, 12]).data);
    assert.equal(model.warnings, []);
    assert.equal(model.scaleFactors, { time: 8, height: 32, width: 32 });
    model.dispose();
    assert.is(engine.memory().tensors, before);
  }
});

test("a run without audio loads no audio and no cross-modal weights, and ignores audio features", async () => {
  const model = await load({}, { streams: { video: true, audio: false } });
  assert.not([...model.weights.keys()].some((name) => name.includes("audio") || name.includes("av_ca")));
  assert.ok(model.weights.has("transformer_blocks.0.attn1.to_q.weight"));
  assert.is(model.config.type, "audio-video");
  const features = { video: host("v", [1, 128, 12]), audio: host("a", [1, 128, 8]), mask: host("m", [1, 128]) };
  const contexts = engine.tidy(() => model.embeddings.run(features));
  assert.is(contexts.audio, null);
  engine.dispose(contexts.video, contexts.mask);
  model.dispose();
});

test("missing and misshapen tensors are named, all at once", async () => {
  const findings = await refusal({
    edit: (tensors) =>
      tensors.flatMap((x) => {
        if (x.name.endsWith("attn1.to_q.weight") || x.name.endsWith("video_embeddings_connector.learnable_registers"))
          return [];
        return x.name.endsWith(".proj_out.bias") ? [{ ...x, shape: [2], data: new Float32Array(2) }] : [x];
      }),
  });
  assert.equal(codes(findings), ["LTX6205", "LTX6206"]);
  assert.match(findings[0]?.message ?? "", /lacks 5 of the \d+ tensors/);
  assert.match(findings[0]?.message ?? "", /model\.diffusion_model\.transformer_blocks\.0\.attn1\.to_q\.weight/);
  assert.match(findings[1]?.message ?? "", /proj_out\.bias is \[2\] instead of \[3\]/);
  assert.equal(findings[0]?.path, ["model", "model_path"]);
});

test("what a run does not need may be missing", async () => {
  const edit: TinyFile["edit"] = (tensors) => tensors.filter(({ name }) => !name.includes("audio"));
  const model = await load({ edit }, { streams: { video: true, audio: false } });
  model.dispose();
  assert.equal(codes(await refusal({ edit })), ["LTX6205"]);
});

test("unknown tensors are a warning, those of other parts of the file are not", async () => {
  const extra = (name: string) => ({ name, shape: [1], dtype: "F32" as const, data: new Float32Array(1) });
  const model = await load({
    edit: (tensors) => [...tensors, extra("model.diffusion_model.more"), extra("vae.decoder.x")],
  });
  assert.equal(codes(model.warnings), ["LTX6207"]);
  assert.match(model.warnings[0]?.message ?? "", /has 1 tensors .* model\.diffusion_model\.more/);
  model.dispose();
});

test("the keyframe embedding may be missing though its flag is set", async () => {
  const section = tinySection({ use_keyframes_abs_pos_embedding: true });
  const model = await load({ section, edit: (tensors) => tensors.filter(({ name }) => !name.includes("keyframes")) });
  assert.not(model.weights.has("keyframes_abs_pos_embedding"));
  model.dispose();
});

test("a video pack may call its only connector by its short name", async () => {
  const section = tinySection({ audio_num_attention_heads: undefined });
  const edit: TinyFile["edit"] = (tensors) =>
    tensors.map((x) => ({ ...x, name: x.name.replace("video_embeddings_connector", "embeddings_connector") }));
  const model = await load({ section, edit }, { streams: { video: true, audio: false } });
  assert.is(model.config.type, "video-only");
  model.dispose();
});

test("every mistake in the config is reported at once", async () => {
  const section = tinySection({ dropout: 1, qk_norm: undefined, num_layers: 0, connector_num_layers: -1 });
  assert.equal(codes(await refusal({ section })), ["LTX6201", "LTX6201", "LTX6203", "LTX6203"]);
  assert.equal(codes(await refusal({ section: tinySection({ cross_attention_dim: 13 }) })), ["LTX6203"]);
  const [narrow] = await refusal({ section: tinySection({ connector_attention_head_dim: 4 }) });
  assert.match(narrow?.message ?? "", /video connector 8 channels, but its stream takes 12/);
});

test("files that are no checkpoint", async () => {
  await writeSafetensors(path, [], {});
  const options = { modelPath: path, videoVaePath: null, streams: { video: true, audio: true } };
  const failure = async () => ((await loadModel(engine, options).catch((e: unknown) => e)) as FindingsError).findings;
  assert.equal(codes(await failure()), ["LTX6204"]);
  await writeSafetensors(path, [], { config: "{not json" });
  assert.equal(codes(await failure()), ["LTX6204"]);
  for (const key of ["num_layers", "connector_num_layers", "audio_connector_num_layers"]) {
    await writeSafetensors(path, [], { config: JSON.stringify({ transformer: tinySection({ [key]: 1e9 }) }) });
    const [endless] = await failure();
    assert.match(endless?.message ?? "", /config speaks of 1000000000 layers, and .* has only 0 tensors/);
  }
  await writeSafetensors(path, [], { config: '{"vae": {}}' });
  assert.equal(codes(await failure()), ["LTX6204"]);
});

test("a pack in several files takes its scale factors from the video VAE", async () => {
  const [alone] = await refusal({ sections: {} });
  assert.is(alone?.code, "LTX6208");
  assert.match(alone?.help ?? "", /video_vae_path/);
  const videoVaePath = join(folder, "vae.safetensors");
  await writeSafetensors(videoVaePath, [], { config: '{"vae": {"encoder_blocks": [["compress_all", {}]]}}' });
  const model = await load({ sections: {} }, { videoVaePath });
  assert.equal(model.scaleFactors, { time: 2, height: 8, width: 8 });
  model.dispose();
  await writeSafetensors(videoVaePath, [], { config: '{"audio_vae": {}}' });
  const [wrong] = await refusal({ sections: {} }, { videoVaePath });
  assert.equal([wrong?.code, wrong?.path], ["LTX6208", ["model", "video_vae_path"]]);
});

test.run();
