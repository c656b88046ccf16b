/** The built-in functions and the members of a modality, as tables. */
import type { Elementwise, ModalityName, Reduction } from "./core.ts";

/** Functions of numbers that work element by element, with their operation and number of arguments. */
export const elementwise: Readonly<Record<string, readonly [fn: Elementwise, arity: number]>> = {
  abs: ["abs", 1],
  floor: ["floor", 1],
  sqrt: ["sqrt", 1],
  square: ["square", 1],
  exp: ["exp", 1],
  log: ["log", 1],
  tanh: ["tanh", 1],
  sigmoid: ["sigmoid", 1],
  sin: ["sin", 1],
  cos: ["cos", 1],
  pow: ["pow", 2],
};

/** Names of arguments, for calls that give them as `name=value`. */
export const argumentNames: Readonly<Record<string, readonly string[]>> = {
  mse: ["a", "b"],
  mae: ["a", "b"],
  huber: ["a", "b", "delta"],
  charbonnier: ["a", "b"],
  cosine_distance: ["a", "b"],
  uniform: ["lo", "hi"],
  bernoulli: ["p"],
  randint: ["lo", "hi"],
  clamp: ["x", "lo", "hi"],
  where: ["m", "a", "b"],
  prefix: ["n"],
  suffix: ["n"],
  crop: ["y1", "x1", "y2", "x2"],
  shifted_logit_normal: ["std", "eps", "uniform_prob"],
  blur: ["x", "radius"],
  dilate: ["m", "n"],
  shift: ["x", "axis", "n"],
  assigned: ["x", "to"],
  mod: ["a", "b"],
};

export const reductions: Readonly<Record<string, Reduction>> = {
  mean: "mean",
  sum: "sum",
  max: "max",
  min: "min",
  any: "any",
  all: "all",
};

/** Losses: compare two tensors and reduce every axis but `batch`; `over` restricts them. */
export const losses: readonly string[] = ["mse", "mae", "huber", "charbonnier", "cosine_distance"];

export const drawFunctions: readonly string[] = ["randn", "uniform", "bernoulli", "randint"];

/** Functions that came later than strategies which may have given their names to values: those keep their meaning. */
const laterFunctions: readonly string[] = [
  "others",
  "assigned",
  "ceil",
  "round",
  "mod",
  "sign",
  "softplus",
  "quantile",
  "dft",
  "has",
  "in",
];

/** Other functions, each with its own rule. */
const specialFunctions: readonly string[] = [
  "clamp",
  "where",
  "float",
  "norm",
  "tokens",
  "grid",
  "concat",
  "stop_gradient",
  "snr",
  "blur",
  "dilate",
  "shift",
  ...laterFunctions,
  "key",
  "from",
];

/** What can be read of a reference that is noised. */
export const noisyFields: readonly string[] = ["sigma", "noise", "noisy", "timesteps"];

/** Names of how far the run has come. */
export const progressNames: Readonly<Record<string, "globalStep" | "progress">> = {
  global_step: "globalStep",
  progress: "progress",
};

const fields: readonly string[] = [
  "clean",
  "noise",
  "noisy",
  "target",
  "prediction",
  "denoised",
  "sigma",
  "timesteps",
  "keep",
  "generated",
];

/** Fields and coordinates of a modality. */
export const membersOf: Readonly<Record<ModalityName, readonly string[]>> = {
  video: [...fields, "fps", "frames", "height", "width", "frame_index", "row", "column", "time"],
  audio: [...fields, "steps", "step_index", "time"],
};

/** Masks and samplers of a modality, with their number of arguments; `first_frame` and `all` are written without parentheses. */
export const methodsOf: Readonly<Record<ModalityName, Readonly<Record<string, number>>>> = {
  video: { first_frame: 0, prefix: 1, suffix: 1, crop: 4, sampled: 0, shifted_logit_normal: 3, all: 0 },
  audio: { first_frame: 0, prefix: 1, suffix: 1, sampled: 0, shifted_logit_normal: 3, all: 0 },
};

/** Functions that may be called anywhere. */
export const functionNames: readonly string[] = [
  ...Object.keys(elementwise),
  ...Object.keys(reductions),
  ...losses,
  ...drawFunctions,
  ...specialFunctions,
];

const axes = ["batch", "token", "channel", "frame", "height", "width", "step", "mel", "feature", "hidden"];

/** Words of the language that are no names. */
export const keywords: readonly string[] = [
  "true",
  "false",
  "if",
  "then",
  "else",
  "and",
  "or",
  "not",
  "over",
  "per",
  "with",
  "probability",
];

/** Names that a strategy may not give to anything. */
export const reservedNames: ReadonlySet<string> = new Set([
  ...functionNames.filter((name) => !laterFunctions.includes(name)),
  ...Object.keys(progressNames),
  ...membersOf.video,
  ...membersOf.audio,
  ...Object.keys(methodsOf.video),
  ...axes,
  "video",
  "audio",
  ...keywords,
]);
