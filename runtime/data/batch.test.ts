import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { DType, HostTensor, Operand, Shape, Tensor } from "../contract.ts";
import { FindingsError } from "../findings.ts";
import { collate, sizesOf, uploadBatch } from "./batch.ts";
import type { HostSample, HostSource } from "./sample.ts";

const test = suite("batch");

const floats = (shape: Shape, ...data: number[]): HostTensor => ({
  shape,
  dtype: "float32",
  data: Float32Array.from(data),
});
const ints = (shape: Shape, ...data: number[]): HostTensor => ({ shape, dtype: "int32", data: Int32Array.from(data) });

function video(latents: HostTensor, fps = 24): HostSource {
  const [, frames = 0, height = 0, width = 0] = latents.shape;
  return { kind: "video_latents", latents, storage: "bfloat16", frames, height, width, fps };
}

const text = (start: number, audio: HostTensor | null = null): HostSource => ({
  kind: "text_embeddings",
  video: floats([2, 1], start, start + 1),
  audio,
  mask: ints([2], 0, 1),
});

function finding(...samples: [HostSample, ...HostSample[]]): { code: string; message: string; help: string } {
  try {
    collate(samples);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    const [{ code, message, help = "" } = { code: "", message: "" }] = error.findings;
    return { code, message, help };
  }
  throw new Error("accepted");
}

const tensor = (shape: Shape, dtype: DType = "float32"): Tensor => ({ shape, dtype });
const plain = ({ shape, dtype, data }: HostTensor) => ({ shape, dtype, data: [...data] });

const samples: [HostSample, HostSample] = [
  {
    name: "a.pt",
    sources: {
      clip: video(floats([1, 1, 1, 2], 1, 2)),
      sound: { kind: "audio_latents", latents: floats([1, 2, 1], 5, 6), storage: "float32", steps: 2 },
      caption: text(10),
      hole: { kind: "video_mask", mask: floats([2], 0, 1) },
      weight: { kind: "tensor", value: floats([], 3) },
    },
  },
  {
    name: "b.pt",
    sources: {
      clip: video(floats([1, 1, 1, 2], 3, 4), 30),
      sound: { kind: "audio_latents", latents: floats([1, 2, 1], 7, 8), storage: "float32", steps: 2 },
      caption: text(20),
      hole: { kind: "video_mask", mask: floats([2], 1, 1) },
      weight: { kind: "tensor", value: floats([], 4) },
    },
  },
];

test("stacks every kind of source on a new first axis", () => {
  const { size, names, sources } = collate(samples);
  const { clip, sound, caption, hole, weight } = sources;
  assert.is(size, 2);
  assert.equal(names, ["a.pt", "b.pt"]);
  assert.equal(clip, {
    kind: "video_latents",
    latents: floats([2, 1, 1, 1, 2], 1, 2, 3, 4),
    storage: "bfloat16",
    frames: 1,
    height: 1,
    width: 2,
    fps: [24, 30],
  });
  const soundLatents = floats([2, 1, 2, 1], 5, 6, 7, 8);
  assert.equal(sound, { kind: "audio_latents", latents: soundLatents, storage: "float32", steps: 2 });
  const mask = ints([2, 2], 0, 1, 0, 1);
  assert.equal(caption, { kind: "text_embeddings", video: floats([2, 2, 1], 10, 11, 20, 21), audio: null, mask });
  assert.equal(hole, { kind: "video_mask", mask: floats([2, 2], 0, 1, 1, 1) });
  assert.equal(weight, { kind: "tensor", value: floats([2], 3, 4) });
});

test("stacks the text features for audio where all samples have them", () => {
  const one = { name: "a.pt", sources: { caption: text(1, floats([2, 1], 5, 6)) } };
  const two = { name: "b.pt", sources: { caption: text(3, floats([2, 1], 7, 8)) } };
  const { caption } = collate([one, two]).sources;
  assert.is(caption?.kind, "text_embeddings");
  const audio = caption?.kind === "text_embeddings" ? caption.audio : null;
  assert.equal(audio, floats([2, 2, 1], 5, 6, 7, 8));
});

