/**
 * The JSON Schema of `.strategy` files: the source from which `npm run generate` writes schemas/strategy.schema.json for editors and
 * schema-strategy.generated.ts for the compiler. Descriptions are what editors show on hover. `title`s complete the sentence
 * "this must be ...", in findings and in editors.
 */
import { formulas } from "./builtin-docs.ts";
import { network } from "./schema-networks.ts";
import { count, entries, expression, insideRoot, named, number, object, text, type Schema } from "./schema-parts.ts";

/** `${layer}`: a number that a parameter gives. */
const ofParam = "\\$\\{ *[A-Za-z_]\\w* *\\}";

const paramType = (description: string): Schema => ({
  enum: ["number", "integer", "boolean", "string", "array"],
  title: "the name of a type",
  description,
});

const fragment: Readonly<Record<string, Schema>> = {
  type: paramType("What values it takes."),
  description: text("One sentence for hover texts."),
  title: text("A short name for forms."),
  enum: { type: "array", title: "a list", minItems: 1, description: "The values it may have." },
  minimum: number("Smallest value."),
  maximum: number("Largest value."),
  exclusiveMinimum: number("Values are above this."),
  exclusiveMaximum: number("Values are below this."),
  multipleOf: { type: "number", title: "a number", exclusiveMinimum: 0, description: "Values are multiples of this." },
  minLength: count("Fewest characters of a text."),
  maxLength: count("Most characters of a text."),
  pattern: text("Regular expression that a text matches."),
  minItems: count("Fewest entries of a list."),
  maxItems: count("Most entries of a list."),
  uniqueItems: { type: "boolean", title: "`true` or `false`", description: "Whether entries must differ." },
};

const param = object(
  "One parameter, as a JSON Schema fragment.",
  {
    ...fragment,
    unit: {
      enum: ["px", "lf", "f", "s", "%"],
      title: "a unit",
      description:
        "What its numbers count, for `prefix`, `suffix` and `crop`: pixels, latent frames (of audio latent steps), pixel frames, seconds, or percent.",
      examples: ["lf", "px", "s"],
    },
    default: { description: "Its value where the run config has none; a parameter without default is required." },
    items: object("The schema of each entry of a list.", fragment, { required: ["type"] }),
    examples: { type: "array", title: "a list", description: "Values for editors to offer." },
  },
  { examples: [{ type: "number", default: 0.5, minimum: 0, maximum: 1 }] },
);

const source = object("One data directory, or one file for all samples.", {
  directory: text("Directory relative to `data.preprocessed_data_root`; `${param}` stands for a parameter's value.", {
    title: "a directory inside the data root, without a leading `/` and without `..`",
    pattern: insideRoot,
    examples: ["latents", "${mask_latents_dir}"],
  }),
  file: text("Instead of `directory`: one file below the data root, whose value all samples share.", {
    title: "a file inside the data root, without a leading `/` and without `..`",
    pattern: insideRoot,
    examples: ["empty.pt"],
  }),
  kind: {
    enum: ["video_latents", "audio_latents", "text_embeddings", "video_mask", "audio_mask", "tensor"],
    title: "a kind of source",
    description: "What a sample's file holds.",
  },
  key: text("Kind `tensor` only: the file's entry that holds the tensor."),
  axes: {
    type: "array",
    title: "a list of axes",
    items: text("An axis.", {
      title: "an axis such as `feature` or `token:video`",
      pattern: "^[A-Za-z_]\\w*(:[A-Za-z_]\\w*)?$",
    }),
    description: "Kind `tensor` only: the names of its axes without `batch`.",
    examples: [["token:video", "feature"]],
  },
  range: {
    type: "array",
    title: "the smallest and the largest number, as `[0, 1]`",
    items: { type: "number", title: "a number" },
    minItems: 2,
    maxItems: 2,
    description: "Kind `tensor` only: between which numbers all of its lie, which is checked when a file is read.",
    examples: [[0, 1]],
  },
  like: text("Kinds of latents only: the source whose grid it has, so that a pass can take it for its latents.", {
    examples: ["latents"],
  }),
  optional: {
    type: "boolean",
    title: "`true` or `false`",
    default: false,
    description: "Whether samples without a file of this source are kept; `has(name)` is true for those that have one.",
  },
});

