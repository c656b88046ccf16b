import { homedir } from "node:os";
import runConfigSchema from "../../schemas/train.schema.json" with { type: "json" };
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { defaultFlowMatching } from "../random/samplers.ts";
import { resolveConfig, resolveParams, strategyOf, toOfficial, unknownStrategy } from "./index.ts";

const test = suite("run config");
const minimal = { model: { model_path: "ltx.safetensors" }, lora: {}, data: { preprocessed_data_root: "data" } };
const resolve = (raw: unknown) => resolveConfig(raw, { configDirectory: "/project" });
/** `code path` of each finding. */
const codes = (raw: unknown) => resolve(raw).findings.map(({ code, path }) => `${code} ${path.join(".")}`);
const messages = (raw: unknown) => resolve(raw).findings.map(({ message }) => message);

test("fills in the documented defaults", () => {
  const { config, findings } = resolve(minimal);
  assert.equal(findings, []);
  assert.equal(config, {
    model: {
      model_path: "/project/ltx.safetensors",
      text_encoder_path: null,
      video_vae_path: null,
      audio_vae_path: null,
      training_mode: "lora",
      load_checkpoint: null,
    },
    lora: { rank: 64, alpha: 64, dropout: 0, target_modules: ["to_k", "to_q", "to_v", "to_out.0"] },
    training_strategy: { name: "text_to_video" },
    optimization: {
      learning_rate: 5e-4,
      steps: 3000,
      batch_size: 2,
      gradient_accumulation_steps: 1,
      max_grad_norm: 1,
      optimizer_type: "adamw",
      scheduler_type: "linear",
      scheduler_params: { start_factor: 1, end_factor: 0.1 },
      enable_gradient_checkpointing: false,
    },
    acceleration: {
      mixed_precision_mode: "bf16",
      quantization: null,
      load_text_encoder_in_8bit: false,
      offload_optimizer_during_validation: false,
    },
    data: { preprocessed_data_root: "/project/data", num_dataloader_workers: 2 },
    validation: {
      samples: [],
      negative_conditions_file: null,
      video_dims: [960, 544, 89],
      frame_rate: 24,
      seed: 42,
      inference_steps: 30,
      interval: 100,
      video_cfg_scale: 3,
      audio_cfg_scale: 7,
      video_stg_scale: 1,
      audio_stg_scale: 1,
      stg_blocks: [28],
      guidance_rescale: 0.7,
      video_modality_guidance_scale: 3,
      audio_modality_guidance_scale: 3,
      generate_audio: true,
      generate_video: true,
      skip_initial_validation: false,
      prompts: [],
      images: null,
      reference_videos: null,
      reference_downscale_factor: 1,
      include_reference_in_output: false,
    },
    checkpoints: {
      interval: null,
      keep_last_n: 1,
      precision: "bfloat16",
      no_resume: false,
      save_training_state: "full",
    },
    hub: { push_to_hub: false, hub_model_id: null },
    flow_matching: {
      timestep_sampling_mode: "shifted_logit_normal",
      timestep_sampling_params: { std: 1, eps: 0.001, uniform_prob: 0.1 },
    },
    wandb: { enabled: false, project: "ltxv-trainer", entity: null, tags: [], log_validation_videos: true },
    seed: 42,
    output_dir: "/project/outputs",
    runtime: {
      engine: "auto",
      provider: "auto",
      torch: null,
      threads: null,
      resume_anyway: false,
      ignore_memory: false,
      offload: "auto",
      datasets: {},
      networks: {},
      ltx_trainer: null,
      processes: 1,
      lora: { blocks: null },
      optimization: {
        optimizer: null,
        optimizer_params: {},
        weight_decay: null,
        warmup_steps: 0,
        groups: [],
        ema_decay: null,
        evaluate_ema: false,
      },
    },
    evaluation: { samples: 0, interval: 100, sigmas: [0.1, 0.3, 0.5, 0.7, 0.9], keep_best: false },
  });
  assert.equal(config?.flow_matching, defaultFlowMatching);
});

test("takes numbers that a YAML 1.1 loader reads as text, and its words for true and false", () => {
  const optimization = { learning_rate: "1e-4", steps: "20", batch_size: 2.0 };
  const { config } = resolve({
    ...minimal,
    optimization,
    checkpoints: { no_resume: "yes" },
    wandb: { enabled: "Off" },
  });
  assert.is(config?.optimization.learning_rate, 1e-4);
  assert.is(config?.optimization.steps, 20);
  assert.is(config?.checkpoints.no_resume, true);
  assert.is(config?.wandb.enabled, false);
});

