/** Words of Python, PyTorch, NumPy, diffusers and other trainers, and what they are here. Only names that mean nothing are looked up. */

/** What stands for a foreign word. */
interface Foreign {
  /** Or made of the first argument as it is written. */
  readonly help: string | ((first: string) => string);
  /**
   * The call written in this language, of the arguments as they are written; null where they are not what it needs. Given only where the
   * result is certainly the same.
   */
  readonly write?: (args: readonly string[]) => string | null;
}

/** Modules whose functions people call with a prefix: `torch.mean(x)`, `F.mse_loss(a, b)`. */
export const foreignModules: ReadonlySet<string> = new Set([
  "torch",
  "F",
  "nn",
  "np",
  "numpy",
  "math",
  "tf",
  "jnp",
  "Math",
]);

const joined = (args: readonly string[]) => args.join(", ");

/** Another name of one of our functions, which takes the same arguments. */
function same(name: string, signature: string, count: number): Foreign {
  const write = (args: readonly string[]) => (args.length === count ? `${name}(${joined(args)})` : null);
  return { help: `write \`${name}(${signature})\``, write };
}

const hint = (help: Foreign["help"]): Foreign => ({ help });

const smoothL1: Foreign = {
  help: "write `huber(a, b, 1)`; the number is where the square turns into a line",
  write: (args) => (args.length === 2 ? `huber(${joined(args)}, 1)` : null),
};
const mse = same("mse", "a, b", 2);
const mae = same("mae", "a, b", 2);
const stopGradient = same("stop_gradient", "x", 1);
const normal = hint("write `randn()`; `per` gives the axes: `randn() per element`");
const plainNumber = hint("write a number: it stands for every element");
const extreme = hint(
  (x) =>
    `the places of values are not to be had; \`max(${x})\` and \`min(${x})\` are the ends, a comparison makes a mask`,
);
const presence = hint(
  "`has(depth)` is true for the samples that have a file of a source `depth` with `optional: true`",
);
const membership = hint(
  "`in(prior)` is true for the samples of a data set `prior`, which is declared under `datasets`",
);
const sorted = hint(
  (x) =>
    `nothing is sorted here, and a mean or a sum needs no order: write \`${x}\` alone; \`max(${x})\` and \`min(${x})\` are its ends`,
);
const middle = hint(
  (x) =>
    `the median over the tokens is \`quantile(${x}, 0.5, axis=token)\`; of one number there is none, and the mean of all is \`mean(${x})\``,
);
const largest = hint(
  (x) =>
    `nothing is sorted here: the largest tenth of the tokens is the mask \`${x} > quantile(${x}, 0.9, axis=token)\`, for \`over\`; the largest is \`max(${x})\``,
);
const rounding = hint((x) => `\`round(${x})\`, \`floor(${x})\` and \`ceil(${x})\` give whole numbers`);
const similarity: Foreign = {
  help: "write `1 - cosine_distance(a, b)`",
  write: (args) => (args.length === 2 ? `(1 - cosine_distance(${joined(args)}))` : null),
};
const logitNormal: Foreign = {
  help: "write `sigmoid(mean + std * randn())`; `sampled()` is the run's own sampler",
  write: (args) => (args.length === 2 ? `sigmoid(${args[0]} + ${args[1]} * randn())` : null),
};
const remainder: Foreign = {
  help: "write `mod(a, b)`",
  write: (args) => (args.length === 2 ? `mod(${joined(args)})` : null),
};
const own = hint("it is a function of your own, written in TypeScript and declared under `imports`");
const resized = hint(
  (x) => `write \`${x}\` alone: everything of one modality has the same grid; only a reference may have another size`,
);
const counted = hint(
  "`sum(float(m))` counts the tokens of a mask; sizes are `video.frames`, `video.height` and `video.width`",
);
const steps = hint("`global_step` counts the finished steps, `progress` is their share of the run, from 0 to 1");
const pi: Foreign = { help: "write `3.14159265`", write: (args) => (args.length === 0 ? "3.14159265" : null) };

/** A comparison or a logical operator that another language writes as a function. */
const operator = (sign: string): Foreign => ({
  help: `write \`a ${sign} b\``,
  write: (args) => (args.length === 2 ? `(${args.join(` ${sign} `)})` : null),
});
const deviation = hint("write it out: the variance is `mean(square(x - mean(x)))`, its `sqrt` the deviation");

