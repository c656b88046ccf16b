import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Shape } from "../contract.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { collate } from "./batch.ts";
import { discover } from "./dataset.ts";
import type { DataSource } from "./directories.ts";
import { entriesOf } from "./entries.ts";
import { float32ToBfloat16, float32ToFloat16 } from "../files/number-formats.ts";
import { PtTensor, type PtValue } from "../files/pt/index.ts";
import { readSample, readSource, type HostSample, type HostSource } from "./sample.ts";

const test = suite("sample");

type Declared = Pick<DataSource, "kind" | "key" | "axes">;
type Content = Readonly<Record<string, PtValue>>;

const encoders = {
  float64: (values: readonly number[]) => Float64Array.from(values),
  float32: (values: readonly number[]) => Float32Array.from(values),
  float16: (values: readonly number[]) => float32ToFloat16(Float32Array.from(values)),
  bfloat16: (values: readonly number[]) => float32ToBfloat16(Float32Array.from(values)),
  int64: (values: readonly number[]) => BigInt64Array.from(values, BigInt),
  bool: (values: readonly number[]) => Uint8Array.from(values),
};

/** A contiguous tensor as it comes from a file. */
function tensor(type: keyof typeof encoders, shape: Shape, values: readonly number[]): PtTensor {
  const { buffer } = encoders[type](values);
  const stride = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return new PtTensor(
    { key: "0", type, length: values.length, bytes: new Uint8Array(buffer) },
    shape,
    stride,
    0,
    false,
  );
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

function read(source: Declared, content: Content, channels: number | null = null): HostSource {
  return readSource(entriesOf("clip.pt", new Map(Object.entries(content))), source, channels);
}

function findingOf(act: () => unknown): Finding {
  try {
    act();
  } catch (error) {
    if (error instanceof FindingsError && error.findings[0] !== undefined) return error.findings[0];
    throw error;
  }
  throw new Error("accepted");
}

/** Reads a file that must be refused, and compares code and message. */
function refuses(source: Declared, content: Content, code: string, message: RegExp, channels: number | null = null) {
  const finding = findingOf(() => read(source, content, channels));
  assert.is(finding.code, code, finding.message);
  assert.match(finding.message, message);
  assert.match(finding.message, /^clip\.pt: /);
  assert.equal(finding.path, ["data", "preprocessed_data_root"]);
}

const [video, audio, text] = [
  { kind: "video_latents" },
  { kind: "audio_latents" },
  { kind: "text_embeddings" },
] as const;

test("video latents keep their storage type; sizes come from the tensor, fps is 24 unless declared", () => {
  const latents = tensor("bfloat16", [2, 3, 1, 2], range(12));
  const expected = {
    kind: "video_latents",
    latents: { shape: [2, 3, 1, 2], dtype: "float32", data: Float32Array.from(range(12)) },
    storage: "bfloat16",
    frames: 3,
    height: 1,
    width: 2,
    fps: 24,
  };
  assert.equal(read(video, { latents }), expected);
  const declared = { latents, num_frames: 3, height: 1, width: 2, fps: 29.97 };
  assert.equal(read(video, declared, 2), { ...expected, fps: 29.97 });
});

test("patchified video latents of early preprocessing get their axes back", () => {
  // Token t of a grid 2 x 1 x 3 holds 10 t + c in channel c.
  const values = range(6).flatMap((t) => [10 * t, 10 * t + 1]);
  const latents = tensor("float32", [6, 2], values);
  const clip = read(video, { latents, num_frames: 2, height: 1, width: 3 });
  assert.equal(clip, {
    kind: "video_latents",
    latents: {
      shape: [2, 2, 1, 3],
      dtype: "float32",
      data: Float32Array.of(0, 10, 20, 30, 40, 50, 1, 11, 21, 31, 41, 51),
    },
    storage: "float32",
    frames: 2,
    height: 1,
    width: 3,
    fps: 24,
  });
  refuses(video, { latents, num_frames: 2, height: 1 }, "LTX6130", /`width` is missing/);
  refuses(video, { latents, num_frames: 2, height: 2, width: 3 }, "LTX6133", /has 6 tokens.*is 2 \* 2 \* 3/);
  refuses(video, { latents, num_frames: 0, height: 1, width: 3 }, "LTX6131", /`num_frames` is 0/);
  refuses(video, { latents, num_frames: -2, height: -1, width: 3 }, "LTX6131", /`num_frames` is -2/);
});

test("refuses video latents of wrong rank, sizes, channels, type", () => {
  const latents = tensor("bfloat16", [2, 1, 1, 2], range(4));
  refuses(
    video,
    { latents: tensor("bfloat16", [1, 2, 1, 1, 2], range(4)) },
    "LTX6132",
    /`latents` is \[1, 2, 1, 1, 2\]/,
  );
  refuses(video, { latents: tensor("bfloat16", [4], range(4)) }, "LTX6132", /`latents` is \[4\], expected four axes/);
  refuses(video, { latents, width: 64 }, "LTX6133", /`width` is 64, but `latents` \[2, 1, 1, 2\] has 2/);
  refuses(
    video,
    { latents: tensor("float32", [2, 0, 1, 2], []) },
    "LTX6133",
    /`latents` \[2, 0, 1, 2\] holds no value/,
  );
  refuses(video, { latents }, "LTX6134", /has 2 channels per token, the model takes 128/, 128);
  refuses(video, { mask: latents }, "LTX6130", /`latents` is missing; the file has `mask`/);
  refuses(video, {}, "LTX6130", /the file has nothing/);
  refuses(video, { latents: null }, "LTX6131", /`latents` is nothing \(None\), expected a tensor/);
  refuses(video, { latents: [1, 2] }, "LTX6131", /`latents` is a list/);
  refuses(video, { latents, fps: 0 }, "LTX6131", /`fps` is 0/);
  refuses(video, { latents, fps: "24" }, "LTX6131", /`fps` is the string "24", expected a number/);
});

test("numbers may be stored as tensors of one value", () => {
  const latents = tensor("float32", [1, 1, 1, 1], [5]);
  const clip = read(video, { latents, fps: tensor("float64", [], [12.5]), num_frames: tensor("int64", [1], [1]) });
  assert.is(clip.kind === "video_latents" ? clip.fps : null, 12.5);
  refuses(video, { latents, height: tensor("int64", [2], [1, 1]) }, "LTX6131", /`height` is a tensor \[2\]/);
});

test("audio latents", () => {
  const latents = tensor("float32", [2, 3, 2], range(12));
  assert.equal(read(audio, { latents, num_time_steps: 3, frequency_bins: 2, duration: 0.12 }, 4), {
    kind: "audio_latents",
    latents: { shape: [2, 3, 2], dtype: "float32", data: Float32Array.from(range(12)) },
    storage: "float32",
    steps: 3,
  });
  refuses(audio, { latents: tensor("float32", [6, 2], range(12)) }, "LTX6132", /\[6, 2\], expected three axes/);
  refuses(audio, { latents, num_time_steps: 4 }, "LTX6133", /`num_time_steps` is 4, but .* has 3/);
  refuses(audio, { latents }, "LTX6134", /has 2 \* 2 = 4 channels per token, the model takes 128/, 128);
});

const maskOf = (...values: number[]) => tensor("int64", [values.length], values);
const hostOf = (shape: readonly number[], ...values: number[]) => ({
  shape,
  dtype: "float32",
  data: Float32Array.from(values),
});

test("text features, with and without those for audio", () => {
  const video_prompt_embeds = tensor("bfloat16", [2, 3], range(6));
  const mask = { shape: [2], dtype: "int32", data: Int32Array.of(0, 1) };
  const expected = { kind: "text_embeddings", video: hostOf([2, 3], ...range(6)), audio: null, mask };
  const prompt_attention_mask = tensor("bool", [2], [0, 1]);
  assert.equal(read(text, { video_prompt_embeds, prompt_attention_mask }), expected);
  const audio_prompt_embeds = tensor("bfloat16", [2, 1], [8, 9]);
  const both = read(text, { video_prompt_embeds, audio_prompt_embeds, prompt_attention_mask: maskOf(0, 1) });
  assert.equal(both, { ...expected, audio: hostOf([2, 1], 8, 9) });
});

test("one set of text features of early preprocessing serves both modalities", () => {
  const features = hostOf([2, 1], 3, 4);
  const content = { prompt_embeds: tensor("float32", [2, 1], [3, 4]), prompt_attention_mask: maskOf(1, 0) };
  const mask = { shape: [2], dtype: "int32", data: Int32Array.of(1, 0) };
  assert.equal(read(text, content), { kind: "text_embeddings", video: features, audio: features, mask });
});

test("refuses text features that do not fit together", () => {
  const video_prompt_embeds = tensor("float32", [2, 1], [1, 2]);
  const prompt_attention_mask = maskOf(1, 1);
  refuses(text, { prompt_attention_mask }, "LTX6130", /`video_prompt_embeds` is missing/);
  refuses(text, { video_prompt_embeds }, "LTX6130", /`prompt_attention_mask` is missing/);
  const short = { video_prompt_embeds, prompt_attention_mask: maskOf(1, 1, 1) };
  refuses(text, short, "LTX6133", /`video_prompt_embeds` \[2, 1\] has 2 tokens, `prompt_attention_mask` has 3/);
  const batched = { video_prompt_embeds: tensor("float32", [1, 2, 1], [1, 2]), prompt_attention_mask };
  refuses(text, batched, "LTX6132", /`video_prompt_embeds` is \[1, 2, 1\], expected two axes/);
  const batchedMask = { video_prompt_embeds, prompt_attention_mask: tensor("int64", [1, 2], [1, 1]) };
  refuses(text, batchedMask, "LTX6132", /`prompt_attention_mask` is \[1, 2\], expected one axis/);
});

test("masks have one value per token, whatever their shape", () => {
  const mask = tensor("float32", [1, 2, 2], [0, 1, 0.5, 1]);
  assert.equal(read({ kind: "video_mask" }, { mask }), { kind: "video_mask", mask: hostOf([4], 0, 1, 0.5, 1) });
  const steps = tensor("bool", [3], [1, 0, 1]);
  assert.equal(read({ kind: "audio_mask" }, { mask: steps }), { kind: "audio_mask", mask: hostOf([3], 1, 0, 1) });
});

test("other tensors are held against their declared axes", () => {
  const depth = tensor("float16", [2, 2], range(4));
  const declared = { kind: "tensor", key: "depth", axes: ["token:video", "feature"] } as const;
  assert.equal(read(declared, { depth }), { kind: "tensor", value: hostOf([2, 2], ...range(4)) });
  refuses({ ...declared, axes: ["feature"] }, { depth }, "LTX6132", /\[2, 2\], the strategy declares \[feature\]/);
  const weight = { kind: "tensor", key: "weight", axes: [] } as const;
  assert.equal(read(weight, { weight: tensor("float32", [], [7]) }), { kind: "tensor", value: hostOf([], 7) });
});

test("other tensors are held against their declared range, of which both ends are part", () => {
  const declared = { kind: "tensor", key: "score", axes: ["feature"], range: [0, 1] } as const;
  const score = tensor("float32", [3], [0, 0.25, 1]);
  assert.equal(read(declared, { score }), { kind: "tensor", value: hostOf([3], 0, 0.25, 1) });
  const high = tensor("float32", [2], [0.5, 87]);
  refuses(declared, { score: high }, "LTX7131", /`score` holds 87, the strategy declares numbers from 0 to 1/);
  const low = tensor("float32", [2], [0.5, -0.125]);
  refuses(declared, { score: low }, "LTX7131", /`score` holds -0\.125/);
});

test("a file that is no mapping is refused", () => {
  const bare = findingOf(() => entriesOf("clip.pt", tensor("float32", [1], [1])));
  assert.is(bare.code, "LTX6131");
  assert.match(bare.message, /clip\.pt: the file holds a tensor \[1\], expected named entries/);
});

const recorded = fileURLToPath(new URL("../../conformance/vectors/ptfiles/dataset_basic/data", import.meta.url));

async function findingsOf(reading: Promise<unknown>): Promise<readonly Finding[]> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof FindingsError) return error.findings;
    throw error;
  }
  throw new Error("accepted");
}