test("sizes are those of each source's grid, 0 where it has none", () => {
  const none = { frames: 0, height: 0, width: 0, steps: 0 };
  const sizes = sizesOf(collate(samples));
  assert.equal(sizes, {
    clip: { ...none, frames: 1, height: 1, width: 2 },
    sound: { ...none, steps: 2 },
    caption: none,
    hole: none,
    weight: none,
  });
});

test("names two samples that differ in shape, and says what to do", () => {
  const [a, b] = samples;
  const wide = { name: "wide.pt", sources: { ...b.sources, clip: video(floats([1, 1, 1, 3], 1, 2, 3)) } };
  const { code, message, help } = finding(a, b, wide);
  assert.is(code, "LTX6140");
  assert.match(message, /`clip`: latents .* a\.pt has \[1, 1, 1, 2\], wide\.pt has \[1, 1, 1, 3\]/);
  assert.match(help, /batch_size: 1/);
  assert.is(collate([wide]).size, 1);
});

test("grids of equal volume are still different shapes", () => {
  const tall = { name: "tall.pt", sources: { clip: video(floats([1, 1, 2, 1], 1, 2)) } };
  const wide = { name: "wide.pt", sources: { clip: video(floats([1, 1, 1, 2], 1, 2)) } };
  assert.is(finding(tall, wide).code, "LTX6140");
});

test("names two samples that hold different things", () => {
  const silent = { name: "a.pt", sources: { caption: text(1) } };
  const voiced = { name: "b.pt", sources: { caption: text(1, floats([2, 1], 1, 2)) } };
  const mixed = finding(silent, voiced);
  assert.is(mixed.code, "LTX6141");
  assert.match(mixed.message, /a\.pt and b\.pt are in one batch, but only one of them has `audio_prompt_embeds`/);
  const clip = video(floats([1, 1, 1, 1], 1));
  const full = { ...clip, storage: "float32" } as HostSource;
  const stored = finding({ name: "a.pt", sources: { clip } }, { name: "b.pt", sources: { clip: full } });
  assert.is(stored.code, "LTX6141");
  assert.match(
    stored.message,
    /: a\.pt and b\.pt are in one batch, but their latents are stored as bfloat16 and float32/,
  );
});

test("tensors enter a step under the names of source and field", () => {
  const inputs = new Map<string, unknown>();
  const ops = {
    input(name: string, value: HostTensor): Tensor {
      inputs.set(name, plain(value));
      return { shape: value.shape, dtype: value.dtype };
    },
    greater: (a: Operand): Tensor => ({ shape: (a as Tensor).shape, dtype: "bool" }),
  };
  const context = { video: tensor([2, 2, 4]), audio: null, mask: tensor([2, 2], "int32") };
  const batch = uploadBatch(ops, collate(samples), { caption: context });
  assert.equal(
    [...inputs.keys()],
    ["batch.clip.latents", "batch.sound.latents", "batch.hole.mask", "batch.weight.value"],
  );
  assert.equal(inputs.get("batch.weight.value"), { shape: [2], dtype: "float32", data: [3, 4] });
  assert.is(batch.size, 2);
  assert.equal(batch.sources["caption"], { kind: "text_embeddings", ...context });
  assert.equal(batch.sources["clip"], {
    kind: "video_latents",
    latents: tensor([2, 1, 1, 1, 2]),
    storage: "bfloat16",
    frames: 1,
    height: 1,
    width: 2,
    fps: [24, 30],
  });
  assert.is(batch.marks, undefined);
  assert.throws(() => uploadBatch(ops, collate(samples), {}), /no context for the text features of caption/);
});

test("a batch says which of its samples have what is optional, and what none of them has", () => {
  const inputs = new Map<string, unknown>();
  const ops = {
    input: (name: string, value: HostTensor): Tensor => (inputs.set(name, plain(value)), value),
    greater: (a: Operand): Tensor => ({ shape: (a as Tensor).shape, dtype: "bool" }),
  };
  const marked = [
    { name: "a", sources: {}, marks: { depth: true, sound: false } },
    { name: "b", sources: {}, marks: { depth: false, sound: false } },
  ] as const;
  const batch = uploadBatch(ops, collate(marked), {});
  assert.equal(batch.lacks, ["sound"]);
  assert.equal(inputs.get("batch.has.depth"), { shape: [2], dtype: "float32", data: [1, 0] });
  assert.equal(batch.marks?.["depth"], { shape: [2], dtype: "bool" });
});

test.run();