/** By the word in lower case without underscores, so that `MSELoss` and `mse_loss` are one. */
const words: Readonly<Record<string, Foreign>> = {
  mseloss: mse,
  l2: mse,
  l2loss: mse,
  meansquarederror: mse,
  l1: mae,
  l1loss: mae,
  maeloss: mae,
  smoothl1: smoothL1,
  smoothl1loss: smoothL1,
  huberloss: hint("write `huber(a, b, delta)`"),
  pseudohuber: hint("`charbonnier(a, b)` is near to it; with a width `c` write `mean(sqrt((a - b)^2 + c^2) - c)`"),
  cosinesimilarity: similarity,
  cossim: similarity,
  bce: hint("compare with `mse` or `mae`; a cross entropy is written with `log`"),
  crossentropy: hint("compare with `mse` or `mae`; a cross entropy is written with `log`"),
  logitnormal: logitNormal,
  lognormal: hint("write `exp(mean + std * randn())`"),
  normal,
  gaussian: normal,
  randnlike: normal,
  randlike: hint("write `uniform(0, 1)`; `per` gives the axes: `uniform(0, 1) per element`"),
  rand: hint("write `uniform(0, 1)`; `per` gives the axes: `uniform(0, 1) per frame`"),
  random: { help: "write `uniform(0, 1)`", write: (args) => (args.length === 0 ? "uniform(0, 1)" : null) },
  detach: stopGradient,
  stopgrad: stopGradient,
  nograd: stopGradient,
  sg: stopGradient,
  stop: stopGradient,
  log2: {
    help: "write `log(x) / 0.69314718`",
    write: (args) => (args.length === 1 ? `(log(${args[0]}) / 0.69314718)` : null),
  },
  log10: {
    help: "write `log(x) / 2.30258509`",
    write: (args) => (args.length === 1 ? `(log(${args[0]}) / 2.30258509)` : null),
  },
  beta: hint(
    "there are `uniform(0, 1)` and `randn()`: `sigmoid(randn())` also draws levels around the middle most often",
  ),
  auto: hint("leave the key out; what it stands for then is in LANGUAGE.md"),
  first: hint("write `first_frame`, or `prefix(2lf)` for two latent frames"),
  last: hint("write `suffix(1lf)`, or `suffix(2lf)` for two latent frames"),
  clip: same("clamp", "x, lo, hi", 3),
  clampmin: same("max", "a, b", 2),
  clampmax: same("min", "a, b", 2),
  maximum: same("max", "a, b", 2),
  minimum: same("min", "a, b", 2),
  relu: { help: "write `max(x, 0)`", write: (args) => (args.length === 1 ? `max(${joined(args)}, 0)` : null) },
  avg: same("mean", "x", 1),
  average: same("mean", "x", 1),
  absolute: same("abs", "x", 1),
  fabs: same("abs", "x", 1),
  ln: same("log", "x", 1),
  power: same("pow", "a, b", 2),
  sqr: same("square", "x", 1),
  logicalnot: { help: "write `not m`", write: (args) => (args.length === 1 ? `(not (${joined(args)}))` : null) },
  logicaland: operator("and"),
  logicalor: operator("or"),
  gt: operator(">"),
  greater: operator(">"),
  ge: operator(">="),
  lt: operator("<"),
  less: operator("<"),
  le: operator("<="),
  eq: operator("=="),
  add: operator("+"),
  sub: operator("-"),
  subtract: operator("-"),
  mul: operator("*"),
  multiply: operator("*"),
  div: operator("/"),
  divide: operator("/"),
  truedivide: operator("/"),
  pi,
  lpips: own,
  ssim: own,
  msssim: own,
  perceptual: own,
  vgg: own,
  fft: own,
  conv2d: own,
  conv3d: own,
  kl: hint("compare with `mse` or `mae`; of two distributions it is written with `log`"),
  kldiv: hint("compare with `mse` or `mae`; of two distributions it is written with `log`"),
  loss: hint(
    "write one of `mse(a, b)`, `mae(a, b)`, `huber(a, b, delta)`, `charbonnier(a, b)` and `cosine_distance(a, b)`",
  ),
  lossfn: hint(
    "write one of `mse(a, b)`, `mae(a, b)`, `huber(a, b, delta)`, `charbonnier(a, b)` and `cosine_distance(a, b)`",
  ),
  criterion: hint(
    "write one of `mse(a, b)`, `mae(a, b)`, `huber(a, b, delta)`, `charbonnier(a, b)` and `cosine_distance(a, b)`",
  ),
  resize: resized,
  interpolate: resized,
  upsample: resized,
  avgpool: hint("write `blur(x, radius)`, or reduce an axis, e.g. `mean(x, axis=frame)`"),
  maxpool: hint("write `dilate(m, n)`: the maximum within `n` cells"),
  maxpool2d: hint("write `dilate(m, n)`: the maximum within `n` cells"),
  erode: hint("write `not dilate(not m, n)`"),
  gaussianblur: same("blur", "x, radius", 2),
  len: counted,
  numel: counted,
  countnonzero: counted,
  step: steps,
  steps: steps,
  maxsteps: steps,
  totalsteps: steps,
  numsteps: steps,
  trainsteps: steps,
  iteration: steps,
  epoch: steps,
  globalsteps: steps,
  currentstep: steps,
  invert: hint("write `not m`"),
  xor: hint("write `(a and not b) or (b and not a)`"),
  fmod: remainder,
  remainder,
  rint: rounding,
  trunc: rounding,
  std: deviation,
  var: deviation,
  median: middle,
  sort: sorted,
  sorted,
  argsort: sorted,
  topk: largest,
  percentile: largest,
  argmax: extreme,
  argmin: extreme,
  softmax: hint("write `exp(x) / sum(exp(x), axis)`; subtract the maximum first where `x` may be large"),
  ones: plainNumber,
  zeros: plainNumber,
  oneslike: plainNumber,
  zeroslike: plainNumber,
  fulllike: plainNumber,
  tensor: plainNumber,
  cat: same("concat", "a, b, axis", 3),
  concatenate: same("concat", "a, b, axis", 3),
  stack: hint("values are combined by the names of their axes; `concat(a, b, axis)` joins two along one"),
  roll: hint("write `shift(x, axis, n)`; it repeats the edge instead of rolling over"),
  unsqueeze: hint("leave it out: values are combined by the names of their axes"),
  squeeze: hint("leave it out: values are combined by the names of their axes"),
  reshape: hint("leave it out: values are combined by the names of their axes"),
  view: hint("leave it out: values are combined by the names of their axes"),
  permute: hint("leave it out: values are combined by the names of their axes"),
  transpose: hint("leave it out: values are combined by the names of their axes"),
  expand: hint("leave it out: a value is repeated along an axis that it lacks"),
  item: hint("leave it out"),
  to: hint("leave it out: types follow from the values"),
  bool: hint("a comparison makes a mask: `x > 0.5`"),
  int: hint("write `floor(x)`"),
  lambda: hint("a function is a `let` with arguments: `half(x): x / 2`"),
  none: hint("leave the key out; what it stands for then is in LANGUAGE.md"),
  null: hint("leave the key out; what it stands for then is in LANGUAGE.md"),
  true: { help: "write `true`", write: () => "true" },
  false: { help: "write `false`", write: () => "false" },
  minsnr: hint("for a velocity it is `min(snr(video.sigma), 5) * video.sigma^2`, a factor in front of the loss"),
  snrweight: hint("for a velocity it is `min(snr(video.sigma), 5) * video.sigma^2`, a factor in front of the loss"),
  dropout: hint("write `with probability p` behind an entry of `keep` or `references`"),
  firstframes: prefixLike("prefix"),
  lastframes: prefixLike("suffix"),
  lastframe: hint("write `suffix(1lf)`; outside of the section `video.suffix(1lf)`"),
  exists: presence,
  present: presence,
  available: presence,
  isnull: presence,
  isnone: presence,
  hasattr: presence,
  dataset: membership,
  datasetname: membership,
  isprior: membership,
  isreg: membership,
  isregularization: membership,
  i2v: hint("the first frame is given: write `keep: first_frame`"),
  imagetovideo: hint("the first frame is given: write `keep: first_frame`"),
};

