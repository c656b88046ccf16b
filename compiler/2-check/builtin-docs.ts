/**
 * What every built-in function and every field of a modality means: the one place from which editors and LANGUAGE.md take it. A test
 * compares the names with those of `builtins.ts`.
 */
import type { Unit } from "../1-parse/expression/ast.ts";

/** What a value is, as far as an editor needs it to choose what to offer. `axis` and those after it are names. */
export type ValueKind =
  "mask" | "number" | "any" | "axis" | "source" | "optional source" | "dataset" | "text" | "trained";

export interface ParameterDoc {
  readonly name: string;
  readonly kind: ValueKind;
  readonly optional?: true;
  /** Whether any number of them may follow, each by its name. */
  readonly many?: true;
}

export interface FunctionDoc {
  /** Each way to write its arguments. */
  readonly forms: readonly (readonly ParameterDoc[])[];
  /** What it gives: `like` is what its first argument is. */
  readonly gives: "mask" | "number" | "like" | "loss" | "text";
  /** Sentences in Markdown. */
  readonly text: string;
  /** Where it may be called, if not anywhere. */
  readonly only?: "attention" | "modality";
  /** Whether it is written without parentheses. */
  readonly bare?: true;
}

const number = (name: string): ParameterDoc => ({ name, kind: "number" });
const mask = (name: string): ParameterDoc => ({ name, kind: "mask" });
const any = (name: string): ParameterDoc => ({ name, kind: "any" });
const optional = (name: string): ParameterDoc => ({ name, kind: "number", optional: true });
const axis: ParameterDoc = { name: "axis", kind: "axis" };
const axes: ParameterDoc = { name: "axis", kind: "axis", optional: true, many: true };

const of = (gives: FunctionDoc["gives"], text: string, ...parameters: readonly ParameterDoc[]): FunctionDoc => ({
  forms: [parameters],
  gives,
  text,
});

const each = (what: string): FunctionDoc => of("number", `${what} of each element.`, number("x"));
const loss = (text: string, ...more: readonly ParameterDoc[]): FunctionDoc =>
  of(
    "loss",
    `${text}, averaged over every axis but \`batch\`; \`over m\` restricts or weights it.`,
    number("a"),
    number("b"),
    ...more,
  );
const reduction = (what: string): FunctionDoc =>
  of("number", `${what} over this axis, or several; without any, over all but \`batch\`.`, number("x"), axes);
const extreme = (what: string): FunctionDoc => ({
  ...reduction(`${what} value`),
  forms: [
    [number("x"), axes],
    [number("a"), number("b")],
  ],
  text: `${what} value over this axis, or several; without any, over all but \`batch\`. Of two values, element by element.`,
});
const inModality = (doc: FunctionDoc): FunctionDoc => ({ ...doc, only: "modality" });
const inAttention = (doc: FunctionDoc): FunctionDoc => ({ ...doc, only: "attention" });

