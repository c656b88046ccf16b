// Every strategy of the project, written anew for version 2 of the language, is the same program.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, emitIr, type Library } from "../index.ts";
import { upgrade } from "./upgrade.ts";

const test = suite("upgrade");
const root = fileURLToPath(new URL("../../", import.meta.url));
const builtin = (name: string) => join(root, "compiler/builtin", `${name}.strategy`);
const paths = ["examples", "compiler/builtin"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".strategy"))
    .map((name) => join(root, folder, name)),
);
const library: Library = {
  root,
  names: [],
  read: (name) => ({ path: builtin(name), text: readFileSync(builtin(name), "utf8") }),
};

const upgraded = (text: string): string => upgrade({ path: "example.strategy", text }).text ?? "";

test("each strategy of the project means the same, and has no finding that it had not", () => {
  assert.ok(paths.length > 35);
  for (const path of paths) {
    const text = readFileSync(path, "utf8");
    const after = upgraded(text);
    assert.match(after, /^language: 2$/m, path);
    const [old, made] = [emitIr({ path, text }, { library }), emitIr({ path, text: after }, { library })];
    assert.ok(old.text !== null, path);
    // Edges of `crop` are read in another way; units.test.ts compares the masks.
    if (!text.includes("crop(")) assert.is(made.text, old.text, path);
    assert.equal(
      made.diagnostics.map(({ code }) => code),
      old.diagnostics.map(({ code }) => code),
      path,
    );
    assert.is(upgraded(after), after, path);
  }
});

const head = `strategy: example
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  v: `;

test("axes of reductions get their name; comparisons, comments and other functions stay", () => {
  const text = `${head}mean(max((video.prediction - video.target)^2, channel, token)) + max(0, video.sigma) # mean(x, frame)
  w: mean(norm(video.prediction - shift(video.target, frame, 1), token))
`;
  const after = upgraded(text);
  assert.match(
    after,
    "mean(max((video.prediction - video.target)^2, axis=channel, axis=token)) + max(0, video.sigma) # mean(x, frame)",
  );
  assert.match(after, "mean(norm(video.prediction - shift(video.target, frame, 1), axis=token))");
  assert.match(after, /^strategy: example\nlanguage: 2\nsources:/);
  assert.equal(check({ path: "example.strategy", text: after }).diagnostics, []);
  assert.is(emitIr({ path: "e", text: after }).text, emitIr({ path: "e", text }).text);
});

test("axes in passes get their name, too", () => {
  const pass = "passes:\n  near:\n    video:\n      noisy: video.noisy - 0.1 * mean(video.noisy, token)\nvideo:\n";
  const text = `${head.replace("video:\n", pass)}mse(near.video.prediction, video.prediction)\n`;
  const after = upgraded(text);
  assert.match(after, "mean(video.noisy, axis=token)");
  assert.equal(check({ path: "example.strategy", text: after }).diagnostics, []);
  assert.is(emitIr({ path: "e", text: after }).text, emitIr({ path: "e", text }).text);
});

const keeping = (keep: string, params = ""): string =>
  `${head}mse(video.prediction, video.target) over video.generated\n`
    .replace("sources:", params === "" ? "sources:" : `params:\n${params}sources:`)
    .replace("  latents: latents\n", `  latents: latents\n  keep:\n    - ${keep}\n`);

const lengths: readonly (readonly [string, string])[] = [
  ["prefix(2)", "prefix(2lf)"],
  ["prefix(1.5)", "prefix(1.5lf)"],
  ["suffix(0)", "suffix(0)"],
  ["prefix(frames / 2)", "prefix(frames / 2 * 1lf)"],
  ["prefix(frames)", "prefix(frames)"],
  ["suffix(3 - progress)", "suffix((3 - progress) * 1lf)"],
  ["prefix(2lf)", "prefix(2lf)"],
  ["'crop(0, 33, 64, 100)'", "'crop(0, 33px, 64px, 96px)'"],
  ["'crop(x2=64, y1=40, y2=100, x1=0)'", "'crop(x2=64px, y1=40px, y2=96px, x1=0)'"],
];

