// Builds for looking inside: they show every named value, what is expected, and the weights of losses; normal builds know nothing of it.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Batch, Probe, Step, StepContext, Tensor } from "../runtime/contract.ts";
import { openEngine } from "../runtime/engine/index.ts";
import { createPositions } from "../runtime/model/positions.ts";
import { noNetworks, noPasses, noWeights } from "../runtime/training/forward.ts";
import { createDraws, philoxSource } from "../runtime/random/draws.ts";
import { compile } from "./index.ts";

const test = suite("probe");
const { engine } = await openEngine("cpu");
const grid = { frames: 2, height: 1, width: 2 };
const [B, C, T] = [2, 1, 4];

const floats = (shape: readonly number[], value: (i: number) => number): Tensor =>
  engine.keep({
    shape,
    dtype: "float32",
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
  });

const batch: Batch = {
  size: B,
  sources: {
    latents: {
      kind: "video_latents",
      latents: floats([B, C, 2, 1, 2], (i) => i),
      storage: "float32",
      ...grid,
      fps: [24, 12],
    },
    conditions: {
      kind: "text_embeddings",
      video: floats([B, 1, 1], () => 0),
      audio: null,
      mask: floats([B, 1], () => 1),
    },
    hole: { kind: "video_mask", mask: floats([B, T], (i) => i % 2) },
  },
};

const head = `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  hole: {directory: hole, kind: video_mask}
let:
  open: hole > 0.5
  error: mean(abs(video.prediction - video.target), channel)
video:
  latents: latents
  fps: 24
  keep: not open
`;

async function stepOf(text: string): Promise<Step> {
  const { artifacts, diagnostics } = await compile({ path: "test.strategy", text }, { probe: true });
  assert.equal(
    diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
    [],
  );
  const code = (artifacts.find(({ name }) => name.endsWith(".mjs"))?.text ?? "").replace(/^\/\/# source.*$/m, "");
  return (await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`)) as Step;
}

/** What a step shows with a prediction of 0.5 and noise levels of 0.25, tensors read back. */
async function probe(text: string): Promise<Readonly<Record<string, unknown>>> {
  const step = await stepOf(text);
  const sampler = (_: unknown, __: string, count: number) => new Float32Array(count).fill(0.25);
  const scaleFactors = { time: 8, height: 32, width: 32 };
  const ctx: StepContext<unknown> = {
    ops: engine.ops,
    draws: createDraws(engine.ops, philoxSource(1, 2, 0), sampler),
    params: {},
    positions: createPositions(scaleFactors),
    scaleFactors,
    globalStep: 0,
    progress: 0,
    call: noPasses,
    weight: noWeights,
    network: noNetworks,
  };
  const prepared = step.prepare(ctx, batch);
  const prediction = { video: floats([B, T, C], () => 0.5), audio: null, outputs: {} };
  const shown: Probe = step.probe?.(ctx, prepared, prediction) ?? {};
  const read = Object.entries(shown).map(async ([key, value]) => [
    key,
    typeof value === "object" && "dtype" in value ? [...(await engine.read(value)).data] : value,
  ]);
  return Object.fromEntries(await Promise.all(read)) as Record<string, unknown>;
}

test("every named value is shown by its key: bindings, then video, then what is expected, then weights", async () => {
  const shown = await probe(`${head}loss:
  velocity: mse(video.prediction, video.target) over open
expect:
  - video.timesteps < 0.3
  - open
  - latents.frames == 2
  - error < 0
`);
  assert.equal(Object.keys(shown), [
    "open",
    "error",
    "video.sigma",
    "video.keep",
    "video.timesteps",
    "video.clean",
    "video.noise",
    "video.noisy",
    "video.target",
    "video.generated",
    "video.fps",
    "video.keyframes",
    "video.prediction",
    "expect[0]",
    "expect[1]",
    "expect[2]",
    "expect[3]",
    "weight.velocity",
  ]);
  assert.equal(shown["open"], [0, 1, 0, 1, 0, 1, 0, 1]);
  assert.equal(shown["video.fps"], [24, 24]);
  assert.equal(shown["video.timesteps"], [0, 0.25, 0, 0.25, 0, 0.25, 0, 0.25]);
  assert.equal(shown["expect[0]"], [1, 1, 1, 1, 1, 1, 1, 1]);
  assert.equal(shown["expect[1]"], [0, 1, 0, 1, 0, 1, 0, 1]);
  assert.is(shown["expect[2]"], true);
  assert.equal(shown["expect[3]"], [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(shown["weight.velocity"], [0, 1, 0, 1, 0, 1, 0, 1]);
});

test("weights multiply within a mean and add up over several; a loss without `over` counts every token", async () => {
  const shown = await probe(`${head}loss:
  product: mse(video.prediction, video.target) over open over (1 + video.frame_index)
  sum: mse(video.prediction, video.target) over open + mae(video.prediction, video.target) over all
  none: mean(video.prediction)
`);
  assert.equal(shown["weight.product"], [0, 1, 0, 2, 0, 1, 0, 2]);
  assert.equal(shown["weight.sum"], [1, 2, 1, 2, 1, 2, 1, 2]);
  assert.not.ok("weight.none" in shown);
});

test("a normal build is the same with and without expectations", async () => {
  const text = `${head}loss:\n  velocity: mse(video.prediction, error * 0 + video.target) over open\n`;
  const modules = [text, `${text}expect:\n  - video.denoised < 100\n`].map(async (each) => {
    const { artifacts, program } = await compile({ path: "test.strategy", text: each });
    assert.ok(program !== null && program.probe === null);
    return artifacts[0]?.text.replace(/sourceHash: ".*"/, "");
  });
  const [without, withExpectation] = await Promise.all(modules);
  assert.ok(without?.includes("export function loss"));
  assert.is(withExpectation, without);
  assert.not.match(without ?? "", /probe/i);
});

test("what is shown has axes, types and places", async () => {
  const text = `${head}loss:\n  v: mse(video.prediction, video.target) over video.generated\nexpect:\n  - open\n`;
  const { program } = await compile({ path: "test.strategy", text }, { probe: true });
  const probed = program?.probe?.values ?? [];
  const open = probed.find(({ key }) => key === "open");
  assert.equal(open?.type, { dtype: "bool", axes: ["batch", "token:video"], stage: "device" });
  assert.is(text.slice(open?.span?.start, open?.span?.end), "hole > 0.5");
  const expected = probed.find(({ key }) => key === "expect[0]")?.span;
  assert.is(text.slice(expected?.start, expected?.end), "open");
  assert.ok((expected?.start ?? 0) > text.indexOf("expect:"));
});

test("what an expectation reads is shown with it, sources too", async () => {
  const text = `${head}loss:
  v: mse(video.prediction, video.target) over video.generated
expect:
  - video.timesteps < hole + 0.5 or open
`;
  const { program } = await compile({ path: "test.strategy", text }, { probe: true });
  const expected = program?.probe?.values.find(({ key }) => key === "expect[0]");
  assert.equal(expected?.reads.toSorted(), ["open", "source.hole", "video.timesteps"]);
  assert.equal((await probe(text))["source.hole"], [0, 1, 0, 1, 0, 1, 0, 1]);
});

test.run();