/** Functions that may be called anywhere, except those of `attention`. */
export const functionDocs: Readonly<Record<string, FunctionDoc>> = {
  mse: loss("Squared difference"),
  mae: loss("Absolute difference"),
  huber: loss("Half the squared difference up to `delta`, linear beyond it", number("delta")),
  charbonnier: loss("Smooth absolute difference"),
  cosine_distance: loss("1 minus the cosine of the angle between both, along the last axis"),
  mean: reduction("The mean"),
  sum: reduction("The sum"),
  max: extreme("The largest"),
  min: extreme("The smallest"),
  any: {
    ...of(
      "mask",
      "Whether the mask is true anywhere along this axis, or several; without any, along all but `batch`.",
      mask("m"),
      axes,
    ),
  },
  all: {
    ...of(
      "mask",
      "Whether the mask is true everywhere along this axis, or several; without any, along all but `batch`. Alone, `all` is every token.",
      mask("m"),
      axes,
    ),
  },
  norm: reduction("The Euclidean length"),
  quantile: of(
    "number",
    "The smallest of the numbers along this axis, or several, that at least the share `q` of them does not exceed; `q` is known before the run.",
    number("x"),
    number("q"),
    axes,
  ),
  dft: of(
    "number",
    "The frequencies along this axis, or several: of n numbers x_t the sums of x_t (cos(2π k t / n) - i sin(2π k t / n)), for k from 0 to n - 1, along the last axis to n / 2. They lie along `frequency`, real and imaginary part along `part`.",
    number("x"),
    { name: "axis", kind: "axis", many: true },
  ),
  abs: each("The absolute value"),
  floor: of("number", "The largest whole number that is not above the element.", number("x")),
  ceil: of("number", "The smallest whole number that is not below the element.", number("x")),
  round: of("number", "The nearest whole number; halves go up.", number("x")),
  mod: of(
    "number",
    "What is left of `a` after division by `b`, element by element, with the sign of `b`.",
    number("a"),
    number("b"),
  ),
  sign: of("number", "-1, 0 or 1, the sign of each element; without a gradient.", number("x")),
  softplus: of("number", "`log(1 + exp(x))` of each element, which overflows nowhere.", number("x")),
  sqrt: each("The square root"),
  square: each("The square"),
  exp: each("e to the power"),
  log: each("The natural logarithm"),
  tanh: each("The hyperbolic tangent"),
  sigmoid: each("The logistic function"),
  sin: each("The sine"),
  cos: each("The cosine"),
  pow: of("number", "`a` to the power of `b`, element by element; the same as `a ^ b`.", number("a"), number("b")),
  clamp: of("number", "Each element, not below `lo` and not above `hi`.", number("x"), number("lo"), number("hi")),
  where: of(
    "like",
    "`a` where the mask is true, else `b`; the same as `if m then a else b`.",
    mask("m"),
    any("a"),
    any("b"),
  ),
  float: of("number", "A mask as numbers: 1 where it is true, else 0.", mask("m")),
  tokens: of("like", "Grid axes and `mel` as tokens and `channel`.", any("x")),
  grid: of("like", "Tokens as the grid axes that they are the product of.", any("x")),
  concat: of(
    "like",
    "Both joined along an axis other than `batch`, which is then twice as long: it meets only values joined like it.",
    any("a"),
    any("b"),
    axis,
  ),
  stop_gradient: of("like", "The same value, through which no gradient flows.", any("x")),
  snr: of("number", "Signal to noise at a level: `((1 - sigma) / max(sigma, 1e-3))^2`.", number("sigma")),
  blur: of(
    "number",
    "Over height and width, tokens too: a Gaussian of that standard deviation in cells; weights outside the edge are shared out among the cells inside.",
    number("x"),
    number("radius"),
  ),
  dilate: of("like", "Over height and width, tokens too: the maximum within `n` cells.", any("m"), number("n")),
  shift: of(
    "like",
    "The value `n` places earlier along an axis, later for a negative `n`; the edge is repeated.",
    any("x"),
    axis,
    number("n"),
  ),
  others: of(
    "like",
    "With the axis `other` behind `batch`: for each sample the values of all others in its batch, never its own.",
    any("x"),
  ),
  assigned: of(
    "number",
    "`x`, its samples in the order in which they lie nearest to those of `to`, as in `noise: assigned(randn(), clean)`; exactly in batches of up to eight, larger ones in groups of eight.",
    number("x"),
    number("to"),
  ),
  randn: of("number", "Normal numbers, one for each sample, or what `per` says; in `noise` one for each element."),
  uniform: of(
    "number",
    "Uniform numbers from `lo` to `hi`, one for each sample, or what `per` says.",
    number("lo"),
    number("hi"),
  ),
  bernoulli: of("mask", "True with probability `p`, drawn once for each sample, or what `per` says.", number("p")),
  randint: of(
    "number",
    "Whole numbers from `lo` up to, and without, `hi`, one for each sample, or what `per` says.",
    number("lo"),
    number("hi"),
  ),
  has: of(
    "mask",
    "True for the samples that have a file of a source with `optional: true`, or of one that some data set is `without`.",
    {
      name: "source",
      kind: "optional source",
    },
  ),
  in: of("mask", "True for the samples of a data set.", { name: "dataset", kind: "dataset" }),
  key: inAttention(
    of("like", "In `attention` only: the value at the key; a plain value belongs to the query.", any("x")),
  ),
  from: inAttention(
    of("mask", "In `attention` only: true on the tokens of a reference.", { name: "source", kind: "source" }),
  ),
};

