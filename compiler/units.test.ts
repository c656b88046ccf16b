// Lengths with units: which cells `prefix`, `suffix` and `crop` take, and what is said of units that do not fit.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Batch } from "../runtime/contract.ts";
import { B, batchOf, C, kept, run, steps, wave } from "../scripts/run-strategy.ts";
import { upgrade } from "./format/upgrade.ts";
import { check, compilePython, emitIr } from "./index.ts";

const test = suite("units");

const strategy = (keep: string, more = "", language = 2): string =>
  `strategy: test
language: ${language}
sources:
  latents: {directory: latents, kind: video_latents}
  sound: {directory: audio_latents, kind: audio_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
audio:
  latents: sound
${more}loss:
  video: mse(video.prediction, video.target) over video.generated
  audio: mse(audio.prediction, audio.target) over audio.generated
`.replace(
    keep.startsWith("audio.") ? "  latents: sound\n" : "  latents: latents\n",
    (line) => `${line}  keep: "${keep.replace("audio.", "")}"\n`,
  );

/** 4 latent frames, which are 25 pixel frames, of 128 x 160 pixels; samples of 24 and of 12 frames per second. */
const grid = { frames: 4, height: 4, width: 5 };

function batch(size = grid): Batch {
  const { sources } = batchOf();
  const latents = kept([B, C, size.frames, size.height, size.width], wave);
  return {
    size: B,
    sources: { ...sources, latents: { kind: "video_latents", latents, storage: "float32", ...size, fps: [24, 12] } },
  };
}

/** Of each mask and sample, the sum of 2^place over its tokens, read from a loss. */
async function sumsOf(
  masks: readonly string[],
  place: string,
  { size = grid, params = {}, more = "" }: { size?: typeof grid; params?: Record<string, unknown>; more?: string } = {},
): Promise<number[][]> {
  const of = place.includes("audio.") ? "audio" : "video";
  const terms = masks
    .map((mask, i) => `  t${i}: "mean(float(${mask}) * 2^(${place}) * ${of}.prediction / ${of}.prediction)"\n`)
    .join("");
  const { values } = await run(`${strategy("false", more)}${terms}`, params, batch(size));
  const tokens = of === "audio" ? steps : size.frames * size.height * size.width;
  return masks.map((_, i) => (values.get(`loss.t${i}`) ?? []).map((mean) => Math.round(mean * tokens)));
}

/** Places whose bit is set. */
const bits = (sum: number, count: number): string =>
  Array.from({ length: count }, (_, i) => i)
    .filter((i) => Math.floor(sum / 2 ** i) % 2 === 1)
    .join("");

/** The frames that are kept, of each sample, or of one where both have the same. */
async function framesOf(masks: readonly string[], given: Parameters<typeof sumsOf>[2] = {}): Promise<string[]> {
  const sums = await sumsOf(masks, "video.frame_index", given);
  const cells = grid.height * grid.width;
  return sums.map((each) => [...new Set(each.map((sum) => bits(sum / cells, grid.frames)))].join(" "));
}

test("a latent frame counts as soon as any part of it lies inside, from both ends", async () => {
  const wanted: Readonly<Record<string, string>> = {
    "video.prefix(2lf)": "01",
    "video.prefix(1.5lf)": "01",
    "video.suffix(1.5lf)": "23",
    "video.prefix(0)": "",
    // Pixel frames: the first latent frame is one of them, all others are eight.
    "video.prefix(1f)": "0",
    "video.prefix(2f)": "01",
    "video.prefix(9f)": "01",
    "video.prefix(10f)": "012",
    "video.prefix(999f)": "0123",
    "video.prefix(0f)": "",
    "video.suffix(1f)": "3",
    "video.suffix(8f)": "3",
    "video.suffix(9f)": "23",
    "video.suffix(24f)": "123",
    "video.suffix(25f)": "0123",
    // Seconds: 9 and 4.5 frames, then 9.6 and 4.8.
    "video.prefix(0.375s)": "01",
    "video.prefix(0.4s)": "012 01",
    "video.suffix(0.4s)": "23 3",
    "video.prefix(0s)": "",
    "video.prefix(25%)": "0",
    "video.prefix(26%)": "01",
    "video.suffix(75%)": "123",
    "video.prefix(50% - 25%)": "0",
    "video.prefix(max(1lf, 8lf / 4))": "01",
    "video.prefix(video.frames - 1lf)": "012",
    "video.prefix(1lf * (8f / 4f))": "01",
    "video.frame_index < 3lf and video.time >= 0.1s": "2",
  };
  const found = await framesOf(Object.keys(wanted));
  assert.equal(Object.fromEntries(Object.keys(wanted).map((mask, i) => [mask, found[i]])), wanted);
});

