import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc } from "../testing/testing.ts";

const test = suite("ltxc test");

const head = `strategy: tried
params:
  gain: {type: number, default: 0.5, minimum: 0, maximum: 2}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  hole: {directory: hole, kind: video_mask}
  depth: {directory: depth, kind: video_latents}
`;

const good = `${head}video:
  latents: latents
  sigma: clamp(gain * sampled(), 0, 1)
  keep: hole < 0.5
  references: [depth with probability 0.5]
  attention: not (key(from(depth)) and hole > 0.5)
loss:
  v: mse(video.prediction, video.target) over video.generated
expect:
  - video.timesteps <= gain
  - video.keep == 0 or hole < 0.5
  - not video.keep or abs(video.denoised - video.clean) < 1e-6
`.replace("video.keep == 0", "not video.keep");

const bad = `${head}let:
  share: mean(float(hole) * mean(video.prediction, channel), token) / mean(hole, token)
video:
  latents: latents
  sigma: gain * sampled()
  keep: hole < 0.5
  references: [depth with probability 0.5]
  attention: key(from(depth))
loss:
  v: mse(video.prediction, video.target) over video.generated over (1 - 2 * float(video.row == 0))
  s: share
expect:
  - true
  - hole > 0.5
`.replace("float(hole) * mean", "hole * mean");

