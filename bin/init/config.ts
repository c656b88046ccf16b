/** The run config of a new project, in the official trainer's format. */
import { schemaFolder } from "../project/schemas.ts";
import type { Program } from "./example.ts";
import { gemmaFolder } from "./gemma.ts";

const videoTargets = ["attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.0.proj", "ff.net.2"];

/** The linear layers of the streams that the strategy trains. */
function targetModules({ modalities }: Program): readonly string[] {
  const has = (name: string) => modalities.some((modality) => modality.name === name);
  return [...(has("video") ? videoTargets : []), ...(has("audio") ? videoTargets.map((name) => `audio_${name}`) : [])];
}

/** The parameters with their defaults, one per line. */
function parameters({ params }: Program): readonly string[] {
  return params.flatMap(({ name, schema }) => {
    const { default: value } = schema;
    return value === undefined ? [] : [`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`];
  });
}

const textEncoder = `
  text_encoder_path: ${gemmaFolder}  # the official trainer reads sizes from it: replace it by the folder of Gemma 3`;

/** Most strategies learn something from the tiny model within 200 steps at this rate. */
const usualRate = "1e-2  # for a real model rather 1e-4";

/** Of examples that would diverge at the usual one. The loss of DPO multiplies errors by `beta`, 2000. */
const ownRates: Readonly<Record<string, string>> = {
  diffusion_dpo: "1e-5  # small, since the loss multiplies errors by beta",
};

/** The decoders, which the official trainer loads even where nothing is drawn. */
const nothingDrawn = `
  generate_video: false
  generate_audio: false`;

/** What a pass with `adapters: ema` needs. */
const average = ({ passes }: Program): string =>
  passes.some(({ weights }) => weights === "ema")
    ? `  optimization:
    ema_decay: 0.98  # the moving average of the weights, over about 50 steps; for thousands of steps rather 0.999
`
    : "";

/** Where data sets can lie, of a strategy that has some. */
function folders({ datasets }: Program): string {
  const named = datasets.find(({ root }) => root !== null);
  if (named === undefined) return "";
  return `  datasets: {}  # other folders of data sets, by name: {${named.name}: /data/${named.root}}
`;
}

const official = `ltx-trainer  # or auto: ltxc itself
  ltx_trainer: null  # where the official trainer is: an environment of Python, or a checkout; null for the python3 of PATH
  processes: 1  # one for each GPU`;

/** The text of train.yaml. */
export function runConfig(program: Program, isForOfficial: boolean): string {
  return `# yaml-language-server: $schema=${schemaFolder}/train.schema.json
# The format of the official LTX-2 trainer; only \`evaluation\` and \`runtime\` are ltxc's own.
# Relative paths start at this file's folder.

model:
  model_path: models/tiny-ltx2.safetensors  # random weights: replace it by a real checkpoint${isForOfficial ? textEncoder : ""}
  training_mode: lora

lora:
  rank: 8
  alpha: 8
  dropout: 0.0
  # Parts of module names, matched from the end. The usual set for a real model: [to_k, to_q, to_v, to_out.0]
  target_modules:
${targetModules(program)
  .map((name) => `    - ${name}`)
  .join("\n")}

training_strategy:
  name: ${program.name}  # as in \`strategy:\` of the .strategy file; the other keys are its params
${parameters(program)
  .map((line) => `  ${line}`)
  .join("\n")}

optimization:
  learning_rate: ${ownRates[program.name] ?? usualRate}
  steps: 200
  batch_size: 2
  gradient_accumulation_steps: 1
  max_grad_norm: 1.0
  optimizer_type: adamw
  scheduler_type: linear

data:
  preprocessed_data_root: data
  num_dataloader_workers: 2

flow_matching:
  timestep_sampling_mode: shifted_logit_normal

checkpoints:
  interval: 100  # steps from one save to the next; the end is saved as well
  keep_last_n: 2
  precision: bfloat16

validation:
  interval: null  # steps from one drawing of \`samples\` to the next; they need files of data/${isForOfficial ? nothingDrawn : ""}

seed: 42
output_dir: outputs

evaluation:
  samples: 0  # how many samples are held out; their loss says more than that of the training
  interval: 50

runtime:
  engine: ${isForOfficial ? official : "auto"}
${folders(program)}${average(program)}`;
}
