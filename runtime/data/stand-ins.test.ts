// What samples have in place of what they lack: the shapes that fit, from a sample like them where there is one.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bucketsOf, type SampleSizes } from "./buckets.ts";
import { collate } from "./batch.ts";
import type { Sample } from "./dataset.ts";
import type { DataSource } from "./directories.ts";
import type { HostSample, HostSource } from "./sample.ts";
import { completing, patternsOf } from "./stand-ins.ts";

const test = suite("stand-ins");

const floats = (...shape: number[]) => ({
  shape,
  dtype: "float32" as const,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
});
const video = (frames: number, height: number, width: number, fps = 24): HostSource => ({
  kind: "video_latents",
  latents: floats(2, frames, height, width),
  storage: "bfloat16",
  frames,
  height,
  width,
  fps,
});
const audio = (steps: number): HostSource => ({
  kind: "audio_latents",
  latents: floats(1, steps, 2),
  storage: "float32",
  steps,
});

const optional = (role: string, kind: DataSource["kind"], more = {}): DataSource => ({
  role,
  directory: role,
  kind,
  optional: true,
  ...more,
});
const sources: readonly DataSource[] = [
  { role: "latents", directory: "latents", kind: "video_latents" },
  optional("sound", "audio_latents"),
  optional("depth", "video_latents"),
  optional("style", "video_latents"),
  optional("hole", "video_mask"),
  optional("speech", "audio_mask"),
  optional("dino", "tensor", { key: "x", axes: ["token:video", "feature"] }),
];
const fed = [
  { target: "latents", references: ["style"] },
  { target: "sound", references: [] },
];

/** By name; what is not written is lacking. */
const files: Readonly<Record<string, Readonly<Record<string, HostSource>>>> = {
  whole: {
    latents: video(3, 2, 2),
    sound: audio(18),
    depth: video(3, 2, 2),
    style: video(2, 1, 1),
    hole: { kind: "video_mask", mask: floats(12) },
    speech: { kind: "audio_mask", mask: floats(18) },
    dino: { kind: "tensor", value: floats(12, 5) },
  },
  like: { latents: video(3, 2, 2) },
  longer: { latents: video(5, 2, 4, 12) },
  sounding: { latents: video(5, 2, 4, 12), sound: audio(70) },
};

const samples: readonly Sample[] = Object.entries(files).map(([name, roles]) => ({
  name,
  files: Object.fromEntries(Object.keys(roles).map((role) => [role, `${name}/${role}`])),
}));
const sizes: readonly SampleSizes[] = Object.values(files).map(
  (roles) =>
    new Map(
      Object.entries(roles).map(([role, source]) => {
        const { shape } = "latents" in source ? source.latents : { shape: [1] };
        return [role, { key: shape, text: shape.slice(1).join(" x ") }];
      }),
    ),
);
const patterns = patternsOf(samples, sizes, sources, new Set(["style"]));
const hostOf = (name: string): HostSample => ({ name, sources: files[name] ?? {} });
const complete = completing({ sources, fed, patterns, read: ({ name }) => Promise.resolve(hostOf(name)) });
const completed = (name: string) => {
  const sample = samples.find((each) => each.name === name);
  if (sample === undefined) throw new Error(name);
  return complete(sample, hostOf(name));
};

test("a sample that lacks everything goes with one of its size that has it", async () => {
  const batch = collate([await completed("whole"), await completed("like")]);
  assert.equal(batch.marks, {
    sound: [true, false],
    depth: [true, false],
    style: [true, false],
    hole: [true, false],
    speech: [true, false],
    dino: [true, false],
  });
});

test("on another grid the shapes are those of its own latents, and the sound lasts as long", async () => {
  const { sources: made, marks } = await completed("longer");
  assert.equal(Object.values(marks ?? {}), [false, false, false, false, false, false]);
  // 17 pixel frames at 24 a second have 18 steps: 33 frames at 12 a second; but there is a clip like it with 70.
  const shapeOf = (role: string) => {
    const source = made[role];
    if (source === undefined || source.kind === "text_embeddings") throw new Error(role);
    return ("mask" in source ? source.mask : "value" in source ? source.value : source.latents).shape;
  };
  assert.equal(shapeOf("sound"), [1, 70, 2]);
  assert.equal(shapeOf("depth"), [2, 5, 2, 4]);
  assert.equal([shapeOf("hole"), shapeOf("speech"), shapeOf("dino")], [[40], [70], [40, 5]]);
  const alone = completing({
    sources,
    fed,
    patterns: patternsOf(samples.slice(0, 3), sizes, sources, new Set()),
    read: ({ name }) => Promise.resolve(hostOf(name)),
  });
  const longer = await alone(samples[2] as Sample, hostOf("longer"));
  assert.is((longer.sources["sound"] as { steps: number }).steps, Math.round((18 * (33 / 12)) / (17 / 24)));
});

test("stand-ins are numbers that a sample has, over and over", async () => {
  const { latents } = (await completed("longer")).sources["depth"] as { latents: { data: Float32Array } };
  assert.equal(
    Array.from(latents.data.slice(0, 25)),
    Array.from({ length: 25 }, (_, i) => (i % 24) + 1),
  );
});

test("samples that lack a reference go together, those that lack anything else with those that have it", () => {
  const only = (roles: readonly string[]) => sources.filter(({ role }) => roles.includes(role));
  const divide = (roles: readonly string[]) =>
    bucketsOf(
      samples.map((sample) => patterns.completed(sample)),
      only(roles),
    );
  assert.equal([...divide(["latents", "sound", "hole"]).of], [0, 0, 1, 1]);
  const { of, names } = divide(["latents", "style"]);
  assert.equal([...of], [0, 1, 2, 2]);
  assert.equal(names, [
    "latents 3 x 2 x 2, style 2 x 1 x 1",
    "latents 3 x 2 x 2, no style",
    "latents 5 x 2 x 4, no style",
  ]);
});

test.run();
