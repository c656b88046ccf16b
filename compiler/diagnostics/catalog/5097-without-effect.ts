import type { Entry } from "./entry.ts";

const velocity = "mse(video.prediction, video.target)";

const strategy = (keys: string, loss: string, more = ""): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\n${more}video:\n  latents: latents\n${keys}loss:\n  velocity: ${loss}\n`;

const kept = `${velocity} over video.generated`;

const withSound = (weight: string): string =>
  strategy("", `min(snr(${weight}), 5) * ${velocity}`, "  sound: {directory: sound, kind: audio_latents}\n").replace(
    "loss:\n",
    "audio:\n  latents: sound\nloss:\n  audio: mse(audio.prediction, audio.target)\n",
  );

/** Draws, levels and weights that do not do what is written. */
export const entries = [
  {
    code: "LTX5097",
    slug: "foregone-comparison",
    title: "A comparison is the same whatever is drawn",
    explanation:
      "`uniform(0, 1)` lies between 0 and 1, as levels and `progress` do, so a comparison with a number outside decides nothing: what depends on it happens always or never.",
    bad: strategy("  keep: first_frame and uniform(0, 1) > 1\n", kept),
    good: strategy("  keep: first_frame and uniform(0, 1) > 0.9\n", kept),
  },
  {
    code: "LTX5098",
    slug: "foregone-entry",
    title: "An entry is drawn always or never",
    explanation:
      "`with probability 1` takes an entry for every sample: of several texts, those behind it are never used. `with probability 0` takes it for none.",
    bad: strategy("  keep: first_frame and frames > 1 with probability 0\n", kept),
    good: strategy("  keep: first_frame and frames > 1 with probability 0.1\n", kept),
  },
  {
    code: "LTX5099",
    slug: "level-of-the-other",
    title: "A loss reads the noise level of the other modality",
    explanation:
      "Video and audio draw their noise levels apart, unless one takes the other's by `sigma: video.sigma`. A weight by the level of the other modality says nothing of how noisy the one is that the loss compares.",
    bad: withSound("audio.sigma"),
    good: withSound("video.sigma"),
  },
  {
    code: "LTX5100",
    slug: "cancelled-factor",
    title: "A factor is divided out again",
    explanation: "What multiplies a value and divides it, too, has no effect on it.",
    bad: strategy("", `video.sigma * ${velocity} / video.sigma`),
    good: strategy("", `video.sigma * ${velocity}`),
  },
] as const satisfies readonly Entry[];