async function inFolder<T>(text: string, body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-test-"));
  try {
    await writeFile(join(folder, "tried.strategy"), text);
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("expectations that hold, with references, attention and masks", async () => {
  await inFolder(good, async (cwd) => {
    const { code, out, err } = await ltxc(["test"], { cwd });
    assert.is(err, "");
    assert.is(code, 0);
    assert.match(out, /^tried\.strategy: ok, \d+ batches, 3 expectations\n$/);
    assert.equal(await readdir(cwd), ["tried.strategy"]);
  });
});

test("what is wrong is said once, at its place, with the batch and the values there", async () => {
  await inFolder(bad, async (cwd) => {
    const { code, out, err } = await ltxc(["test"], { cwd });
    assert.is(code, 1);
    const codes = [...err.matchAll(/error\[(\w+)\]/g)].map(([, found]) => found);
    assert.equal(codes, ["LTX7102", "LTX7103", "LTX7010", "LTX7104", "LTX7101"]);
    assert.match(err, /`share` is NaN at sample 0: .*`video\.prediction` is -?[\d.]+ to [\d.]+/);
    assert.match(err, /`video\.sigma` is 1\.\d+ at sample \d/);
    assert.match(err, /with 3 samples of 3 x 6 x 4 latent cells, masks with a box, `gain` 2, seed \d+/);
    assert.match(err, /this is expected, but false at sample 0, frame 0, row 0, column 0: `hole` is 0/);
    assert.match(err, "  - hole > 0.5\n   |     ^^^^^^^^^^\n");
    assert.match(out, /: 5 checks fail,/);
  });
});

test("the same seed gives the same findings, another one other batches; --json for programs", async () => {
  await inFolder(bad, async (cwd) => {
    const run = (seed: string) => ltxc(["test", "tried.strategy", "--json", "--seed", seed], { cwd });
    const [first, again, other] = [await run("3"), await run("3"), await run("4")];
    assert.is(first.err, "");
    assert.is(again.out, first.out);
    assert.is.not(other.out, first.out);
    const { diagnostics, files } = JSON.parse(first.out) as {
      diagnostics: { code: string; range: { start: { line: number } } }[];
      files: { expectations: number }[];
    };
    assert.is(diagnostics.at(-1)?.range.start.line, bad.trimEnd().split("\n").length);
    assert.equal(
      files.map(({ expectations }) => expectations),
      [2],
    );
  });
});

test("a step that fails is a finding at the operation that failed", async () => {
  const params =
    "params:\n  few: {type: integer, default: 4, minimum: 1}\n  many: {type: integer, default: 9, minimum: 1}\n";
  const text = `${head.replace("params:\n", params)}outputs:
  mid: {tap: block 0, modality: video}
  narrow: {linear: mid, features: "\${few}"}
  wide: {linear: mid, features: "\${many}"}
  x: {linear: mid, features: 5}
video:
  latents: latents
loss:
  v: mse(video.prediction, video.target) + mean(hole) + mean(depth)
  x: mean(float(narrow > wide))
  y: mean(x)
`;
  await inFolder(text, async (cwd) => {
    const { code, err } = await ltxc(["test"], { cwd });
    assert.is(code, 1);
    assert.match(err, /error\[LTX7106\]: this cannot be calculated: .*shapes/);
    assert.match(err, /tried\.strategy:20:\d+/);
  });
});

test("what an extended strategy gets wrong is shown in its own file, and expectations are inherited", async () => {
  await inFolder(bad, async (cwd) => {
    await writeFile(
      join(cwd, "further.strategy"),
      "strategy: further\nextends: ./tried.strategy\n\n\n\nparams: {gain: {maximum: 1}}\n",
    );
    const { code, out, err } = await ltxc(["test", "further.strategy"], { cwd });
    assert.is(code, 1);
    assert.match(err, /tried\.strategy:\d+:\d+\n.*\n.*- hole > 0\.5/);
    assert.match(out, "further.strategy: 4 checks fail");
    const inspected = await ltxc(["inspect", "further.strategy"], { cwd });
    assert.match(inspected.out, "expect hole > 0.5: false somewhere");
  });
});

test("strategies that do not compile are not tried, and the built-in ones hold", async () => {
  await inFolder("strategy: tried\nloss:\n  v: 1\n", async (cwd) => {
    const { code, out, err } = await ltxc(["test"], { cwd });
    assert.is(code, 1);
    assert.is(out, "");
    assert.match(err, "LTX4008");
  });
  const cwd = fileURLToPath(new URL("../../compiler/builtin", import.meta.url));
  const { code, out } = await ltxc(["test"], { cwd });
  assert.is(code, 0);
  assert.match(out, "inpainting.strategy: ok");
});

test("a seed that is no number is a usage error", async () => {
  const { code, err } = await ltxc(["test", "--seed", "x"]);
  assert.is(code, 2);
  assert.match(err, "it is a whole number");
});

const importing = `${head}imports:
  f: {from: ./f.ts, type: "(a: tokens:video, b: tokens:video) -> f32[batch]"}
video:
  latents: latents
loss:
  v: f(video.prediction, video.target)
`;
const functionOf = (before: string, result: string) =>
  `${before}export const f = (ops: any, a: any, b: any) => ${result};\n`;

for (const [name, source, says] of [
  [
    "keeps an axis that its type has not",
    functionOf("", "ops.mean(ops.square(ops.sub(a, b)), [1, 2], true)"),
    /LTX5051\]: .*`f` returned the shape \[\d+, 1, 1\]; its declared type f32\[batch\] has \[\d+\]/,
  ],
  ["returns a number", functionOf("", "1"), /LTX5051.*`f` returned no tensor; its declared type is f32\[batch\]/],
  ["throws", functionOf("", "a.nothing.here"), /LTX5051.*`f` failed: /],
  [
    "counts its calls",
    functionOf("let calls = 0;\n", "ops.mul(ops.mean(ops.square(ops.sub(a, b)), [1, 2]), ++calls)"),
    /LTX5052.*the loss `v` differs/,
  ],
] as const)
  test(`finds an imported function that ${name}`, () =>
    inFolder(importing, async (cwd) => {
      await writeFile(join(cwd, "f.ts"), source);
      const { code, err } = await ltxc(["test"], { cwd });
      assert.is(code, 1, err);
      assert.match(err, says);
    }));

test("Ctrl-C ends it by the signal, which a shell shows as 130, while it computes and never waits", () =>
  inFolder(importing, async (cwd) => {
    // Says that it was called, and never returns.
    await writeFile(join(cwd, "f.ts"), functionOf("", '(console.error("called"), (() => { for (;;); })())'));
    const bundle = fileURLToPath(new URL("../../dist/ltxc.mjs", import.meta.url));
    const child = spawn(process.execPath, [bundle, "test"], { cwd, stdio: ["ignore", "inherit", "pipe"] });
    let text = "";
    child.stderr.on("data", (part: Buffer) => {
      text += part.toString();
      if (text.includes("called")) child.kill("SIGINT");
    });
    const how = await new Promise((resolve) => child.on("close", (...code) => resolve(code)));
    assert.equal(how, [null, "SIGINT"], text);
  }));

test.run();