test("judges text that stands for a number like the number", () => {
  assert.equal(messages({ ...minimal, lora: { rank: "1" }, optimization: { steps: "2.5", learning_rate: "fast" } }), [
    "`lora.rank` must be at least 2, not 1",
    '`optimization.learning_rate` must be a number, not "fast"',
    '`optimization.steps` must be a whole number, not "2.5"',
  ]);
});

test("finds all mistakes at once, each with its place", () => {
  const raw = {
    model: { model_path: 3, training_mode: "both" },
    lora: { rnk: 4, target_modules: [""] },
    optimizaton: {},
    optimization: { steps: 0, learning_rate: null },
    validation: { video_dims: [1, 2], samples: [{ promt: "a" }] },
    flow_matching: [],
  };
  assert.equal(codes(raw), [
    "LTX6001 optimizaton",
    "LTX6004 ",
    "LTX6002 model.model_path",
    "LTX6002 model.training_mode",
    "LTX6001 lora.rnk",
    "LTX6003 lora.target_modules.0",
    "LTX6002 optimization.learning_rate",
    "LTX6003 optimization.steps",
    "LTX6001 validation.samples.0.promt",
    "LTX6003 validation.video_dims",
    "LTX6002 flow_matching",
  ]);
  assert.is(resolve(raw).config, null);
  assert.is(resolve(raw).findings[0]?.help, "did you mean `optimization`?");
});

test("is not confused by keys of every object", () => {
  assert.equal(codes({ ...minimal, constructor: 1, lora: JSON.parse('{"__proto__": 1, "toString": 2}') }), [
    "LTX6001 constructor",
    "LTX6001 lora.__proto__",
    "LTX6001 lora.toString",
  ]);
});

test("a run config that is no mapping is a finding", () => {
  for (const raw of [null, [], "x", 3]) assert.equal(codes(raw), ["LTX6002 "]);
});

test("paths start at the config file's folder; ~ is the home folder", () => {
  const { config } = resolve({ ...minimal, output_dir: "~/runs", data: { preprocessed_data_root: "/abs/data" } });
  assert.is(config?.output_dir, `${homedir()}/runs`);
  assert.is(config?.data.preprocessed_data_root, "/abs/data");
});

test("the sampler's and the schedule's parameters are those of the chosen one", () => {
  const bad = { timestep_sampling_mode: "uniform", timestep_sampling_params: { std: 1, min_value: 2 } };
  assert.equal(codes({ ...minimal, flow_matching: bad }), [
    "LTX6001 flow_matching.timestep_sampling_params.std",
    "LTX6003 flow_matching.timestep_sampling_params.min_value",
    "LTX6008 flow_matching.timestep_sampling_params",
  ]);
  assert.equal(codes({ ...minimal, optimization: { scheduler_params: { start_factor: 0, gamma: 1 } } }), [
    "LTX6001 optimization.scheduler_params.gamma",
    "LTX6003 optimization.scheduler_params.start_factor",
  ]);
});

test("older settings become new ones, with a warning", () => {
  const validation = {
    guidance_scale: 4,
    stg_scale: 2,
    stg_mode: "stg_v",
    prompts: ["a", "b"],
    images: ["1.png", "2.png"],
  };
  const { config, findings } = resolve({ ...minimal, validation });
  assert.equal([config?.validation.video_cfg_scale, config?.validation.audio_cfg_scale], [4, 4]);
  assert.equal([config?.validation.video_stg_scale, config?.validation.audio_stg_scale], [2, 0]);
  assert.equal(config?.validation.samples[1]?.conditions, [{ type: "first_frame", image_or_video: "/project/2.png" }]);
  assert.equal(config?.validation.prompts, ["a", "b"]);
  assert.equal(
    findings.map(({ code, severity }) => `${code} ${severity}`),
    ["LTX6007 warning", "LTX6007 warning", "LTX6007 warning", "LTX6006 warning"],
  );
});

test("settings that were removed are warnings, and go", () => {
  const raw = {
    ...minimal,
    validation: { videos_per_prompt: 2 },
    acceleration: { compile_with_inductor: true, compilation_mode: "default" },
  };
  const { config, findings } = resolve(raw);
  assert.equal(
    findings.map(({ code, severity, path }) => `${code} ${severity} ${path.join(".")}`),
    [
      "LTX6011 warning validation.videos_per_prompt",
      "LTX6011 warning acceleration.compile_with_inductor",
      "LTX6011 warning acceleration.compilation_mode",
    ],
  );
  const names = Object.keys({ ...config?.validation, ...config?.acceleration });
  assert.not.ok(["videos_per_prompt", "compile_with_inductor", "compilation_mode"].some((key) => names.includes(key)));
});