/** Masks and samplers of a modality: `video.prefix(2)`, inside of `video` just `prefix(2)`. */
export const methodDocs: Readonly<Record<string, FunctionDoc>> = {
  first_frame: inModality({ ...of("mask", "The first latent frame, of audio the first step."), bare: true }),
  prefix: inModality(
    of(
      "mask",
      "The first `n`: latent frames (`2lf`), pixel frames (`12f`), seconds (`0.5s`) or percent; a latent frame that is partly inside counts.",
      number("n"),
    ),
  ),
  suffix: inModality(
    of(
      "mask",
      "The last `n`: latent frames (`2lf`), pixel frames (`12f`), seconds (`0.5s`) or percent; a latent frame that is partly inside counts.",
      number("n"),
    ),
  ),
  crop: inModality(
    of(
      "mask",
      "A rectangle in every frame, in pixels (`64px`) or percent; a latent cell that is partly inside counts. Of bare numbers, which are pixels, every edge is rounded down.",
      number("y1"),
      number("x1"),
      number("y2"),
      number("x2"),
    ),
  ),
  all: inModality({ ...of("mask", "Every token."), bare: true }),
  sampled: inModality(
    of("number", "The run's sampler of noise levels (`flow_matching`), one level for each sample, or what `per` says."),
  ),
  shifted_logit_normal: inModality(
    of(
      "number",
      "The sampler of that name with these parameters, by default 1, 0.001 and 0.1.",
      optional("std"),
      optional("eps"),
      optional("uniform_prob"),
    ),
  ),
};

/** What stands for a field that the file does not write. */
export const formulas = {
  sigma: "sampled()",
  noise: "randn()",
  noisy: "(1 - sigma) * clean + sigma * noise",
  target: "noise - clean",
  denoised: "noisy - timesteps * prediction",
} as const;

export interface FieldDoc {
  readonly text: string;
  /** Of fields that follow from others by a rule of the language. */
  readonly formula?: string;
  readonly type: string;
}

const elements = "f32[batch, token, channel]";
const coordinate = (text: string, type = "f32[token]"): FieldDoc => ({ text, type });

/** Fields, sizes and coordinates of a modality. */
export const fieldDocs: Readonly<Record<string, FieldDoc>> = {
  clean: { text: "The tokens of the source, without noise.", type: elements },
  noise: { text: "What is mixed into the clean tokens.", formula: formulas.noise, type: elements },
  noisy: { text: "What the model is given; kept tokens are clean.", formula: formulas.noisy, type: elements },
  target: { text: "What the prediction should be.", formula: formulas.target, type: elements },
  prediction: { text: "What the model gives: a velocity, for each token of the target.", type: elements },
  denoised: {
    text: "The clean estimate that follows from the prediction.",
    formula: formulas.denoised,
    type: elements,
  },
  sigma: { text: "The noise level as drawn.", formula: formulas.sigma, type: "f32[batch]" },
  timesteps: {
    text: "The noise level of each token, 0 where it is kept.",
    formula: "if keep then 0 else sigma",
    type: "f32[batch, token]",
  },
  keep: { text: "Tokens that stay clean.", type: "bool[batch, token]" },
  generated: { text: "Tokens that are noised and predicted.", formula: "not keep", type: "bool[batch, token]" },
  fps: { text: "Frames per second, one number for each sample.", type: "f32[batch]" },
  frames: { text: "How many latent frames there are.", type: "a number" },
  height: { text: "Latent cells from top to bottom.", type: "a number" },
  width: { text: "Latent cells from left to right.", type: "a number" },
  steps: { text: "How many latent steps of audio there are.", type: "a number" },
  frame_index: coordinate("The token's latent frame, from 0."),
  row: coordinate("The token's row of latent cells, from 0."),
  column: coordinate("The token's column of latent cells, from 0."),
  step_index: coordinate("The token's latent step, from 0."),
  time: coordinate("The start of the token in seconds.", "f32[batch, token]"),
};

