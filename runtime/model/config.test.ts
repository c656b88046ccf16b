import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkContextWidths, readTransformerConfig, type ModelType } from "./config.ts";
import { readConnectorConfig } from "./connector-config.ts";
import type { ConfigSection } from "./config-reader.ts";
import { tinyConfig, tinySection } from "../testing/tiny-model.ts";

const test = suite("config");

/** Codes and messages of a refusal, without their help. */
function refusals(changes: ConfigSection, type: ModelType = "audio-video"): string[] {
  return readTransformerConfig(tinySection(changes), type).findings.map(({ code, message }) => `${code} ${message}`);
}

test("every key with a fixed value is checked, and absent ones too", () => {
  const wrong: ConfigSection = {
    dropout: 0.1,
    attention_bias: false,
    num_vector_embeds: 3,
    activation_fn: "gelu",
    num_embeds_ada_norm: 999,
    use_linear_projection: true,
    only_cross_attention: true,
    cross_attention_norm: false,
    double_self_attention: true,
    upcast_attention: true,
    standardization_norm: "layer_norm",
    norm_elementwise_affine: true,
    qk_norm: null,
    positional_embedding_type: "sinusoidal",
    use_middle_indices_grid: false,
    use_audio_video_cross_attention: false,
    share_ff: true,
    av_cross_ada_norm: false,
  };
  for (const [key, value] of Object.entries(wrong)) {
    const [finding, ...more] = refusals({ [key]: value });
    assert.match(finding ?? "", new RegExp(`^LTX6201 .* ${key} = `), key);
    assert.equal(more, []);
    assert.is(refusals({ [key]: undefined }).length, key === "num_vector_embeds" ? 0 : 1, `${key} absent`);
  }
  assert.is(refusals(wrong).length, Object.keys(wrong).length);
  assert.equal(refusals({ dropout: 0.1 }), ["LTX6201 the checkpoint's config has dropout = 0.1, expected 0"]);
});

test("numbers and booleans compare by their value", () => {
  assert.equal(refusals({ dropout: false, attention_bias: 1, only_cross_attention: 0 }), []);
});

test("keys of both streams do not matter to one stream alone", () => {
  const none = { use_audio_video_cross_attention: undefined, share_ff: true, audio_num_attention_heads: undefined };
  assert.equal(refusals(none, "video-only"), []);
  assert.is(refusals(none).length, 3);
});

test("head counts must be equal and both be written down", () => {
  assert.equal(refusals({ audio_num_attention_heads: 4 }), [
    "LTX6201 the checkpoint's config has num_attention_heads = 2, expected 4",
  ]);
  assert.equal(refusals({ audio_num_attention_heads: undefined, num_attention_heads: undefined }), [
    "LTX6201 the checkpoint's config has audio_num_attention_heads = nothing, expected 32",
  ]);
  assert.is(refusals({ num_attention_heads: undefined }).length, 1);
});

test("caption projections need keys without defaults, and these are reported first", () => {
  const own = { caption_proj_before_connector: undefined, caption_channels: 5 };
  assert.equal(refusals(own), []);
  const missing = { ...own, caption_channels: undefined, attention_head_dim: undefined, dropout: 1 };
  assert.equal(
    refusals(missing).map((text) => text.slice(0, 7)),
    ["LTX6202", "LTX6202", "LTX6201"],
  );
  assert.is(refusals({ ...own, num_attention_heads: undefined }, "audio-only").length, 1);
  assert.equal(refusals({ ...own, audio_attention_head_dim: undefined }, "video-only"), []);
});

test("values that make no sense are refused once each", () => {
  const [heads, rope, ...more] = refusals({ num_layers: 1.5, rope_type: "spiral" }).toSorted();
  assert.is(heads, "LTX6203 the checkpoint's config has num_layers = 1.5, expected a positive whole number");
  assert.is(rope, 'LTX6203 the checkpoint\'s config has rope_type = "spiral", expected "split" or "interleaved"');
  assert.equal(more, []);
  assert.is(refusals({ positional_embedding_max_pos: [20, 2048] }).length, 1);
  assert.is(refusals({ ff_bias: "no" }).length, 1);
  assert.is(refusals({ caption_proj_before_connector: false, caption_channels: 3, attention_head_dim: "6" }).length, 1);
});

test("defaults", () => {
  const { config } = readTransformerConfig(
    Object.fromEntries(
      Object.entries(tinySection()).filter(
        ([key]) => !/num_|dim|channels|layers|apply|adaln|av_ca|freq/.test(key) || key.includes("embeds"),
      ),
    ),
    "video-only",
  );
  assert.equal(config?.video, {
    heads: 32,
    headDim: 128,
    width: 4096,
    inChannels: 128,
    outChannels: 128,
    contextWidth: 4096,
    maxPos: [20, 2048, 2048],
    ffBias: true,
  });
  assert.equal(config?.rope, { type: "split", double: false });
  assert.is(config?.layers, 48);
  assert.is(config?.timestepScale, 1000);
  assert.equal(
    [config?.gatedAttention, config?.crossAttentionAdaln, config?.keyframesEmbedding],
    [false, false, false],
  );
  assert.is(tinyConfig({ av_ca_timestep_scale_multiplier: undefined }).cross?.timestepScale, 1);
});

test("the audio-only model does not read three keys", () => {
  const changes = { positional_embedding_theta: 500, use_prompt_adaln_single: false, audio_ff_bias: false };
  const both = tinyConfig(changes);
  assert.equal([both.theta, both.promptAdaln, both.audio?.ffBias, both.video?.ffBias], [500, false, false, true]);
  const audio = tinyConfig(changes, "audio-only");
  assert.equal([audio.theta, audio.promptAdaln, audio.audio?.ffBias], [10000, true, true]);
  assert.is(audio.video, null);
});

test("only the exact word turns the float64 grid on", () => {
  assert.is(tinyConfig().rope.double, true);
  assert.is(tinyConfig({ frequencies_precision: "Float64" }).rope.double, false);
  assert.is(tinyConfig({ frequencies_precision: undefined }).rope.double, false);
});

test("a context of another width than its stream is refused", () => {
  const [finding] = checkContextWidths(tinyConfig({ audio_cross_attention_dim: 10 }), ["model", "model_path"]);
  assert.match(finding?.message ?? "", /audio_cross_attention_dim = 10, but its stream is 8 wide/);
  assert.equal(finding?.path, ["model", "model_path"]);
  assert.equal(checkContextWidths(tinyConfig(), []), []);
});

test("the audio connector falls back to the video connector's sizes", () => {
  const section = {
    connector_num_attention_heads: 3,
    connector_attention_head_dim: 5,
    audio_connector_num_layers: 4,
    connector_ff_bias: false,
  };
  const { config: audio } = readConnectorConfig(section, "audio");
  assert.equal([audio?.heads, audio?.width, audio?.layers, audio?.ffBias, audio?.registers], [3, 15, 4, false, 128]);
  const { config: plain } = readConnectorConfig({}, "audio");
  assert.equal([plain?.heads, plain?.width, plain?.layers, plain?.maxPos], [30, 3840, 2, [1]]);
});

test.run();
