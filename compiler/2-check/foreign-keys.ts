/** Keys and values of other formats that stand in strategies, and what they are here. */

const emptyCaption =
  "declare a source of the empty caption, `empty: {file: empty.pt, kind: text_embeddings}`, and write `text: [empty with probability 0.1, conditions]`";

/** By the section that holds them, `""` for the top: what the key is here. Sections with names of the user's count as one. */
const keys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "": {
    caption_dropout: `under \`video:\` there can be several texts: ${emptyCaption}`,
    text_dropout: `under \`video:\` there can be several texts: ${emptyCaption}`,
    with_audio: "add the section `audio:` with its `latents`, and a loss term for it",
    conditions: "each condition is an entry of `keep` or `references` under `video:` or `audio:`",
    losses: "write `loss:`",
    objective: "write `loss:`",
    parameters: "write `params:`",
    args: "write `params:`",
    inputs: "write `sources:`",
    data: "write `sources:`; where the files lie is `preprocessed_data_root` in train.yaml",
    regularization:
      "clips of the class are a data set: `datasets: {subject: {}, prior: {root: class_clips, share: 0.5}}`",
    prior_loss_weight:
      "clips of the class are a data set, and their weight is a factor: `(if in(prior) then 1 else …) * mse(…)`",
    variables: "write `let:`",
    vars: "write `let:`",
    define: "write `let:`",
    name: "write `strategy:`",
    version: "write `language: 1`",
    base: "write `extends:`",
    assert: "write `expect:`",
    reference_latents_dir: "declare a source and list it in `references` under `video:`",
    first_frame_conditioning_p: "under `video:` write `keep: first_frame with probability 0.5`",
    ...sectionsOfRuns([
      "model",
      "lora",
      "optimization",
      "acceleration",
      "data",
      "validation",
      "checkpoints",
      "flow_matching",
    ]),
    ...sectionsOfRuns(["training_strategy", "runtime", "evaluation", "seed", "output_dir", "scheduler", "optimizer"]),
  },
  modality: {
    conditions: "each condition is an entry of `keep` or `references`, e.g. `keep: first_frame with probability 0.5`",
    condition: "each condition is an entry of `keep` or `references`, e.g. `keep: first_frame with probability 0.5`",
    is_generated: "write `generate:`",
    generated: "write `generate:`",
    frozen: "write `generate: false`",
    latents_dir: "declare a source with this directory, and name it in `latents:`",
    mask: "tokens to fill in are `noise_mask: m`, tokens to keep clean `keep: m`",
    mask_dir: "declare a source of kind `video_mask`, and write `keep:` or `noise_mask:` with it",
    loss: "loss terms stand in the section `loss:` of the file",
    caption_dropout: emptyCaption,
    caption_dropout_rate: emptyCaption,
    text_dropout: emptyCaption,
    cfg_dropout: emptyCaption,
    unconditional_probability: emptyCaption,
    loss_mask: "write it behind the loss: `mse(video.prediction, video.target) over m`",
    timesteps: "write `sigma:`, the noise level",
    noise_level: "write `sigma:`",
    timestep: "write `sigma:`, the noise level",
    t: "write `sigma:`, the noise level",
    noise_schedule: "write `sigma:`, the noise level",
    prediction_type: "write `target:`, what is predicted; without it that is the velocity, `noise - clean`",
    parametrization: "write `target:`, what is predicted; without it that is the velocity, `noise - clean`",
    ...Object.fromEntries(
      ["resolution", "width", "height", "size", "frames", "num_frames", "duration", "bucket"].map((key) => [
        key,
        "leave it out: sizes are those of the preprocessed data",
      ]),
    ),
    ...Object.fromEntries(
      ["learning_rate", "lr", "steps", "batch_size", "rank", "seed"].map((key) => [
        key,
        "it belongs into the run config, `train.yaml`",
      ]),
    ),
    frame_rate: "write `fps:`",
    source: "write `latents:`",
    data: "write `latents:`",
    ...Object.fromEntries(
      ["prompt", "prompts", "caption", "captions"].map((key) => [
        key,
        "name a source of kind `text_embeddings` in `text:`",
      ]),
    ),
    keep_probability: "write it behind the entry: `keep: first_frame with probability 0.5`",
    keep_p: "write it behind the entry: `keep: first_frame with probability 0.5`",
    reference: "write a list: `references: [depth]`",
    min_snr_gamma: "write the weight in front of the loss: `min(snr(video.sigma), 5) * video.sigma^2 * mse(…)`",
    snr_gamma: "write the weight in front of the loss: `min(snr(video.sigma), 5) * video.sigma^2 * mse(…)`",
    noise_offset: "write the noise with it: `noise: (randn() + 0.1 * randn() per (frame, channel)) / sqrt(1.01)`",
    loss_weight: "write it as a factor of the loss term: `0.5 * mse(…)`",
    weight: "write it as a factor of the loss term: `0.5 * mse(…)`",
    probability: "write it behind the entry: `keep: first_frame with probability 0.5`",
  },
  source: {
    dir: "write `directory:`",
    path: "write `directory:`, a folder below the data root",
    folder: "write `directory:`",
    latents_dir: "write `directory:`",
    type: "write `kind:`",
    format: "write `kind:`",
    required:
      "a source is required unless it says `optional: true`; `has(name)` is then the mask of the samples that have it",
    nullable: "write `optional: true`; `has(name)` is the mask of the samples that have it",
    dataset: "data sets are declared under `datasets:`, each with all sources or `without` some",
  },
  dataset: {
    directory: "write `root:`, the folder that holds the directories of its sources",
    path: "write `root:`, a folder below the data root",
    dir: "write `root:`, a folder below the data root",
    folder: "write `root:`, a folder below the data root",
    data_root: "write `root:`, a folder below the data root",
    weight:
      "write `share: 0.5`, its share of every batch; a weight of its loss is a factor: `(if in(prior) then 0.5 else 1) * mse(…)`",
    ratio: "write `share: 0.5`, its share of every batch",
    probability: "write `share: 0.5`, its share of every batch",
    proportion: "write `share: 0.5`, its share of every batch",
    repeats: "leave it out: each data set has an order of its own, and a smaller one begins anew",
    num_repeats: "leave it out: each data set has an order of its own, and a smaller one begins anew",
    missing: "write `without: [depth]`, a list of sources",
    sources: "sources are the same for all data sets; those that this one lacks are `without: [depth]`",
  },
  reference: {
    ...Object.fromEntries(["name", "ref", "reference", "latents", "from"].map((key) => [key, "write `source:`"])),
    ...Object.fromEntries(["p", "prob", "chance", "share"].map((key) => [key, "write `probability:`"])),
    ...Object.fromEntries(["strength", "noise_level", "level", "timestep"].map((key) => [key, "write `sigma:`"])),
  },
  pass: {
    ...Object.fromEntries(
      ["adapter", "lora", "weights", "model", "base", "frozen", "trained"].map((key) => [
        key,
        "write `adapters: false` for the base model, `adapters: ema` for the average of the weights",
      ]),
    ),
    ema: "write `adapters: ema`",
    detach:
      "leave it out: what a pass predicts is constant to the calls that it is given to, unless those say `gradient: through`",
    stop_gradient:
      "leave it out: what a pass predicts is constant to the calls that it is given to, unless those say `gradient: through`",
  },
  ofPass: Object.fromEntries(
    ["keep", "noise_mask", "fps", "generate", "attention", "keyframes"].map((key) => [
      key,
      "leave it out: that of a pass is the step's own",
    ]),
  ),
  network: {
    ...Object.fromEntries(
      ["path", "file", "weights", "checkpoint", "model", "safetensors"].map((key) => [key, "write `from:`"]),
    ),
    ...Object.fromEntries(["layers", "arch", "kind", "model_type"].map((key) => [key, "write `architecture:`"])),
    tile: "write `window:`",
    crop: "write `window:`",
    trainable: "leave it out: the weights of a network are never trained",
    frozen: "leave it out: the weights of a network are never trained",
  },
  window: {
    rows: "write `height:`",
    columns: "write `width:`",
    h: "write `height:`",
    w: "write `width:`",
    size: "write `frames:`, `height:` and `width:`",
  },
  weight: {
    shape: "write `axes:`",
    size: "write `axes: [text: 8, hidden]`",
    tokens: "write `axes: [text: 8, hidden]`",
    length: "write `axes: [text: 8, hidden]`",
    num_vectors: "write `axes: [text: 8, hidden]`",
    source: "write `like:`",
    text: "write `like:`",
    std: "write `init: randn(0.02)`",
    initializer: "write `init:`",
  },
  param: {
    min: "write `minimum:`",
    max: "write `maximum:`",
    choices: "write `enum:`",
    options: "write `enum:`",
    values: "write `enum:`",
    value: "write `default:`",
    help: "write `description:`",
    required: "leave it out: a parameter without `default` is required",
    regex: "write `pattern:`",
    range: "write `minimum:` and `maximum:`",
    bounds: "write `minimum:` and `maximum:`",
    step: "write `multipleOf:`",
  },
};

