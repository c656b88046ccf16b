import type { Entry } from "./entry.ts";

const velocity = "mse(video.prediction, video.target)";

/** What `ltxc test` finds on batches that it makes. */
export const entries = [
  {
    code: "LTX7101",
    slug: "expectation-not-met",
    title: "What the strategy expects is not true",
    explanation:
      "A mask under `expect` is false somewhere on a batch that `ltxc test` made. The finding says on which one and at which place, " +
      "with the values that the expectation reads. Either the strategy does what it should not, or the expectation holds for fewer " +
      "batches than it claims: masks may be empty or full, and a video may have a single frame.",
    bad: "video:\n  keep: hole > 0.5\nexpect:\n  - video.generated == (hole > 0.5)   # the other way round",
    good: "video:\n  keep: not (hole > 0.5)\nexpect:\n  - not video.generated or hole > 0.5",
  },
  {
    code: "LTX7102",
    slug: "value-not-finite",
    title: "A value is infinite or not a number",
    explanation:
      "A division by 0, a root or logarithm of a number below 0, or an exponential that is too large. Of values that follow from each " +
      "other the first is named. Masks may be empty: a mean over one divides by 0 unless it is written with `over`.",
    bad: "loss:\n  hole: mean(float(hole) * square(video.prediction)) / mean(float(hole))",
    good: "loss:\n  hole: mse(video.prediction, video.target) over hole",
  },
  {
    code: "LTX7103",
    slug: "level-out-of-range",
    title: "A noise level lies outside of 0 to 1",
    explanation:
      "Noise levels are shares of noise: 0 is clean, 1 is nothing but noise. The model knows no other timesteps.",
    bad: "video:\n  sigma: 1.5 * sampled()",
    good: "video:\n  sigma: clamp(1.5 * sampled(), 0, 1)",
  },
  {
    code: "LTX7104",
    slug: "weight-below-zero",
    title: "A loss is weighted with a number below 0",
    explanation:
      "`over` takes a mask or weights that are not below 0. A negative weight rewards the model for being wrong there, and the sum of " +
      "the weights, by which the mean is divided, may become 0.",
    bad: `loss:\n  velocity: ${velocity} over (1 - 2 * float(hole))`,
    good: `loss:\n  velocity: ${velocity} over (2 - float(hole))`,
  },
  {
    code: "LTX7105",
    slug: "kept-not-clean",
    title: "A kept token is noised",
    explanation:
      "Kept tokens enter the model as they are, with timestep 0; this one does not. The compiler makes sure of it, so this is a mistake of " +
      "ltxc: please report it with the strategy.",
    bad: "video:\n  keep: first_frame   # and the first frame is noised",
    good: "video:\n  keep: first_frame   # and the first frame is clean",
  },
  {
    code: "LTX7106",
    slug: "step-fails",
    title: "The step cannot be calculated",
    explanation:
      "On this batch an operation of the strategy failed, most often since two axes of the same name have different lengths. Sources of " +
      "kind `tensor` get the lengths of the grid, and as many features as the last of the strategy's heads.",
    bad: "sources:\n  a: {directory: a, kind: tensor, key: x, axes: [feature]}\noutputs:\n  mid: {tap: block 4, modality: video}\n  one: {linear: mid, features: 8}\n  two: {linear: mid, features: 16}\nloss:\n  one: mse(one, a)\n  two: mse(two, a)",
    good: "sources:\n  a: {directory: a, kind: tensor, key: x, axes: [feature]}\noutputs:\n  mid: {tap: block 4, modality: video}\n  one: {linear: mid, features: 8}\nloss:\n  one: mse(one, a)",
  },
] as const satisfies readonly Entry[];
