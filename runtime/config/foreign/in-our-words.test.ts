import { suite } from "uvu";
import * as assert from "uvu/assert";
import runConfigSchema from "../../../schemas/train.schema.json" with { type: "json" };
import { resolveConfig, resolveParams } from "../index.ts";
import { foreignSetting } from "./settings.ts";

const test = suite("foreign settings");
const minimal = { model: { model_path: "ltx.safetensors" }, lora: {}, data: { preprocessed_data_root: "data" } };
const found = (raw: object) => resolveConfig({ ...minimal, ...raw }, { configDirectory: "/project" }).findings;
/** The one finding about a config. */
function one(raw: object) {
  const [first, ...more] = found(raw);
  assert.equal(more, []);
  assert.ok(first);
  return first;
}

test("a word of another trainer is answered with the setting and its section", () => {
  const words: Readonly<Record<string, string>> = {
    lr: "optimization.learning_rate",
    r: "lora.rank",
    lora_r: "lora.rank",
    network_dim: "lora.rank",
    lora_alpha: "lora.alpha",
    train_batch_size: "optimization.batch_size",
    per_device_train_batch_size: "optimization.batch_size",
    bs: "optimization.batch_size",
    data_root: "data.preprocessed_data_root",
    dataset: "data.preprocessed_data_root",
    max_steps: "optimization.steps",
    max_train_steps: "optimization.steps",
    save_steps: "checkpoints.interval",
    save_every_n_steps: "checkpoints.interval",
    save_total_limit: "checkpoints.keep_last_n",
    eval_steps: "evaluation.interval",
    gradient_checkpointing: "optimization.enable_gradient_checkpointing",
    enable_gradient_checkpointing: "optimization.enable_gradient_checkpointing",
    learningRate: "optimization.learning_rate",
    "learning-rate": "optimization.learning_rate",
    wandb_project: "wandb.project",
    mixed_precision: "acceleration.mixed_precision_mode",
    pretrained_model_name_or_path: "model.model_path",
    full_finetune: "model.training_mode",
    output: "output_dir",
    warmup_steps: "runtime.optimization.warmup_steps",
    weight_decay: "runtime.optimization.weight_decay",
    ema: "runtime.optimization.ema_decay",
    optimizer: "optimization.optimizer_type",
    num_gpus: "runtime.processes",
  };
  for (const [word, setting] of Object.entries(words)) {
    const { code, path, help = "" } = one({ acceleration: { [word]: 1 } });
    assert.equal([code, ...path], ["LTX6001", "acceleration", word]);
    const name = setting.split(".").at(-1);
    assert.ok(
      help.startsWith(`it is \`${setting}\``) && (help.includes(`\`${name}:`) || help.includes("too")),
      `${word}: ${help}`,
    );
  }
});

test("where nothing corresponds, the help says what to do instead", () => {
  const words: Readonly<Record<string, RegExp>> = {
    num_train_epochs: /`optimization\.steps` is epochs x samples/,
    epochs: /counts steps, not epochs/,
    betas: /fixed/,
    min_snr_gamma: /in the strategy/,
    resolution: /preprocess/,
  };
  for (const [word, help] of Object.entries(words)) {
    const finding = one({ optimization: { [word]: 1 } });
    assert.match(finding.help ?? "", help);
    assert.is(finding.rewrites, undefined);
  }
});

test("a setting in a wrong section, or in none, moves to its own; one that is there already does not", () => {
  const moved = one({ acceleration: { gradient_checkpointing: true, quantization: null } });
  assert.equal(moved.rewrites, [
    {
      path: ["optimization"],
      entries: { optimization: { enable_gradient_checkpointing: true } },
      orAdd: true,
    },
    { path: ["acceleration", "gradient_checkpointing"], entries: {} },
  ]);
  // As YAML 1.1 reads it, the rate is text; it is written as the number that it means.
  assert.equal(one({ lr: "1e-4", optimization: { steps: 5 } }).rewrites, [
    { path: ["optimization", "learning_rate"], entries: { learning_rate: 1e-4 }, orAdd: true },
    { path: ["lr"], entries: {} },
  ]);
  assert.equal(one({ optimization: { lr: 1e-4 } }).rewrites, [
    { path: ["optimization", "lr"], entries: { learning_rate: 1e-4 } },
  ]);
  const twice = one({ lr: 1e-4, optimization: { learning_rate: 2e-4 } });
  assert.match(twice.help ?? "", "which the file has, too");
  assert.is(twice.rewrites, undefined);
  // A folder of videos is not what the official preprocessing wrote.
  assert.is(one({ dataset: "videos" }).rewrites, undefined);
});

test("a missing setting that stands under another name is one finding", () => {
  const { findings } = resolveConfig(
    { model_path: "x.safetensors", lora: {}, data: { data_root: "data" } },
    { configDirectory: "/project" },
  );
  assert.equal(
    findings.map(({ code, path }) => `${code} ${path.join(".")}`),
    ["LTX6001 model_path", "LTX6001 data.data_root"],
  );
});