function sectionsOfRuns(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, "it belongs into the run config, `train.yaml`"]));
}

/** What a key that the section at `path` does not have is here, or null. */
export function foreignKey(path: readonly string[], key: string): string | null {
  const section = keys[sectionOf(path)];
  return section !== undefined && Object.hasOwn(section, key) ? (section[key] ?? null) : null;
}

/** What one entry of a section with names of the user's is called above. */
const ofOne: Readonly<Record<string, string>> = {
  sources: "source",
  params: "param",
  datasets: "dataset",
  passes: "pass",
  networks: "network",
  weights: "weight",
};

const isReference = (path: readonly string[]): boolean => path.at(-2) === "references";

function sectionOf([section = "", name, ...more]: readonly string[]): string {
  if (section === "video" || section === "audio") return isReference([name ?? "", ...more]) ? "reference" : "modality";
  if (name === undefined) return section;
  if (section === "passes" && more.length > 0) return isReference(more) ? "reference" : "ofPass";
  if (section === "networks" && more.length > 0) return more[0] ?? "";
  return ofOne[section] ?? section;
}

/** Types and kinds under other names. */
const values: Readonly<Record<string, string>> = {
  float: "number",
  double: "number",
  int: "integer",
  bool: "boolean",
  str: "string",
  text: "string",
  list: "array",
  tuple: "array",
  video: "video_latents",
  image: "video_latents",
  latents: "video_latents",
  audio: "audio_latents",
  captions: "text_embeddings",
  prompts: "text_embeddings",
  embeddings: "text_embeddings",
  mask: "video_mask",
  masks: "video_mask",
  features: "tensor",
  off: "false",
  no: "false",
  none: "false",
  base: "false",
  disabled: "false",
  on: "true",
  yes: "true",
  lora: "true",
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  pixel: "px",
  pixels: "px",
  latent_frames: "lf",
  pixel_frames: "f",
};

/** The one of the values `allowed` that other formats call `value`, or null. */
export function foreignValue(value: string, allowed: readonly string[]): string | null {
  const meant = Object.hasOwn(values, value) ? values[value] : undefined;
  return meant !== undefined && allowed.includes(meant) ? meant : null;
}