test("an older setting with a wrong value is refused under the name that was written", () => {
  const validation = { guidance_scale: "high", stg_scale: -1, stg_mode: "stg_a", prompts: [1] };
  assert.equal(codes({ ...minimal, validation }), [
    "LTX6002 validation.prompts.0",
    "LTX6002 validation.guidance_scale",
    "LTX6003 validation.stg_scale",
    "LTX6002 validation.stg_mode",
  ]);
});

test("older settings that contradict new ones are refused", () => {
  const validation = { guidance_scale: 4, video_cfg_scale: 2, stg_mode: "stg_v", audio_stg_scale: 1 };
  assert.equal(codes({ ...minimal, validation }), ["LTX6008 validation.guidance_scale", "LTX6008 validation.stg_mode"]);
});

test("settings that are wrong together are refused", () => {
  const raw = {
    model: { model_path: "https://host/ltx.safetensors" },
    data: minimal.data,
    hub: { push_to_hub: true },
    validation: { prompts: ["a"], images: [] },
  };
  const errors = resolve(raw).findings.filter(({ severity }) => severity === "error");
  assert.equal(
    errors.map(({ code, path }) => `${code} ${path.join(".")}`),
    ["LTX6009 model.model_path", "LTX6008 model", "LTX6008 validation.images", "LTX6008 hub"],
  );
});

test("defaults of a schedule follow the number of steps, and too few steps leave nothing for them", () => {
  const optimization = (scheduler_type: string, steps: number, scheduler_params = {}) => ({
    ...minimal,
    optimization: { scheduler_type, steps, scheduler_params },
  });
  const params = (raw: unknown) => resolve(raw).config?.optimization.scheduler_params;
  assert.equal(params(optimization("cosine_with_restarts", 42)), { T_0: 10, T_mult: 1, eta_min: 5e-5 });
  assert.equal(params(optimization("step", 7, { gamma: "5e-1" })), { step_size: 3, gamma: 0.5 });
  assert.equal(codes(optimization("cosine_with_restarts", 3)), ["LTX6003 optimization.scheduler_params.T_0"]);
  assert.equal(codes(optimization("step", 1)), ["LTX6003 optimization.scheduler_params.step_size"]);
  assert.equal(codes(optimization("polynomial", 9, { power: -1, T_max: 3 })), [
    "LTX6001 optimization.scheduler_params.T_max",
    "LTX6003 optimization.scheduler_params.power",
  ]);
});

test("says before the run what this version does not do", () => {
  const raw = {
    ...minimal,
    model: { ...minimal.model, training_mode: "full" },
    lora: { rank: 4 },
    optimization: { enable_gradient_checkpointing: true },
    acceleration: { quantization: "int2-quanto", mixed_precision_mode: "fp16" },
    wandb: { enabled: true },
    hub: { push_to_hub: true, hub_model_id: "me/lora" },
  };
  assert.equal(
    resolve(raw).findings.map(({ code, path }) => `${code} ${path.at(-1)}`),
    ["LTX6005 quantization", "LTX6006 lora", "LTX6006 mixed_precision_mode", "LTX6006 push_to_hub", "LTX6006 enabled"],
  );
});

test("parameters of a constant rate are accepted, as the official trainer does, and said to be without effect", () => {
  const optimization = { scheduler_type: "constant", scheduler_params: { end_factor: 0.1 } };
  assert.equal(codes({ ...minimal, optimization }), ["LTX6006 optimization.scheduler_params"]);
});

test("the official switch for audio chooses the strategy with audio", () => {
  const p = { first_frame_conditioning_p: 0.2 };
  assert.equal(strategyOf({ name: "text_to_video", with_audio: true, audio_latents_dir: "a", ...p }), {
    name: "text_to_video_with_audio",
    params: { ...p, audio_latents_dir: "a" },
  });
  assert.equal(strategyOf({ name: "text_to_video", with_audio: false, audio_latents_dir: "a", ...p }), {
    name: "text_to_video",
    params: p,
  });
  const official = { name: "text_to_video", with_audio: true, ...p };
  assert.equal(toOfficial(official, strategyOf(official)), official);
  assert.equal(strategyOf({ name: "mine", with_audio: true }), { name: "mine", params: { with_audio: true } });
});

test("a strategy's parameters are filled in and judged by its own schema", () => {
  const strategy = {
    name: "inpainting",
    params: {
      properties: {
        mask_latents_dir: { type: "string", default: "mask_latents" },
        mask_threshold: { type: "number", default: 0.5, minimum: 0, maximum: 1 },
        kind: { enum: ["hard", "soft"] },
      },
      required: ["kind"],
    },
  };
  const good = resolveParams(strategy, { mask_threshold: "0.25", kind: "soft" });
  assert.equal(good, {
    params: { mask_latents_dir: "mask_latents", mask_threshold: 0.25, kind: "soft" },
    findings: [],
  });
  const bad = resolveParams(strategy, { mask_threshold: 2, mask_treshold: 1, mask_latents_dir: 1 });
  assert.equal(
    bad.findings.map(({ code, path, help }) => `${code} ${path.join(".")} ${help?.split(": YAML")[0] ?? ""}`.trim()),
    [
      "LTX6001 training_strategy.mask_treshold did you mean `mask_threshold`?",
      "LTX6004 training_strategy write `kind:` and its value",
      "LTX6002 training_strategy.mask_latents_dir put it in quotes if it is text",
      "LTX6003 training_strategy.mask_threshold",
    ],
  );
});

