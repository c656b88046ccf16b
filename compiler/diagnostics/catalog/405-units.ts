import type { Entry } from "./entry.ts";

const strategy = (keep: string, params = ""): string =>
  `strategy: example\nlanguage: 2\n${params}sources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\nvideo:\n  latents: latents\n  keep: ${keep}\nloss:\n  video: mse(video.prediction, video.target) over video.generated\n`;

/** Lengths and their units, in version 2 of the language. */
export const entries = [
  {
    code: "LTX4051",
    slug: "length-without-unit",
    title: "A length has no unit",
    explanation:
      "In version 2 of the language `prefix` and `suffix` take latent frames (`2lf`, of audio latent steps), pixel frames (`12f`), seconds (`0.5s`) or percent (`33%`), and `crop` takes pixels (`64px`) or percent. A bare number counts latent frames or pixels in version 1, which is easily mistaken; `ltxc fmt --upgrade` writes the units. A parameter gets its unit where it is declared: `unit: lf`. Zero needs none.",
    bad: strategy("prefix(2)"),
    good: strategy("prefix(2lf)"),
  },
  {
    code: "LTX4052",
    slug: "unit-of-another-place",
    title: "A length in a unit that its place does not have",
    explanation:
      "`prefix` and `suffix` run along frames or steps, so they take no pixels; `crop` runs over rows and columns, so it takes pixels or percent alone. Audio has no pixel frames: give seconds there.",
    bad: strategy("prefix(64px)"),
    good: strategy("crop(0, 0, 64px, 50%)"),
  },
  {
    code: "LTX4053",
    slug: "units-mixed",
    title: "Numbers of different units meet",
    explanation:
      "Lengths are added, subtracted and compared in one unit, and multiplied or divided by plain numbers. How many latent frames a second has depends on the clip, so nothing is turned into another unit on the way. The quotient of two lengths of one unit is a plain number.",
    bad: strategy("prefix(2lf + 0.5s)"),
    good: strategy("prefix(2lf + 1lf)"),
  },
  {
    code: "LTX4054",
    slug: "unit-where-number",
    title: "A number with a unit where a plain number is wanted",
    explanation:
      "Only `prefix`, `suffix` and `crop` take lengths. Probabilities, noise levels, factors and the radii of `blur` and `dilate` are plain numbers. A length divided by `1lf` is the number alone.",
    bad: strategy("prefix(2lf) with probability 10%"),
    good: strategy("prefix(2lf) with probability 0.1"),
  },
  {
    code: "LTX4055",
    slug: "unit-of-no-number",
    title: "A parameter that is no number has a unit",
    explanation: "`unit` says what a number counts, or the numbers of a list. Texts and booleans have none.",
    bad: strategy("prefix(2lf)", "params:\n  mode: {type: string, default: soft, unit: lf}\n"),
    good: strategy("prefix(given)", "params:\n  given: {type: integer, default: 2, unit: lf}\n"),
  },
] as const satisfies readonly Entry[];