/** What a source has when it is complete. */
const completeSource: Schema = {
  required: ["kind"],
  if: { properties: { kind: { const: "tensor" } }, required: ["kind"] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ["key", "axes"] },
  else: { properties: { key: false, axes: false, range: false } },
  allOf: [
    {
      if: { required: ["file"] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { properties: { directory: false } },
      else: { required: ["directory"] },
    },
  ],
};

const dataset = object("A set of samples, of which every batch has its share.", {
  root: text(
    "Folder below `data.preprocessed_data_root` that holds its sources' directories; by default that root itself.",
    {
      title: "a folder inside the data root, without a leading `/` and without `..`",
      pattern: insideRoot,
      examples: ["class_clips"],
    },
  ),
  share: {
    type: ["number", "string"],
    title: "a number between 0 and 1, or the name of a parameter",
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: "Share of the samples of every batch; one data set has none, and gets what is left.",
    examples: [0.5],
  },
  without: {
    type: "array",
    title: "a list of sources",
    items: text("A source that its samples have no file of.", { examples: ["depth"] }),
    description: "Sources that this data set does not have.",
    examples: [["depth"]],
  },
});

const texts: Schema = {
  type: ["string", "array"],
  title: "a source or a list of sources",
  minItems: 1,
  items: expression("A source, maybe in `insert(…)`, `with probability p` in all entries but the last."),
  description:
    "The source of the text context, by default the only one of kind `text_embeddings`; of a list, each sample gets the first entry that is drawn.",
  examples: ["conditions", "insert(conditions, concept)", ["empty with probability 0.1", "conditions"]],
};

/** The keywords of a mapping say nothing of a text. */
const reference: Schema = {
  type: ["string", "object"],
  title: "a source, or a mapping with `source`",
  description: "A source, maybe `with probability p`; or a mapping that also says how it is noised.",
  properties: {
    source: expression("The source of the reference.", "style"),
    probability: expression("Share of the batches in which it takes part.", 0.5),
    sigma: expression("Its noise level in [0, 1], for each sample or each of its frames.", "uniform(0, 0.2)"),
    noise: expression("Its noise, with `sigma` alone; by default `randn()`.", "randn()"),
  },
  additionalProperties: false,
  required: ["source"],
};

const modality = (what: string, more: Readonly<Record<string, Schema>>): Schema =>
  object(`The ${what}: what of it is noised, kept clean and predicted.`, {
    latents: expression("The source of the clean latents.", "latents"),
    text: texts,
    generate: {
      type: "boolean",
      title: "`true` or `false`",
      default: true,
      description: "`false` freezes the modality: it enters clean and is not trained on.",
    },
    sigma: expression(
      `Noise level in [0, 1]; by default \`${formulas.sigma}\`, the run's flow-matching sampler.`,
      formulas.sigma,
    ),
    noise: expression(`By default \`${formulas.noise}\`.`, formulas.noise),
    noisy: expression(`By default \`${formulas.noisy}\`.`),
    target: expression(`What the prediction should be; by default \`${formulas.target}\`.`, formulas.target),
    denoised: expression(`The clean estimate; by default \`${formulas.denoised}\`.`),
    keep: entries(
      "Tokens that stay clean: a mask, or a list of masks whose union counts; each entry may carry `with probability p`.",
      "not inpaint",
      ["first_frame with probability 0.5"],
    ),
    noise_mask: expression("Tokens that are noised: short for `keep: not ...`.", "hole"),
    references: {
      type: "array",
      title: "a list of sources",
      items: reference,
      description: "Token sequences put in front of the target, clean unless `sigma` says otherwise.",
      examples: [["ref", "depth with probability 0.5"], [{ source: "style", sigma: "uniform(0, 0.2)" }]],
    },
    attention: expression("Which token (query) may attend to which key: a mask, or weights in [0, 1]."),
    ...more,
  });

/** Fields of a modality that a pass may be given in place of the step's own. */
const overrides = (what: string): Schema =>
  object(`What of the ${what} this call is given; all else is the step's own, draws included.`, {
    latents: expression(
      "The source of the clean latents: one with `like`, so that its grid is the step's own.",
      "worse",
    ),
    text: texts,
    references: {
      type: "array",
      title: "a list of sources",
      items: reference,
      description: "Clean token sequences put in front of the target; `[]` for none.",
      examples: [["ref"], []],
    },
    sigma: expression("Noise level in [0, 1].", "video.sigma - 0.1"),
    noise: expression("The noise.", "randn()"),
    noisy: expression("What the model is given.", "video.noisy - 0.1 * teacher.video.prediction"),
    target: expression("What the prediction should be."),
    denoised: expression("The clean estimate."),
  });

const pass = object("Another call of the model in the step. What it does not name is the step's own.", {
  adapters: {
    enum: [true, false, "ema"],
    title: "`true`, `false` or `ema`",
    default: true,
    description:
      "`false` calls the base model, without the LoRA; `ema` the moving average of the weights, which the run keeps by `runtime.optimization.ema_decay`. What they predict is constant to the gradient.",
  },
  gradient: {
    enum: ["through"],
    title: "`through`",
    description: "Gradients flow through what this call is given of others' predictions; by default that is constant.",
  },
  video: overrides("video"),
  audio: overrides("audio"),
});

const weight = object("A tensor of the strategy's own that is trained, such as tokens of a caption.", {
  axes: {
    type: "array",
    title: "a list of axes such as `[text: 8, hidden]`",
    minItems: 1,
    items: { type: ["string", "object"], title: "an axis such as `hidden` or `text: 8`", description: "An axis." },
    description: "`text: 8` are eight tokens of a caption, `hidden` is the width of the captions that `like` names.",
    examples: [[{ text: 8 }, "hidden"]],
  },
  like: text("The source of kind `text_embeddings` whose tokens it is like.", { examples: ["conditions"] }),
  init: {
    type: ["string", "number"],
    title: "`randn(0.02)` or a number",
    default: "randn(0.02)",
    description: "What it begins with: normal numbers of this standard deviation, or the same number everywhere.",
    examples: ["randn(0.02)", 0],
  },
});

const output = object("A tap into the transformer, or a small trainable head on one.", {
  tap: text("The stream after a block, counted from 0, or from the end: `block -1` is the last.", {
    title: "a block, e.g. `block 12`",
    pattern: `^block (-[1-9][0-9]{0,3}|[0-9]{1,4}|${ofParam})$`,
    examples: ["block 12", "block -1", "block ${layer}"],
  }),
  modality: { enum: ["video", "audio"], title: "a modality", description: "Whose stream is tapped." },
  linear: text("The output that this head reads."),
  features: {
    type: ["integer", "string"],
    title: 'a whole number, or a parameter as `"${size}"`',
    minimum: 1,
    pattern: `^${ofParam}$`,
    description: "Width of the head's output.",
    examples: [768, "${size}"],
  },
  activation: {
    enum: ["silu", "gelu", "none"],
    title: "an activation",
    description: "Applied to the head's output.",
  },
});

const completeOutput: Schema = {
  if: { required: ["linear"] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ["features"], properties: { tap: false, modality: false } },
  else: { required: ["tap", "modality"], properties: { features: false, activation: false } },
};

const imported = object("A function written in TypeScript.", {
  from: text("The module, relative to this file.", { examples: ["./edge-loss.ts"] }),
  python: text("The same function in Python, over torch tensors, for `ltxc compile --target ltx-trainer`.", {
    examples: ["./edge_loss.py"],
  }),
  type: text("The function's type.", { examples: ["(a: tokens:video, b: tokens:video) -> f32[batch]"] }),
});

/** What a file must have that does not inherit it. */
const complete: Schema = {
  required: ["sources", "loss"],
  properties: {
    params: { additionalProperties: { required: ["type"] } },
    sources: { additionalProperties: completeSource },
    video: { required: ["latents"] },
    audio: { required: ["latents"] },
    outputs: { additionalProperties: completeOutput },
    weights: { additionalProperties: { required: ["axes", "like"] } },
    networks: { additionalProperties: { required: ["architecture"] } },
    imports: { additionalProperties: { required: ["from", "type"] } },
  },
};

export const strategySchema: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "urn:ltxc:schema:strategy",
  ...object("A training strategy for the LTX-2 audio-video diffusion transformer.", {
    strategy: text("The name by which a run config selects this strategy.", {
      title: "a name of lower-case letters, digits and _, beginning with a letter",
      pattern: "^[a-z][a-z0-9_]*$",
      examples: ["inpainting"],
    }),
    language: {
      enum: [1, 2],
      title: "a version of the language",
      default: 1,
      description: "Version of the language; `ltxc fmt --upgrade` rewrites a file of version 1.",
    },
    description: text("One paragraph, carried into generated code, schemas and hover texts."),
    extends: text("Another strategy, a built-in one's name or a relative path, whose keys this file overrides."),
    params: named("The strategy's parameters; a run config sets them beside `training_strategy.name`.", param),
    sources: named("The data directories.", source, { minProperties: 1 }),
    datasets: named("Sets of samples that are mixed in every batch, each with all sources.", dataset, {
      minProperties: 1,
    }),
    let: {
      type: "object",
      title: "a mapping",
      description: "Named expressions, in any order; `name(a, b)` takes arguments.",
      additionalProperties: expression("An expression.", "mean(tokens(masks), channel) > 0.5"),
    },
    video: modality("video modality", {
      fps: expression("Frames per second; by default the source's own, else 24.", 24),
      keyframes: expression(
        "Tokens that stand for one single pixel frame, for models that mark them; by default the first latent frame's.",
        "frame_index == 0",
      ),
    }),
    audio: modality("audio modality", {}),
    passes: named("Other calls of the model in the step: the base model, another sample, another noise level.", pass),
    loss: named(
      "The loss terms; their sum is minimised, each is logged by its name.",
      expression("A value per sample.", "mse(video.prediction, video.target) over video.generated"),
      { minProperties: 1 },
    ),
    outputs: named("Extra model outputs: taps and small trainable heads.", output),
    weights: named(
      "Tensors of the strategy's own that are trained, such as tokens that `insert` puts into a caption.",
      weight,
    ),
    networks: named(
      "Networks whose weights are not trained, such as the video VAE's decoder, through which losses read pixels.",
      network,
    ),
    imports: named("Functions written in TypeScript.", imported),
    metadata: {
      type: "object",
      title: "a mapping",
      description: "Text for the checkpoint's metadata; `${...}` takes an expression of parameters and source sizes.",
      additionalProperties: { type: ["string", "number", "boolean"], title: "a text", description: "A text." },
    },
    expect: {
      type: "array",
      title: "a list of expressions",
      items: expression(
        "A mask that must be true everywhere, or a value with what it is on average: `mean(video.keep) about 0.1`.",
      ),
      description:
        "Masks that must be true everywhere on any batch, and values with what they are on average. `ltxc test` tries them.",
      examples: [["any(video.keep, token) about 0.1"]],
    },
  }),
  required: ["strategy"],
  if: { required: ["extends"] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: true,
  else: complete,
};
