/** A strategy with something of everything that `ltxc inspect` shows. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const strategy = `strategy: looked_at
description: "<b>Bold</b> & \\"quoted\\""
sources:
  latents: {directory: latents, kind: video_latents}
  sound: {directory: sound, kind: audio_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  hole: {directory: hole, kind: video_mask}
  depth: {directory: depth, kind: video_latents}
video:
  latents: latents
  sigma: sampled() per frame
  keep: hole < 0.5
  references: [depth]
  attention: not (key(from(depth)) and hole > 0.5)
audio:
  latents: sound
  generate: false
loss:
  v: mse(video.prediction, video.target) over video.generated over (1 + float(video.row < 4))
expect:
  - video.timesteps < 1
  - hole > 0.5
`;

/** Its levels come from the sampler, which takes less time than many small steps. */
export const withoutLevels = strategy.replace("  sigma: sampled() per frame\n", "");

/** Calls `body` in a folder that holds this strategy alone. */
export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-inspect-"));
  try {
    await writeFile(join(folder, "looked_at.strategy"), strategy);
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