test("crop takes the cells that a rectangle touches, so that what lies in the middle stays there", async () => {
  const wanted: Readonly<Record<string, string>> = {
    "video.crop(0, 33px, 64px, 95px)": ".xx.. .xx.. ..... .....",
    "video.crop(40px, 0, 50px, 999px)": "..... xxxxx ..... .....",
    "video.crop(25%, 25%, 75%, 75%)": "..... .xxx. .xxx. .....",
    "video.crop(32px, 0, 32px, 100%)": "..... ..... ..... .....",
    "video.crop(50%, 0, 128px, 20%)": "..... ..... x.... x....",
    "video.crop(top, region[1], region[2], region[3])": "..... x.... x.... .....",
    "video.crop(moved, 0, moved + 50%, 100%)": "..... xxxxx xxxxx .....",
  };
  const more = `params:
  region: {type: array, items: {type: integer}, minItems: 4, unit: px}
let:
  top: region[0] + 32px
  moved: uniform(25%, 25%)
`;
  const one = { ...grid, frames: 1 };
  const sums = await sumsOf(Object.keys(wanted), "video.row * 5 + video.column", {
    size: one,
    params: { region: [0, 0, 65, 31] },
    more,
  });
  const pictures = sums.map(([sum = 0]) =>
    Array.from(
      { length: 20 },
      (_, i) => `${i > 0 && i % 5 === 0 ? " " : ""}${Math.floor(sum / 2 ** i) % 2 === 1 ? "x" : "."}`,
    ).join(""),
  );
  assert.equal(Object.fromEntries(Object.keys(wanted).map((mask, i) => [mask, pictures[i]])), wanted);
});

test("what rounding adds to a percentage counts for nothing", async () => {
  const percents = [7, 14, 28, 29, 55, 56, 57, 58];
  const masks = percents.flatMap((n) => [`video.crop(0, 0, 100%, ${n}%)`, `video.crop(0, ${n}%, 100%, 100%)`]);
  const sums = await sumsOf(masks, "0", { size: { frames: 1, height: 1, width: 100 } });
  assert.equal(
    sums.map(([sum]) => sum),
    percents.flatMap((n) => [n, 100 - n]),
  );
});

test("audio has latent steps of 40 ms, the first of 10", async () => {
  const wanted: Readonly<Record<string, string>> = {
    "audio.prefix(2lf)": "01",
    "audio.prefix(0.01s)": "0",
    "audio.prefix(0.02s)": "01",
    "audio.prefix(0.05s)": "01",
    "audio.suffix(0.04s)": "3",
    "audio.suffix(0.05s)": "23",
    "audio.prefix(50%)": "01",
  };
  const sums = await sumsOf(Object.keys(wanted), "audio.step_index");
  assert.equal(
    Object.fromEntries(Object.keys(wanted).map((mask, i) => [mask, bits(sums[i]?.[0] ?? 0, steps)])),
    wanted,
  );
});