/** How far the run has come. */
export const progressDocs: Readonly<Record<string, FieldDoc>> = {
  global_step: { text: "Finished optimizer steps.", type: "a number" },
  progress: { text: "The share of the run that is done, 0 to 1.", type: "a number" },
};

/** In `text` alone: a text with trained tokens in front. */
export const textDocs: Readonly<Record<string, FunctionDoc>> = {
  insert: {
    forms: [
      [
        { name: "source", kind: "text" },
        { name: "weight", kind: "trained", many: true },
      ],
    ],
    gives: "text",
    text: "The text of a source with the trained tokens of one or more `weights` in front.",
  },
};

/** The words of an expression that are no names. */
/** Units of lengths, for `prefix`, `suffix` and `crop`. */
export const unitDocs: Readonly<Record<Unit, string>> = {
  lf: "Latent frames, of audio latent steps.",
  f: "Pixel frames: the first latent frame is one, all others are eight.",
  s: "Seconds, by the `fps` of the sample.",
  px: "Pixels: a latent cell is 32 wide and high.",
  "%": "Percent of the axis.",
};

/** Words that mean something at the end of an entry of `expect` alone. */
export const expectDocs: Readonly<Record<string, string>> = {
  about: "`mean(video.keep) about 0.1`: what the value is on average, over many draws; `ltxc test` tries it.",
  within:
    "`mean(video.keep) about 0.1 within 0.02`: how far the average may be off; without it a tenth of the number, at least 0.01.",
};

export const keywordDocs: Readonly<Record<string, string>> = {
  true: "A mask that holds everywhere.",
  false: "A mask that holds nowhere.",
  if: "`if m then a else b`: for each element `a` where the mask `m` is true, else `b`.",
  // oxlint-disable-next-line unicorn/no-thenable -- a word of the language
  then: "`if m then a else b`: for each element `a` where the mask `m` is true, else `b`.",
  else: "`if m then a else b`: for each element `a` where the mask `m` is true, else `b`.",
  and: "`a and b`: true where both masks are.",
  or: "`a or b`: true where one of the masks is, or both are.",
  not: "`not m`: true where the mask is not.",
  over: "`mse(a, b) over m`: the mean over the tokens where the mask `m` is true, or weighted by the numbers `m`.",
  per: "`uniform(0, 1) per frame`: one draw for each frame; `per (frame, channel)` for each pair.",
  with: "`m with probability p`: the entry counts in a share `p` of the samples, drawn anew in each step.",
  probability: "`m with probability p`: the entry counts in a share `p` of the samples, drawn anew in each step.",
};

/** Of a function that is called by this name, of a modality or not; null for what is none. */
export function docOf(name: string): FunctionDoc | null {
  const all = [functionDocs, methodDocs, textDocs].find((docs) => Object.hasOwn(docs, name));
  return all?.[name] ?? null;
}

/** `clamp(x, lo, hi)`; an argument that may be left out, and those that may follow, as `[axis=…]`. */
export function signatureOf(name: string, form: readonly ParameterDoc[], bare = false): string {
  if (bare) return name;
  const shown = form.map((parameter) => parameterText(parameter));
  return `${name}(${shown.join(", ")})`;
}

/** `lo`, `axis=…` for what may be left out. */
export function parameterText({ name, optional }: ParameterDoc): string {
  return optional === true ? `${name}=…` : name;
}
