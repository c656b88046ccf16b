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
  const { negative_conditions_file: _negative, ...validation } = official.validation;
  const samples = validation.samples.map(({ conditions_file: _file, ...sample }) => sample);
  assert.equal(read, {
    ...official,
    validation: { ...validation, samples },
    training_strategy: { name: "inpainting", mask_threshold: 0.5, on: "yes" },
  });
  const again = resolveConfig(read, { configDirectory: "/elsewhere" });
  const strategy = { name: "inpainting", mask_threshold: 0.5, on: "yes" };
  assert.equal(again.config, { ...official, runtime, evaluation, training_strategy: strategy });
});

test("numbers with an exponent have a point, as YAML 1.1 asks", () => {
  const { config } = resolveConfig(raw, { configDirectory: "/" });
  if (config === null) return assert.unreachable("the config is right");
  assert.match(savedConfig(config, { name: "a" }), /^ {2}learning_rate: 1\.0e-7$/m);
});

test("leaves out what stands here in a prompt's place, and samples that have nothing else", () => {
  const samples = [{ conditions_file: "a.pt" }, { prompt: "b", conditions_file: "b.pt" }];
  const own = { ...raw, validation: { samples, negative_conditions_file: "n.pt" } };
  const { config } = resolveConfig(own, { configDirectory: "/" });
  if (config === null) return assert.unreachable("the config is right");
  const { validation } = parse(savedConfig(config, { name: "s" })) as { validation: Record<string, unknown> };
  assert.not.ok("negative_conditions_file" in validation);
  assert.equal(validation["samples"], [{ prompt: "b", conditions: [], video_dims: null, seed: null }]);
});

test("tells in a comment which samples it left out, in ltxc's own form", () => {
  const samples = [{ conditions_file: "a\n.pt" }, { prompt: "b" }];
  const { config } = resolveConfig({ ...raw, validation: { samples } }, { configDirectory: "/" });
  if (config === null) return assert.unreachable("the config is right");
  const comment = savedConfig(config, { name: "s" })
    .split("\n")
    .filter((line) => line.startsWith("# "));
  const read = parse(
    comment
      .slice(2)
      .map((line) => line.slice(2))
      .join("\n"),
  ) as {
    validation: { samples: { conditions_file: string }[] };
  };
  assert.equal(
    read.validation.samples.map(({ conditions_file }) => conditions_file),
    ["/a\n.pt"],
  );
});

test.run();
