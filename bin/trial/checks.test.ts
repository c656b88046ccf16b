// What no strategy can bring about, since the compiler sees to it, is brought about here by changing what was observed.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sourceFile } from "../../compiler/source/index.ts";
import { collate, openEngine } from "../../runtime/index.ts";
import { libraryAt } from "../project/library.ts";
import { observe, type Observation } from "../probe/observe.ts";
import { openSubject } from "../probe/subject.ts";
import { syntheticSamples } from "../probe/synthetic.ts";
import { violations } from "./checks.ts";

const test = suite("checks");

const text = `strategy: checked
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  ref: {directory: ref, kind: video_latents}
video:
  latents: latents
  references: [ref]
  keep: first_frame
loss:
  v: mse(video.prediction, video.target) over video.generated
`;

const { subject } = await openSubject(libraryAt(".", "checked.strategy"), sourceFile("checked.strategy", text), {
  imports: async () => null,
});
const { engine } = await openEngine("cpu");
if (subject === null) throw new Error("the strategy of this test does not compile");

const tokens = 12;
const channels = 4;

/** `lacking` says which samples lack what is optional. */
async function observed(of = subject, lacking?: "some"): Promise<Observation> {
  if (of === null) throw new Error("no subject");
  const made = {
    sizes: { frames: 3, height: 2, width: 2, steps: 2 },
    samples: 2,
    masks: "empty",
    reference: { space: 1, time: 1 },
    seed: 0,
    ...(lacking && { lacking }),
  } as const;
  const batch = collate(syntheticSamples(of.step.strategy, made));
  const sampler = (_: unknown, __: string, count: number) => new Float32Array(count).fill(0.5);
  return observe(engine, of, batch, { params: {}, sampler, seed: 0, globalStep: 0, progress: 0 });
}

/** Findings after one number of what the model gets has been changed. */
async function after(field: "latent" | "timesteps", index: number): Promise<string[]> {
  const observation = await observed();
  const video = observation.inputs.video;
  if (subject === null || video === null) throw new Error("no video");
  assert.equal(violations(subject, observation), []);
  video[field].data[index] = 0.25;
  return violations(subject, observation).map(({ code, message }) => `${code} ${message}`);
}

/** Of the second sample's target, whose tokens follow those of the reference. */
const token = (index: number): number => 2 * tokens + tokens + index;

test("a kept token with a timestep, and one that is not clean", async () => {
  assert.equal(await after("timesteps", token(3)), [
    "LTX7105 `video` keeps token 3 of sample 1, which is given a timestep all the same",
  ]);
  assert.equal(await after("latent", token(2) * channels + 1), [
    "LTX7105 `video` keeps token 2 of sample 1, which is not clean all the same",
  ]);
});

test("noised tokens may have any latent and timestep", async () => {
  assert.equal(await after("timesteps", token(4)), []);
  assert.equal(await after("latent", token(4) * channels), []);
});

test("what is kept of audio that a sample lacks enters as noise all the same", async () => {
  const silent = `strategy: silent
sources:
  latents: {directory: latents, kind: video_latents}
  sound: {directory: sound, kind: audio_latents, optional: true}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
audio:
  latents: sound
  keep: prefix(1lf)
loss:
  v: mse(video.prediction, video.target)
  a: mse(audio.prediction, audio.target) over (audio.generated and has(sound))
`;
  const opened = await openSubject(libraryAt(".", "silent.strategy"), sourceFile("silent.strategy", silent), {
    imports: async () => null,
  });
  if (opened.subject === null) throw new Error("the strategy of this test does not compile");
  const observation = await observed(opened.subject, "some");
  assert.equal(violations(opened.subject, observation), []);
  const audio = observation.inputs.audio;
  assert.equal(audio && [...audio.timesteps.data], [0, 0.5, 1, 1]);
});

test.run();
