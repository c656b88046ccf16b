import { suite } from "uvu";
import * as assert from "uvu/assert";
import { transformerLayout } from "../model/parameters.ts";
import { tinyConfig } from "../testing/tiny-model.ts";
import { readKey } from "./keys.ts";
import { diffusersModule, moduleNamed } from "./modules.ts";

const test = suite("names of LTX-2's layers");
const linears = [...new Set(transformerLayout(tinyConfig({ num_layers: 12 })).flatMap(({ linear }) => linear ?? []))];

test("every layer is found by its official name, diffusers' name, and both with underscores", () => {
  assert.ok(linears.length > 200);
  for (const name of linears) {
    const theirs = diffusersModule(name);
    for (const way of [name, theirs, name.replaceAll(".", "_"), theirs.replaceAll(".", "_")])
      assert.is(moduleNamed(way), name, way);
  }
});

test("other names are not guessed at", () => {
  for (const name of [
    "",
    "blocks.0.attn1.to_q",
    "transformer_blocks.0.attn1",
    "transformer_blocks.00.attn1.to_q",
    "transformer_blocks_0.attn1.to_q",
    "toString",
    "transformer_blocks.0.constructor",
  ])
    assert.is(moduleNamed(name), null, name);
  assert.is(moduleNamed("my_layer", new Set(["my.layer"])), "my.layer");
});

test("keys are read in every way that programs write them", () => {
  const layer = "transformer_blocks.3.attn2.to_out.0";
  const flat = layer.replaceAll(".", "_");
  for (const [key, part] of [
    [`${layer}.lora_A.weight`, "a"],
    [`diffusion_model.${layer}.lora_B.weight`, "b"],
    [`model.diffusion_model.${layer}.lora_up.weight`, "b"],
    [`base_model.model.${layer}.lora_A.default.weight`, "a"],
    [`base_model.model.diffusion_model.${layer}.lora_A.weight`, "a"],
    [`transformer.${layer}.lora.down.weight`, "a"],
    [`transformer.${layer}.lora_B`, "b"],
    [`pipe.dit.${layer}.lora_A.default.weight`, "a"],
    [`lora_unet_${flat}.lora_down.weight`, "a"],
    [`lora_unet_${flat}.alpha`, "alpha"],
    [`lora_transformer_${flat}.lora_up.weight`, "b"],
    [`lycoris_${flat}.alpha`, "alpha"],
    [`diffusion_model.${layer}.alpha`, "alpha"],
    [`module.${layer}.lora_linear_layer.up.weight`, "b"],
  ] as const) {
    const read = readKey(key);
    assert.equal(read.kind === "adapter" && [read.module, read.part], [layer, part], key);
  }
  assert.is(readKey("diffusion_model.text_embedding_projection.aggregate_embed.lora_A.weight").kind, "other-model");
  assert.is(readKey("diffusion_model.blocks.0.q.lora_A.weight").kind, "unknown");
});

test.run();