test("texts, steps and lists of parameters keep to their schema", () => {
  const properties = {
    dir: { type: "string", pattern: "^zzz$" },
    short: { type: "string", minLength: 2, maxLength: 3 },
    size: { type: "integer", multipleOf: 32 },
    share: { type: "number", multipleOf: 0.1 },
    edges: { type: "array", uniqueItems: true, items: { type: "number" } },
  };
  const found = (params: Readonly<Record<string, unknown>>) =>
    resolveParams({ name: "mine", params: { properties } }, params).findings.map(({ code, path, message }) =>
      [code, path.at(-1), message].join(" "),
    );
  assert.equal(found({ dir: "zzz", short: "äöü", size: 64, share: 0.3, edges: [1, 2] }), []);
  assert.equal(found({ dir: "masks", short: "abcd", size: 48, share: 0.25, edges: [1, 1] }), [
    'LTX6003 dir `training_strategy.dir` must match the pattern `^zzz$`, and "masks" does not',
    "LTX6003 short `training_strategy.short` must have at most 3 characters",
    "LTX6003 size `training_strategy.size` must be a multiple of 32, not 48",
    "LTX6003 share `training_strategy.share` must be a multiple of 0.1, not 0.25",
    "LTX6003 edges `training_strategy.edges` has the same entry twice",
  ]);
  assert.equal(found({ short: "a" }), ["LTX6003 short `training_strategy.short` must have at least 2 characters"]);
});

test("a value that is none of the choices is answered with the one that is meant", () => {
  const helps = (raw: unknown) => resolve(raw).findings.flatMap(({ code, help }) => (code === "LTX6002" ? [help] : []));
  assert.equal(helps({ optimization: { scheduler_type: "cosin" } }), ["did you mean `cosine`?"]);
  const provider = "it is a provider of the engines `onnx` and `torch`: write `engine: auto` and `provider: cuda`";
  assert.equal(helps({ runtime: { engine: "cuda" } }), [provider]);
});

test("words and digits that YAML does not read as text belong in quotes", () => {
  const helpsOf = (raw: unknown) =>
    resolve(raw).findings.map(({ code, path, help = "" }) => [code, path.join("."), help]);
  for (const value of [false, 8]) {
    const [found] = helpsOf({ ...minimal, output_dir: value });
    assert.equal(found?.slice(0, 2), ["LTX6002", "output_dir"]);
    assert.match(found?.[2] ?? "", /^put it in quotes if it is text/);
  }
  assert.equal(helpsOf({ ...minimal, output_dir: ["x"] }), [["LTX6002", "output_dir", ""]]);
  for (const value of [1.5, true])
    assert.equal(helpsOf({ ...minimal, optimization: { batch_size: value } }), [
      ["LTX6002", "optimization.batch_size", ""],
    ]);
});

test("a whole number that would be rounded is a finding", () => {
  assert.equal(codes({ ...minimal, seed: 2 ** 53 }), ["LTX6003 seed"]);
  assert.equal(codes({ ...minimal, seed: 2 ** 53 - 1 }), []);
});

test("an unknown strategy is named with what there is", () => {
  assert.is(unknownStrategy("inpaintng", ["inpainting"]).help, "did you mean `inpainting`?");
  assert.match(unknownStrategy("my/inpainting.strategy", ["inpainting"]).help ?? "", /^write `inpainting`/);
  assert.match(unknownStrategy("mine.strategy", ["inpainting"]).help ?? "", /stands behind `strategy:`/);
  assert.match(unknownStrategy("other", ["inpainting"]).help ?? "", /there are: inpainting/);
});

test("the schema's texts whose default is null name null first, without which the YAML language server completes nothing", () => {
  const wrong = (schema: unknown, path: string): string[] => {
    if (typeof schema !== "object" || schema === null) return [];
    const { type, default: value } = schema as { type?: unknown; default?: unknown };
    const own = Array.isArray(type) && type[0] === "string" && value === null ? [path] : [];
    return [...own, ...Object.entries(schema).flatMap(([key, below]) => wrong(below, `${path}/${key}`))];
  };
  assert.equal(wrong(runConfigSchema, ""), []);
});

test.run();
