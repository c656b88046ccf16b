/** Words that other trainers have for values, and what they are in the official format. */

interface ForeignValue {
  /** The official value that means the same; undefined where none does. */
  readonly value?: unknown;
  readonly say: string;
  /** Words that mean the same. */
  readonly words: RegExp;
}

const write = (value: string, words: RegExp): ForeignValue => ({
  value,
  say: `write \`${value === "no" ? '"no"' : value}\``,
  words,
});
const say = (text: string, words: RegExp): ForeignValue => ({ say: text, words });

/** The first row whose words a value has, in any case, counts. `cuda:0` is `cuda`. */
const values: Readonly<Record<string, readonly ForeignValue[]>> = {
  "runtime.optimization.optimizer": [
    say("that is `optimization.optimizer_type`: leave this line out, and write it there", /adam/i),
    write("prodigy", /^prodigy[-_a-z]*$/i),
    write("lion", /^lion[-_a-z]*$/i),
  ],
  "optimization.optimizer_type": [
    write("adamw8bit", /^(adamw?|bnb)[-_]?8[-_]?bit$/i),
    write("adamw", /^(torch[-_.])?adamw([-_](torch|hf|fused|torch_fused))?$/i),
    say(
      "leave the line out, and write `runtime: {optimization: {optimizer: prodigy}}` and `learning_rate: 1`",
      /^prodigy/i,
    ),
    say(
      "leave the line out, and write `runtime: {optimization: {optimizer: lion}}`; it takes 3 to 10 times smaller learning rates",
      /^lion([-_]32[-_]?bit)?$/i,
    ),
    say(
      "there are `adamw` and `adamw8bit`, both with a `learning_rate` of their own: `adamw` with 1e-4 is a good start",
      /./,
    ),
  ],
  "optimization.scheduler_type": [
    say("write `constant`, and `runtime: {optimization: {warmup_steps: 100}}`", /^constant[-_]with[-_]warmup$/i),
    say(
      "write `cosine`, and `runtime: {optimization: {warmup_steps: 100}}`",
      /^(cosine[-_]with[-_](warmup|min[-_]lr)|warmup[-_]cosine)$/i,
    ),
    say(
      "write `linear`, and `runtime: {optimization: {warmup_steps: 100}}`",
      /^(linear[-_]with[-_]warmup|warmup[-_]linear|warmup)$/i,
    ),
    write("cosine", /^(cosine[-_]?(annealing|decay|annealing[-_]?lr)|cos)$/i),
    write(
      "cosine_with_restarts",
      /^(cosine[-_](annealing[-_](warm[-_])?)?restarts|cosineannealingwarmrestarts|sgdr)$/i,
    ),
    write("constant", /^(none|fixed|flat)$/i),
  ],
  "flow_matching.timestep_sampling_mode": [
    say(
      "`shifted_logit_normal` is a logit-normal whose mean follows from the number of tokens; without that shift, write `sigma: sigmoid(randn())` below `video:` in the strategy",
      /^(logit[-_]?normal|sigmoid|lognorm|normal|logistic)$/i,
    ),
    say("`shifted_logit_normal` is shifted by the number of tokens", /shift|flux|qwen|mode|weighted|cosmap/i),
    write("uniform", /^(random|linear|none)$/i),
  ],
  "model.training_mode": [
    write("full", /^full[-_ ]?(fine[-_ ]?tun(e|ing)|parameter|model|training|ft)?$|^fine[-_]?tun(e|ing)$|^ft$/i),
    write("lora", /^(peft|ic[-_]?lora|lora[-_]?(fine[-_]?tun(e|ing)|training)?)$/i),
    say("adapters are LoRAs: write `lora`", /^(qlora|dora|loha|lokr|lycoris|oft)$/i),
  ],
  "acceleration.mixed_precision_mode": [
    write("bf16", /^(torch\.)?(bfloat16|bf16([-_]mixed)?|bfp16)$/i),
    write("fp16", /^(torch\.)?(float16|half|f16|16([-_]mixed)?)$/i),
    write("no", /^(torch\.)?(fp32|float32|f32|float|full|none|32|off|disabled)$/i),
    say("nothing is computed in 8 bits here: write `bf16`", /8/),
  ],
  "acceleration.quantization": [
    write("fp8-quanto", /fp8|float8|f8|e4m3/i),
    write("int8-quanto", /8/),
    say("write `int8-quanto` or `fp8-quanto` for frozen weights of 8 bits, or `null`", /./),
  ],
  "checkpoints.precision": [
    write("bfloat16", /^(torch\.)?(bf16|bfp16)$/i),
    write("float32", /^(torch\.)?(fp32|f32|float|full)$/i),
    say("write `float32`, or `bfloat16` for half the size", /16|half/i),
  ],
  "checkpoints.save_training_state": [
    write("full", /^(all|true|yes|on|always)$/i),
    write("off", /^(none|never|false|no)$/i),
  ],
  "runtime.engine": [
    say("it is a provider of the engine `onnx`: write `engine: auto` and `provider: webgpu`", /^webgpu$/i),
    say(
      "it is a provider of the engines `onnx` and `torch`: write `engine: auto` and `provider: cuda`",
      /^(cuda|gpu|nvidia)(:\d+)?$/i,
    ),
    write("torch", /^(pytorch|libtorch)$/i),
    write("onnx", /^(onnxruntime([-_]node)?|ort)$/i),
    write("tfjs-node-gpu", /^(tensorflow|tf|tfjs|tfjs-node)$/i),
    write("ltx-trainer", /^(ltx[-_]?trainer|official|accelerate)$/i),
  ],
  "runtime.provider": [
    say("write `cuda`; the variable CUDA_VISIBLE_DEVICES chooses among several GPUs", /^cuda:\d+$/i),
    write("cuda", /^(gpu|nvidia|cudaexecutionprovider)$/i),
    write("cpu", /^(cpuexecutionprovider|none)$/i),
    write("webgpu", /^(mps|metal|vulkan|dml|directml)$/i),
    say("GPUs of AMD are not supported: write `cpu`", /^(rocm|hip)$/i),
  ],
  seed: [
    say(
      "write a whole number; for another one each time, call `ltxc run --set seed=$RANDOM`",
      /^(random|none|null|auto)$/i,
    ),
  ],
  "optimization.steps": [say("write a whole number, such as 2000", /^(auto|max|none)$/i)],
  "lora.target_modules": [
    say(
      "a list of parts of module names: `[to_k, to_q, to_v, to_out.0, ff.net.0.proj, ff.net.2]` are all layers of the blocks",
      /^(all|all[-_]linear|linear|full)$/i,
    ),
  ],
};

/** What the word `value` means as the setting `path`, or null. */
export function foreignValue(path: string, value: string): ForeignValue | null {
  const rows = Object.hasOwn(values, path) ? values[path] : undefined;
  return rows?.find(({ words }) => words.test(value.trim())) ?? null;
}

/** The one setting of a section for which the section's value is meant: `model: x.safetensors`, `training_strategy: inpainting`. */
const mainSettings: Readonly<Record<string, readonly [type: string, key: string]>> = {
  model: ["string", "model_path"],
  data: ["string", "preprocessed_data_root"],
  training_strategy: ["string", "name"],
  lora: ["number", "rank"],
  checkpoints: ["number", "interval"],
  validation: ["number", "interval"],
  evaluation: ["number", "samples"],
  acceleration: ["string", "mixed_precision_mode"],
  flow_matching: ["string", "timestep_sampling_mode"],
  wandb: ["boolean", "enabled"],
  hub: ["boolean", "push_to_hub"],
  runtime: ["string", "engine"],
};

export function mainSetting(section: string, value: unknown): string | null {
  const main = Object.hasOwn(mainSettings, section) ? mainSettings[section] : undefined;
  return main !== undefined && typeof value === main[0] ? main[1] : null;
}
