import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { resolveConfig } from "../config/index.ts";
import { savedConfig } from "./saved-config.ts";

const test = suite("saved config");
const raw = {
  model: { model_path: "/m: odd #name.safetensors" },
  lora: { target_modules: ["to_k", "attn1.to_q"] },
  data: { preprocessed_data_root: "/data" },
  optimization: { learning_rate: 1e-7 },
  validation: {
    samples: [{ prompt: 'a\n"b" ü', conditions: [{ type: "first_frame", image_or_video: "x.png" }] }, { prompt: "c" }],
  },
};

test("is plain YAML with the official sections, complete, that resolves to the same run", () => {
  const { config } = resolveConfig(raw, { configDirectory: "/" });
  if (config === null) return assert.unreachable("the config is right");
  const read = parse(savedConfig(config, { name: "inpainting", mask_threshold: 0.5, on: "yes" })) as Record<
    string,
    unknown
  >;
  const { runtime, evaluation, training_strategy: _, ...official } = config;
  assert.equal(read, { ...official, training_strategy: { name: "inpainting", mask_threshold: 0.5, on: "yes" } });
  const again = resolveConfig(read, { configDirectory: "/elsewhere" });
  const strategy = { name: "inpainting", mask_threshold: 0.5, on: "yes" };
  assert.equal(again.config, { ...official, runtime, evaluation, training_strategy: strategy });
});

test.run();