test("a parameter has its unit where it is declared, and is a plain number in the run config", async () => {
  const more = "params:\n  given: {type: number, default: 2, unit: f}\n";
  assert.equal(await framesOf(["video.prefix(given)", "video.prefix(given + 1f)"], { more, params: { given: 9 } }), [
    "01",
    "012",
  ]);
  const { params } = check({ path: "test.strategy", text: strategy("prefix(given)", more) });
  assert.equal(params?.["properties"], { given: { type: "number", default: 2, description: "(in pixel frames)" } });
});

test("a crop of version 1 keeps its cells when it is upgraded", async () => {
  const edges = [0, 31, 32, 33, 63, 64, 100, 128, 160, 500];
  const places = edges.flatMap((from) => edges.map((to) => [from, to] as const));
  const texts = places.map(([from, to]) => `video.crop(${from}, 0, ${to}, 96)`);
  const before =
    strategy("false", "", 1) + texts.map((mask, i) => `  t${i}: "mean(float(${mask}) * video.prediction)"\n`).join("");
  const after = upgrade({ path: "test.strategy", text: before }).text ?? "";
  const masks = [...after.matchAll(/float\((video.crop\(.*?\))\)/g)].map(([, mask = ""]) => mask);
  assert.is(masks.length, texts.length);
  const rows = (from: number, to: number) => Math.min(Math.floor(to / 32), grid.height) - Math.floor(from / 32);
  const sums = await sumsOf(masks, "0", { size: { ...grid, frames: 1 } });
  assert.equal(
    sums.map(([sum]) => sum),
    places.map(([from, to]) => 3 * Math.max(rows(from, to), 0)),
  );
});

const codesOf = (text: string): string[] =>
  check({ path: "test.strategy", text })
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code }) => code);

const wrong: Readonly<Record<string, string>> = {
  "prefix(2)": "LTX4051",
  "crop(0, 0, 64, 64px)": "LTX4051",
  "prefix(2px)": "LTX4052",
  "crop(0, 0, 1lf, 64px)": "LTX4052",
  "audio.suffix(12f)": "LTX4052",
  "prefix(1lf + 1)": "LTX4053",
  "prefix(1lf + 1s)": "LTX4053",
  "prefix(2lf * 1lf)": "LTX4053",
  "first_frame with probability 10%": "LTX4054",
  "prefix(sqrt(4lf))": "LTX4054",
  "row < 1px": "LTX4054",
  "bernoulli(50%) and first_frame": "LTX4054",
};

for (const [keep, code] of Object.entries(wrong))
  test(`${keep} is ${code}, once`, () => {
    assert.equal(codesOf(strategy(keep)), [code]);
  });

test("version 1 keeps bare numbers, and takes units, too", () => {
  assert.equal(codesOf(strategy("prefix(2)", "", 1)), []);
  assert.equal(codesOf(strategy("prefix(2s)", "", 1)), []);
  const [bare, unit] = ["prefix(2)", "prefix(2lf)"].map(
    (keep) => emitIr({ path: "e", text: strategy(keep, "", 1) }).text,
  );
  assert.ok(bare !== null && bare === unit);
});

test("modules for the official trainer have lengths, too", () => {
  for (const keep of ["prefix(12f)", "suffix(0.5s)", "prefix(33%)", "crop(0, 10%, 64px, 90%)", "audio.prefix(0.5s)"]) {
    const { artifacts, diagnostics } = compilePython({ path: "test.strategy", text: strategy(keep) });
    assert.ok(artifacts.length > 0, `${keep}: ${diagnostics.map(({ message }) => message).join("; ")}`);
  }
});

test("a base of version 1 keeps its bare lengths, also where it calls what the file itself defines", () => {
  const base = strategy("prefix(doubled(1))", "", 1);
  const library = { root: null, names: [], read: () => ({ path: "base.strategy", text: base }) };
  const text = "strategy: own\nlanguage: 2\nextends: ./base.strategy\nlet:\n  doubled(n): 2 * n\n";
  assert.equal(check({ path: "own.strategy", text }, { library }).diagnostics, []);
});

test.run();