test("a section of another trainer is one finding, which moves all of its settings or none", () => {
  const whole = one({ train: { lr: "1e-4", steps: 500, batch_size: 1 } });
  assert.match(whole.help ?? "", /`lr` is `optimization\.learning_rate`; `steps` is `optimization\.steps`/);
  assert.equal(whole.rewrites, [
    {
      path: ["optimization"],
      entries: { optimization: { learning_rate: 1e-4, steps: 500, batch_size: 1 } },
      orAdd: true,
    },
    { path: ["train"], entries: {} },
  ]);
  const part = one({ config: { process: [{ network: { linear: 16 }, train: { epochs: 3 }, odd: 1 }] } });
  assert.match(part.help ?? "", /`linear` is `lora\.rank`; `epochs`: a run counts steps.*`odd` has no counterpart/);
  assert.is(part.rewrites, undefined);
});

test("words for values are answered with the official one, and mended where they mean the same", () => {
  const rows: readonly (readonly [section: string, key: string, value: unknown, help: RegExp, mended?: unknown])[] = [
    ["optimization", "optimizer_type", "adamw_8bit", /write `adamw8bit`/, "adamw8bit"],
    ["optimization", "optimizer_type", "prodigy", /optimizer: prodigy}}` and `learning_rate: 1`/],
    ["optimization", "optimizer_type", "sgd", /there are `adamw` and `adamw8bit`/],
    ["optimization", "scheduler_type", "cosine_with_warmup", /`cosine`, and .*warmup_steps: 100/],
    ["flow_matching", "timestep_sampling_mode", "logit_normal", /`sigma: sigmoid\(randn\(\)\)`/],
    ["model", "training_mode", "full_finetune", /write `full`/, "full"],
    ["acceleration", "mixed_precision_mode", "float32", /write `"no"`/, "no"],
    ["checkpoints", "precision", "bf16", /write `bfloat16`/, "bfloat16"],
    ["runtime", "provider", "cuda:1", /CUDA_VISIBLE_DEVICES/],
    ["lora", "target_modules", "all-linear", /ff\.net\.0\.proj/],
    ["lora", "target_modules", "to_q, to_k", /`\[to_q, to_k\]`/, ["to_q", "to_k"]],
    ["optimization", "steps", "2,000", /write `2000`/, 2000],
    ["optimization", "learning_rate", "1*10^-4", /write `0.0001`/, 1e-4],
  ];
  for (const [section, key, value, help, mended] of rows) {
    const base = section === "model" ? minimal.model : {};
    const finding = one({ [section]: { ...base, [key]: value } });
    assert.equal([finding.code, ...finding.path], ["LTX6002", section, key]);
    assert.match(finding.help ?? "", help);
    const rewrites = mended === undefined ? undefined : [{ path: [section, key], entries: { [key]: mended } }];
    assert.equal(finding.rewrites, rewrites, String(value));
  }
  assert.match(one({ seed: "random" }).help ?? "", /\$RANDOM/);
});

test("words that YAML reads as true, false or nothing are told to be quoted", () => {
  for (const [section, key, value, word] of [
    ["acceleration", "mixed_precision_mode", false, "no"],
    ["checkpoints", "save_training_state", false, "off"],
  ] as const) {
    const { help = "", rewrites } = one({ [section]: { [key]: value } });
    assert.match(help, `write \`"${word}"\` in quotes`);
    assert.equal(rewrites, [{ path: [section, key], entries: { [key]: word } }]);
  }
  assert.match(one({ output_dir: null }).help ?? "", "YAML reads `~` alone");
  assert.match(one({ optimization: null }).help ?? "", "indented");
  assert.is(one({ output_dir: false }).asText, true);
});

test("a section that is one value is the setting that people mean by it", () => {
  const { help = "", rewrites } = one({ training_strategy: "inpainting" });
  assert.match(help, "`name: inpainting`");
  assert.equal(rewrites, [{ path: ["training_strategy"], entries: { training_strategy: { name: "inpainting" } } }]);
});

test("a setting among the params of a strategy is led to its section", () => {
  const { findings } = resolveParams({ name: "s", params: { properties: {} } }, { lr: 1e-4 });
  assert.match(findings[0]?.help ?? "", "it is `optimization.learning_rate` here");
});

test("words lead to settings that exist", () => {
  const names = Object.keys(runConfigSchema.properties);
  for (const word of [
    "lr",
    "lora_r",
    "save.dtype",
    "report_to",
    "gpu",
    "strategy",
    "savestate",
    "cfg",
    "vae",
    "resume",
  ]) {
    const [section = "", key = ""] = word.includes(".") ? word.split(".") : ["", word];
    const to = foreignSetting(section, key)?.to ?? "";
    const path = to.split(".");
    let schema: { properties?: object } | undefined = runConfigSchema;
    for (const part of path) schema = (schema?.properties as Record<string, typeof schema> | undefined)?.[part];
    assert.ok(names.includes(path[0] ?? "") && schema !== undefined, `${word}: ${to}`);
  }
});

test.run();
