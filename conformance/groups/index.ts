import type { Replay } from "../case.ts";

/** The groups that this version replays, each imported when it is asked for. */
export const replays: Readonly<Record<string, Replay>> = {
  positions: async (...args) => (await import("./positions.ts")).replay(...args),
  sampler: async (...args) => (await import("./sampler.ts")).replay(...args),
  embeddings: async (...args) => (await import("./embeddings.ts")).replay(...args),
  transformer: async (...args) => (await import("./transformer.ts")).replay(...args),
  ptfiles: async (...args) => (await import("./ptfiles.ts")).replay(...args),
  schedulers: async (...args) => (await import("./schedulers.ts")).replay(...args),
  sigma_tracker: async (...args) => (await import("./sigma_tracker.ts")).replay(...args),
  strategy: async (...args) => (await import("./strategy.ts")).replay(...args),
  video_vae: async (...args) => (await import("./video_vae.ts")).replay(...args),
  pixels: async (...args) => (await import("./pixels.ts")).replay(...args),
  passes: async (...args) => (await import("./passes.ts")).replay(...args),
  training: async (...args) => (await import("./training.ts")).replay(...args),
};