test("a number that is NaN or infinite, in whatever source and storage, is refused with file, tensor and place", () => {
  for (const bad of [NaN, Infinity, -Infinity])
    for (const type of ["float64", "float32", "float16", "bfloat16"] as const) {
      const latents = (...shape: number[]) =>
        tensor(
          type,
          shape,
          range(shape.reduce((a, b) => a * b, 1)).map((i) => (i === 3 ? bad : i)),
        );
      const sized = { num_frames: 1, height: 2, width: 2 };
      const where = (key: string) =>
        new RegExp(`\`${key}\`.*: 1 of the \\d+ numbers are NaN or infinite, first number 3 `);
      refuses(video, { latents: latents(2, 1, 2, 2), ...sized }, "LTX6152", where("latents"));
      refuses(audio, { latents: latents(2, 2, 2) }, "LTX6152", where("latents"));
      refuses({ kind: "video_mask" }, { mask: latents(1, 2, 2) }, "LTX6152", where("mask"));
      const prompt = { video_prompt_embeds: latents(2, 3), prompt_attention_mask: tensor("bool", [2], [1, 1]) };
      refuses(text, prompt, "LTX6152", where("video_prompt_embeds"));
    }
});

test("samples of a data set are read and go into one batch", async () => {
  const sources: DataSource[] = [
    { role: "clip", directory: "latents", kind: "video_latents" },
    { role: "caption", directory: "conditions", kind: "text_embeddings" },
    { role: "hole", directory: "video_masks", kind: "video_mask" },
  ];
  const { samples } = await discover(recorded, sources);
  const read = await Promise.all(samples.slice(0, 2).map((sample) => readSample(sample, sources, { clip: 4 })));
  const { names, sources: batch } = collate(read as [HostSample, HostSample]);
  assert.equal(names, ["Zeta.pt", "a b.pt"]);
  const { clip, caption, hole } = batch;
  assert.equal(clip?.kind === "video_latents" ? clip.latents.shape : null, [2, 4, 3, 2, 2]);
  assert.equal(caption?.kind === "text_embeddings" ? caption.audio?.shape : null, [2, 4, 5]);
  assert.equal(hole?.kind === "video_mask" ? hole.mask.shape : null, [2, 12]);
});

test("the mistakes of all files of a sample come at once, each with its file", async () => {
  const root = await mkdtemp(join(tmpdir(), "sample-"));
  try {
    const nested = join(recorded, ".precomputed");
    await symlink(join(nested, "video_masks"), join(root, "masks"));
    await mkdir(join(root, "broken"));
    await writeFile(join(root, "broken/Zeta.pt"), "no archive");
    const files = {
      clip: join(root, "masks/Zeta.pt"),
      caption: join(root, "broken/Zeta.pt"),
      other: join(nested, "latents/Zeta.pt"),
    };
    const sources: DataSource[] = [
      { role: "clip", directory: "masks", kind: "video_latents" },
      { role: "caption", directory: "broken", kind: "text_embeddings" },
      { role: "other", directory: "latents", kind: "video_latents" },
    ];
    const findings = await findingsOf(readSample({ name: "Zeta.pt", files }, sources, { other: 128 }));
    assert.equal(
      findings.map(({ code }) => code),
      ["LTX6130", "LTX6142", "LTX6134"],
    );
    findings.forEach(({ message }, i) => assert.ok(message.startsWith(Object.values(files)[i] ?? "?"), message));
  } finally {
    await rm(root, { recursive: true });
  }
});

test.run();
