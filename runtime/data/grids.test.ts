import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { DataSource } from "./directories.ts";
import { FindingsError } from "../findings.ts";
import { checkGrids, type FedModality } from "./grids.ts";
import type { HostSource } from "./sample.ts";

const test = suite("grids");
const none = { shape: [0], dtype: "float32" as const, data: new Float32Array(0) };

function video(frames: number, height: number, width: number, fps = 24): HostSource {
  return { kind: "video_latents", latents: none, storage: "bfloat16", frames, height, width, fps };
}

const audio = (steps: number): HostSource => ({ kind: "audio_latents", latents: none, storage: "float32", steps });

const mask = (kind: "video_mask" | "audio_mask", values: number): HostSource => ({
  kind,
  mask: { ...none, data: new Float32Array(values) },
});

/** What is found in a sample whose files are named for their roles. */
const found = (sources: Readonly<Record<string, HostSource>>, ...fed: readonly FedModality[]): string[] =>
  foundOf(sources, fed);

function foundOf(
  sources: Readonly<Record<string, HostSource>>,
  fed: readonly FedModality[],
  declared: readonly DataSource[] = [],
): string[] {
  const files = Object.fromEntries(Object.keys(sources).map((role) => [role, `${role}/a.pt`]));
  try {
    checkGrids({ name: "a.pt", files }, { name: "a.pt", sources }, fed, declared);
    return [];
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings.map(({ code, message, help }) => `${code} ${message}; ${help}`);
  }
}

const withReference: FedModality = { target: "clip", references: ["depth"] };

test("references in video are an exact fraction of the target, also in frames per second", () => {
  const clip = video(5, 4, 6);
  for (const depth of [video(5, 4, 6), video(5, 2, 3), video(3, 4, 6, 12), video(2, 2, 3, 6), video(1, 4, 6, 1)]) {
    assert.equal(found({ clip, depth }, withReference), []);
  }
  assert.equal(found({ clip: video(5, 4, 6, 29.97), depth: video(3, 4, 6, 14.985) }, withReference), []);
});

test("a reference that is no fraction is named with its target", () => {
  const [finding = ""] = found({ clip: video(5, 4, 6), depth: video(5, 2, 6) }, withReference);
  assert.match(
    finding,
    /^LTX6137 depth\/a\.pt has 5 x 2 x 6 .* no exact fraction of the 5 x 4 x 6 .* of clip\/a\.pt; preprocess/,
  );
  assert.match(found({ clip: video(5, 4, 6), depth: video(4, 4, 6) }, withReference).join(), /^LTX6137/);
});

test("references of one target may be scaled differently", () => {
  const both = { target: "clip", references: ["depth", "pose"] };
  assert.equal(found({ clip: video(5, 4, 6), depth: video(5, 2, 3), pose: video(3, 4, 6, 12) }, both), []);
});

test("frames per second that tell of another factor are refused, with the right number", () => {
  const [finding = ""] = found({ clip: video(5, 4, 6), depth: video(3, 4, 6, 24) }, withReference);
  assert.match(
    finding,
    /^LTX6137 depth\/a\.pt has 3 latent frames at 24 frames per second, .* 5 at 24; .* has 12 frames per second/,
  );
  assert.match(found({ clip: video(5, 4, 6), depth: video(5, 4, 6, 12) }, withReference).join(), /^LTX6137/);
});

test("other latents and masks lie on the target's grid, whatever references there are", () => {
  const sources = { clip: video(5, 4, 6), depth: video(5, 2, 3), other: video(5, 2, 3), hole: mask("video_mask", 30) };
  assert.equal(
    found(sources, withReference).map((line) => line.slice(0, 23)),
    ["LTX6136 other/a.pt has ", "LTX6135 hole/a.pt: `mas"],
  );
  assert.equal(found({ clip: video(5, 4, 6), hole: mask("video_mask", 120) }, withReference), []);
});

test("references in audio have a length of their own", () => {
  const fed = { target: "sound", references: ["voice"] };
  const sources = { sound: audio(8), voice: audio(5), clip: video(1, 1, 1), quiet: mask("audio_mask", 8) };
  assert.equal(found(sources, fed, { target: "clip", references: [] }), []);
  assert.match(
    found({ ...sources, hum: audio(5) }, fed).join(),
    /^LTX6136 hum\/a\.pt has 5 steps, but sound\/a\.pt has 8 steps;/,
  );
});

test("tensors are as long as the grid that their axes name, also where a length of 1 would be repeated", () => {
  const value = (...shape: number[]): HostSource => ({ kind: "tensor", value: { ...none, shape } });
  const declared = (...axes: string[]): readonly DataSource[] => [
    { role: "dino", directory: "dino", kind: "tensor", key: "x", axes },
  ];
  const sources = { clip: video(5, 4, 6), depth: video(5, 2, 3), sound: audio(9) };
  const fed = [withReference, { target: "sound", references: [] }];
  const check = (dino: HostSource, ...axes: string[]) => foundOf({ ...sources, dino }, fed, declared(...axes));
  assert.equal(check(value(120, 7), "token:video", "feature"), []);
  assert.equal(check(value(5, 4, 6), "frame", "height", "width"), []);
  assert.equal(check(value(9, 3), "step", "feature"), []);
  assert.equal(check(value(30), "token:depth"), []);
  for (const [tensor, ...axes] of [
    [value(1, 7), "token:video", "feature"],
    [value(5, 4, 5), "frame", "height", "width"],
    [value(1), "token:audio"],
    [value(120), "token:depth"],
  ] as const) {
    const [finding = "", ...more] = check(tensor, ...axes);
    assert.match(finding, /^LTX6136 dino\/a\.pt: `x` has a length of .* along `.*`, \w+\/a\.pt of \d+; make it/);
    assert.equal(more, []);
  }
});

test.run();