for (const [before, after] of lengths)
  test(`${before} becomes ${after}`, () => {
    const [text, made] = [keeping(before), upgraded(keeping(before))];
    assert.match(made, `    - ${after}\n`);
    const [old, now] = [text, made].map((each) => check({ path: "e", text: each }).diagnostics.map(({ code }) => code));
    assert.equal(now, old);
    if (!before.includes("crop")) assert.is(emitIr({ path: "e", text: made }).text, emitIr({ path: "e", text }).text);
  });

test("parameters get their unit where they are declared, if they are lengths wherever they stand", () => {
  const count = "  count: {type: integer, default: 2}\n";
  const block = "  count:\n    type: integer\n    default: 2\n";
  const compared = "prefix(count) and frame_index < count";
  assert.match(upgraded(keeping("prefix(count)", count)), "count: {type: integer, unit: lf, default: 2}");
  assert.match(upgraded(keeping("prefix(count)", block)), "  count:\n    unit: lf\n    type: integer\n");
  assert.match(upgraded(keeping(compared, count)), "unit: lf");
  const fromEnd = "suffix(count) and frame_index >= frames - count";
  assert.match(upgraded(keeping(fromEnd, count)), "unit: lf");
  assert.match(upgraded(keeping("suffix(count) and row >= frames - count", count)), "suffix(count * 1lf)");
  const mixed = upgraded(keeping("prefix(count) and row < count", count));
  assert.match(mixed, "prefix(count * 1lf) and row < count");
  const region = (step: string) =>
    `  region: {type: array, items: {type: integer${step}}, minItems: 4, default: [0, 0, 64, 64]}\n`;
  const edges = "'crop(region[0], region[1], region[2], region[3])'";
  assert.match(
    upgraded(keeping(edges, region(""))),
    "crop(region[0], region[1], floor(region[2] / 32px) * 32px, floor(region[3] / 32px) * 32px)",
  );
  assert.match(upgraded(keeping(edges, region(", multipleOf: 32"))), edges);
  for (const text of [
    keeping("prefix(count)", count),
    keeping(compared, block),
    keeping(fromEnd, count),
    keeping(edges, region("")),
    mixed,
  ]) {
    const made = upgraded(text);
    assert.equal(
      check({ path: "e", text: made }).diagnostics.map(({ code }) => code),
      [],
    );
    assert.is(upgraded(made), made);
    if (!text.includes("crop")) assert.is(emitIr({ path: "e", text: made }).text, emitIr({ path: "e", text }).text);
  }
});

test("draws in a `let` say that they are one number for each sample, but for those of noise", () => {
  const lets = "let:\n  w: exp(randn()) * (randn())\n  e: randn()\n";
  const text = `${head.replace("video:\n", `${lets}video:\n`)}w * mse(video.prediction, video.target)\n`;
  const made = upgraded(`${text}  more: e * mse(video.prediction, video.target)\n`);
  assert.match(made, "  w: exp(randn() per sample) * (randn() per sample)\n  e: randn() per sample\n");
  const noise = text.replace("  latents: latents\n", "  latents: latents\n  noise: randn() + e\n");
  assert.match(upgraded(noise), "e: randn() per sample");
});

test("version 1 is raised where it is written, a text that is no strategy is left alone", () => {
  assert.match(
    upgraded(`language: 1\n${head}mse(video.prediction, video.target)\n`),
    /^language: 2\nstrategy: example/,
  );
  assert.is(upgrade({ path: "e", text: "strategy: [\n" }).text, null);
});

test("in version 2 an axis without its name is an error with the mend, in a file that is extended it is not", () => {
  const text = `language: 2\n${head}mean(mean((video.prediction - video.target)^2, channel))\n`;
  const { diagnostics } = check({ path: "example.strategy", text });
  assert.equal(
    diagnostics.map(({ code, fix }) => [code, fix?.edits.map((edit) => edit.text)]),
    [["LTX4050", ["axis="]]],
  );
  const base = text.replace("language: 2\n", "").replace("example", "base");
  const child = "strategy: child\nlanguage: 2\nextends: base\n";
  const found = check({ path: "c", text: child }, { library: { ...library, read: () => ({ path: "b", text: base }) } });
  assert.equal(found.diagnostics, []);
});

test.run();
