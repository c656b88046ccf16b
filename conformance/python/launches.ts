import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { textOf } from "../../bin/project/official-step.ts";
import { compilePython } from "../../compiler/index.ts";
import { uniform } from "../../runtime/random/philox.ts";

const withHeads = `strategy: heads
params:
  features_dir: {type: string, default: features}
sources:
  latents: {directory: latents, kind: video_latents}
  features: {directory: "\${features_dir}", kind: tensor, key: features, axes: [token:video, feature]}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
outputs:
  middle: {tap: block 1, modality: video}
  wide: {linear: middle, features: 6, activation: silu}
  aligned: {linear: wide, features: 8}
loss:
  video: mse(video.prediction, video.target)
  align: cosine_distance(aligned, features)
`;

/** Calls the model six times in a step, before the step's own call and after it, with texts that are chosen, and with a head. */
const withPasses = `strategy: passes
sources:
  latents: {directory: latents, kind: video_latents}
  worse: {directory: mask_latents, kind: video_latents, like: latents}
  conditions: {directory: conditions, kind: text_embeddings}
  general: {file: texts/general.pt, kind: text_embeddings}
passes:
  base: {adapters: false}
  now: {video: {text: general}}
  before: {adapters: false, video: {text: general}}
  lose: {video: {latents: worse}}
  next: {gradient: through, video: {sigma: 0.9 * video.sigma, noisy: video.noisy - 0.1 * video.prediction}}
video:
  latents: latents
  text:
    - general with probability 0.5
    - conditions
outputs:
  middle: {tap: block 1, modality: video}
  guess: {linear: middle, features: 4}
loss:
  video: mse(video.prediction, video.target)
  moved: mse(video.prediction, base.video.prediction)
  preserve: mse(now.video.prediction, before.video.prediction)
  lose: 0.1 * mse(lose.video.prediction, lose.video.target)
  next: 0.1 * mse(next.video.prediction, video.target)
  head: 0.01 * mean(square(guess))
`;

const tooDeep = `strategy: deep
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
outputs:
  last: {tap: block 40, modality: video}
loss:
  video: mse(video.prediction, video.target)
  small: mean(last)
`;

/** Width of the stand-in model's streams, and the seed of the runs in launches.py. */
const WIDTH = 8;
const SEED = 7;

/** Compiles what launches.py starts into `folder`, and says where `ltxc run` starts the heads. */
export async function recordLaunches(folder: string): Promise<unknown> {
  const inpainting = (await textOf({ name: "inpainting" })) ?? "";
  const modules: Record<string, string> = {};
  for (const [name, text] of Object.entries({ inpainting, heads: withHeads, passes: withPasses, deep: tooDeep })) {
    const { artifacts, diagnostics } = compilePython({ path: `${name}.strategy`, text });
    const [made] = artifacts;
    if (made === undefined) throw new Error(`${name}: ${diagnostics.map(({ message }) => message).join("; ")}`);
    modules[name] = join(folder, made.name);
    await writeFile(join(folder, made.name), made.text);
  }
  return { modules, heads: { ...startOf("wide", WIDTH, 6), ...startOf("aligned", 6, 8) } };
}

/** Weight and bias of a head as `ltxc run` starts them. */
function startOf(name: string, inputs: number, features: number): Readonly<Record<string, readonly number[]>> {
  const sizes = { weight: inputs * features, bias: features };
  const entries = Object.entries(sizes).map(([key, count]) => {
    const full = `outputs.${name}.${key}`;
    const random = uniform({ seed: SEED, step: 0, microBatch: 0, name: full }, count);
    return [full, Array.from(random.map((u) => (2 * u - 1) * (1 / Math.sqrt(inputs))))] as const;
  });
  return Object.fromEntries(entries);
}