function prefixLike(name: string): Foreign {
  return { help: `write \`${name}(2lf)\` for two latent frames; outside of the section \`video.${name}(2lf)\`` };
}

/** Fields of a modality under the names that other trainers give them. */
const fields: Readonly<Record<string, string>> = {
  pred: "prediction",
  modelpred: "prediction",
  modeloutput: "prediction",
  noisepred: "prediction",
  output: "prediction",
  vpred: "prediction",
  velocity: "target",
  vtarget: "target",
  groundtruth: "target",
  label: "target",
  x0: "clean",
  latent: "clean",
  latents: "clean",
  cleanlatents: "clean",
  eps: "noise",
  epsilon: "noise",
  xt: "noisy",
  zt: "noisy",
  noisylatents: "noisy",
  noisyinput: "noisy",
  t: "sigma",
  timestep: "timesteps",
  sigmas: "sigma",
  numframes: "frames",
  nframes: "frames",
  conditioningmask: "keep",
  conditionmask: "keep",
  lossmask: "generated",
  predx0: "denoised",
};

const plain = (word: string): string => word.toLowerCase().replaceAll("_", "");

/** What a function or constant of another language is here, or null. */
export function foreignWord(word: string): Foreign | null {
  const key = plain(word);
  return Object.hasOwn(words, key) ? (words[key] ?? null) : null;
}

/** The field of a modality that other trainers call `word`, or null. */
export function foreignField(word: string): string | null {
  const key = plain(word);
  return Object.hasOwn(fields, key) ? (fields[key] ?? null) : null;
}
