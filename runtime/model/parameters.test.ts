// Small functions stand in the test that they serve.
/* oxlint-disable unicorn/consistent-function-scoping */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ConfigSection } from "./config-reader.ts";
import { connectorLayout, transformerLayout, type Parameter } from "./parameters.ts";
import { readConnectorConfig } from "./connector-config.ts";
import { tinyConfig } from "../testing/tiny-model.ts";

const test = suite("layout");

const published: ConfigSection = {
  num_layers: 48,
  num_attention_heads: 32,
  attention_head_dim: 128,
  cross_attention_dim: 4096,
  in_channels: 128,
  out_channels: 128,
  audio_num_attention_heads: 32,
  audio_attention_head_dim: 64,
  audio_cross_attention_dim: 2048,
  audio_in_channels: 128,
  audio_out_channels: 128,
};
const ltx2 = {
  ...published,
  caption_proj_before_connector: false,
  caption_channels: 3840,
  apply_gated_attention: false,
  cross_attention_adaln: false,
};
const ltx23 = published;
const ltx25 = { ...published, ff_bias: false, use_keyframes_abs_pos_embedding: true };

function parametersIn(layout: readonly Parameter[]): number {
  return layout.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

function names(changes: ConfigSection): string[] {
  return transformerLayout(tinyConfig(changes)).map(({ name }) => name);
}

test("tensors and parameters of the published generations", () => {
  const generations = [
    [ltx2, 54, 72, 18_876_174_592],
    [ltx23, 58, 86, 18_988_838_144],
    [ltx25, 59, 84, 18_987_859_200],
  ] as const;
  for (const [section, top, perBlock, parameters] of generations) {
    const layout = transformerLayout(tinyConfig(section));
    const inBlocks = layout.filter(({ name }) => name.startsWith("transformer_blocks."));
    assert.is(layout.length - inBlocks.length, top);
    assert.is(inBlocks.length, 48 * perBlock);
    assert.is(parametersIn(layout), parameters);
    assert.is(new Set(layout.map(({ name }) => name)).size, layout.length);
  }
});

test("the connectors of LTX-2 and 2.3", () => {
  const size = (section: ConfigSection, stream: "video" | "audio") => {
    const { config } = readConnectorConfig(section, stream);
    if (config === null) throw new Error("refused");
    return parametersIn(connectorLayout(config, stream));
  };
  assert.is(size({}, "video"), 354_470_400);
  const later = {
    connector_num_attention_heads: 32,
    connector_num_layers: 8,
    connector_apply_gated_attention: true,
    audio_connector_attention_head_dim: 64,
  };
  assert.is(size(later, "video"), 1_612_546_304);
  assert.is(size(later, "audio"), 403_620_096);
});

test("each stream's feed-forward has its own bias flag", () => {
  const video = new Set(names({ ff_bias: false }));
  assert.not(video.has("transformer_blocks.0.ff.net.2.bias"));
  assert.ok(video.has("transformer_blocks.0.audio_ff.net.2.bias"));
  const audio = new Set(names({ audio_ff_bias: false }));
  assert.ok(audio.has("transformer_blocks.0.ff.net.0.proj.bias"));
  assert.not(audio.has("transformer_blocks.0.audio_ff.net.0.proj.bias"));
});

test("one stream alone has neither the other's tensors nor the cross-modal ones", () => {
  const video = transformerLayout(tinyConfig({}, "video-only"));
  assert.ok(video.every(({ stream, name }) => stream === "video" && !name.includes("audio")));
  const audio = transformerLayout(tinyConfig({}, "audio-only"));
  assert.ok(audio.every(({ stream, name }) => stream === "audio" && name.includes("audio")));
});

test("prompt tables stay without their MLP; the keyframe embedding belongs to its flag", () => {
  const without = names({ use_prompt_adaln_single: false });
  assert.not(without.some((name) => name.includes("prompt_adaln_single")));
  assert.ok(without.includes("transformer_blocks.0.audio_prompt_scale_shift_table"));
  assert.not(names({}).includes("keyframes_abs_pos_embedding"));
  assert.ok(names({ use_keyframes_abs_pos_embedding: true }).includes("keyframes_abs_pos_embedding"));
});

test.run();
