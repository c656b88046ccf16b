/** Runs a strategy on a small batch, for tests of what strategies mean. */
import * as assert from "uvu/assert";
import { compile } from "../compiler/index.ts";
import type {
  Batch,
  HostTensor,
  ModalityInputs,
  ModelInputs,
  OutputInfo,
  Step,
  StepContext,
  StorageType,
  Tensor,
  Velocities,
} from "../runtime/contract.ts";
import { openEngine } from "../runtime/engine/index.ts";
import { createPositions } from "../runtime/model/positions.ts";
import { createDraws, philoxSource } from "../runtime/random/draws.ts";
import type { DrawSource } from "../runtime/random/sampler.ts";

const { engine } = await openEngine("cpu");
const { ops } = engine;
const scaleFactors = { time: 8, height: 32, width: 32 };

export const B = 2;
export const C = 2;
const grid = { frames: 2, height: 2, width: 3 };
export const T = grid.frames * grid.height * grid.width;
export const steps = 4;

const host = (shape: readonly number[], value: (i: number) => number): HostTensor => {
  const length = shape.reduce((product, size) => product * size, 1);
  return { shape, dtype: "float32", data: Float32Array.from({ length }, (_, i) => value(i)) };
};
export const kept = (shape: readonly number[], value: (i: number) => number): Tensor => engine.keep(host(shape, value));

/** bool, of as many samples as there are values. */
export const keptMask = (values: readonly boolean[]): Tensor =>
  engine.keep({ shape: [values.length], dtype: "bool", data: Uint8Array.from(values, Number) });

/** Values that differ everywhere and are not exact in bfloat16. */
export const wave = (i: number): number => Math.fround(Math.sin(i + 1));

export function batchOf(storage: StorageType = "float32"): Batch {
  const latents = kept([B, C, grid.frames, grid.height, grid.width], wave);
  return {
    size: B,
    sources: {
      latents: { kind: "video_latents", latents, storage, ...grid, fps: [24, 12] },
      sound: { kind: "audio_latents", latents: kept([B, 1, steps, 2], wave), storage: "float32", steps },
      conditions: {
        kind: "text_embeddings",
        video: kept([B, 1, 1], () => 0),
        audio: kept([B, 1, 1], () => 0),
        mask: kept([B, 1], () => 1),
      },
      worse: {
        kind: "video_latents",
        latents: kept(latents.shape, (i) => 2 * wave(i)),
        storage,
        ...grid,
        fps: [24, 12],
      },
      negative: {
        kind: "text_embeddings",
        video: kept([B, 1, 1], () => 3),
        audio: kept([B, 1, 1], () => 4),
        mask: kept([B, 1], () => 1),
      },
      hole: { kind: "video_mask", mask: kept([B, T], (i) => (i % 2 === 0 ? 1 : 0)) },
      speech: { kind: "audio_mask", mask: kept([B, steps], (i) => (i % 2 === 0 ? 1 : 0)) },
      depth: { kind: "video_latents", latents: kept(latents.shape, (i) => i), storage, ...grid, fps: [24, 12] },
      canny: {
        kind: "video_latents",
        latents: kept([B, C, 1, 2, 3], () => 7),
        storage,
        ...grid,
        frames: 1,
        fps: [24, 12],
      },
      voice: { kind: "audio_latents", latents: kept([B, 1, 2, 2], () => 8), storage: "float32", steps: 2 },
      dino: { kind: "tensor", value: kept([B, T, 3], wave) },
    },
  };
}

async function stepOf(text: string): Promise<Step> {
  const { artifacts, diagnostics } = await compile({ path: "test.strategy", text });
  assert.equal(
    diagnostics.filter((found) => found.severity === "error").map((found) => found.message),
    [],
  );
  const bundle = artifacts.find(({ name }) => name.endsWith(".mjs"))?.text ?? "";
  const code = bundle.replace(/^\/\/# sourceMappingURL=.*$/m, "");
  return (await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`)) as Step;
}

interface Outcome {
  readonly drawn: readonly string[];
  /** By path, e.g. `video.timesteps`, `target.video`, `loss.term`. */
  readonly values: ReadonlyMap<string, readonly number[]>;
  /** Passes that were called, in their order. */
  readonly calls: readonly string[];
  readonly step: Step;
}

/** 0.5 for every token of the target, 9 for those of references. */
function predict(inputs: ModalityInputs | null, target: number): Tensor {
  const [size = 0, tokens = 0, channels = 0] = inputs?.latent.shape ?? [];
  const token = (i: number) => Math.floor(i / channels) % tokens;
  return kept([size, tokens, channels], (i) => (token(i) < tokens - target ? 9 : 0.5));
}

/** Of a pass, made of what it is given: a quarter of it and 1. */
function predictionOfPass({ video, audio }: ModelInputs): Velocities {
  const velocity = (inputs: ModalityInputs | null) => inputs && ops.add(ops.mul(inputs.latent, 0.25), 1);
  return { video: velocity(video), audio: velocity(audio) };
}

type Read = (name: string, tensor: Tensor | undefined) => Promise<void>;

/** What a call of the model is given of a modality. */
async function readInputs(read: Read, name: string, inputs: ModalityInputs | null): Promise<void> {
  await read(`${name}.latent`, inputs?.latent);
  await read(`${name}.sigma`, inputs?.sigma);
  await read(`${name}.timesteps`, inputs?.timesteps);
  await read(`${name}.context`, inputs?.context);
  await read(`${name}.contextMask`, inputs?.contextMask ?? undefined);
  await read(`${name}.attention`, inputs?.attentionMask ?? undefined);
  await read(`${name}.keyframes`, inputs?.keyframesMask ?? undefined);
}

/** Numbers that differ everywhere; taps are 4 wide. */
function outputOf(output: OutputInfo): Tensor {
  return kept([B, T, output.kind === "tap" ? 4 : output.features], wave);
}

/** Tokens of one channel: -1, -2, … of the first weight, -11, -12, … of the second; of audio 100 less. */
function weightOf({ strategy: { weights = [] } }: Step, named: string, more: number): Tensor {
  const [name, modality] = named.split(".");
  const at = weights.findIndex((weight) => weight.name === name);
  const first = (modality === "audio" ? -101 : -1) - 10 * at;
  return kept([weights[at]?.tokens ?? 0, 1], (i) => first - i + more);
}

/** One forward pass with a prediction that is 0.5 everywhere and noise levels of 0.25. */
export async function run(text: string, params: Record<string, unknown> = {}, batch = batchOf()): Promise<Outcome> {
  const step = await stepOf(text);
  const calls: (readonly [string, ModelInputs])[] = [];
  const drawn: string[] = [];
  const philox = philoxSource(1, 2, 0);
  const source: DrawSource = {
    randn: (name, count) => (drawn.push(name), philox.randn(name, count)),
    rand: (name, count) => (drawn.push(name), philox.rand(name, count)),
  };
  const sampler = (_: DrawSource, name: string, count: number) => (
    drawn.push(name),
    new Float32Array(count).fill(0.25)
  );
  const draws = createDraws(ops, source, sampler);
  const ctx: StepContext<unknown> = {
    ops,
    draws,
    params,
    positions: createPositions(scaleFactors),
    scaleFactors,
    globalStep: 3,
    progress: 0.25,
    call(pass, inputs) {
      calls.push([pass, inputs]);
      return predictionOfPass(inputs);
    },
    weight: (name, weights) => weightOf(step, name, weights === "ema" ? 0.5 : 0),
    network: (name, x) => networkOf(step, name, x),
  };
  const prepared = step.prepare(ctx, batch);
  const prediction = {
    video: prepared.video === null ? null : predict(prepared.inputs.video, T),
    audio: prepared.audio === null ? null : predict(prepared.inputs.audio, steps),
    outputs: Object.fromEntries(step.strategy.outputs.map((output) => [output.name, outputOf(output)])),
  };
  const terms = step.loss(ctx, prepared, prediction);
  const values = new Map<string, readonly number[]>();
  const read = async (name: string, tensor: Tensor | undefined) => {
    if (tensor !== undefined) values.set(name, [...(await engine.read(tensor)).data]);
  };
  for (const [pass, { video, audio }] of calls) {
    await readInputs(read, `${pass}.video`, video);
    await readInputs(read, `${pass}.audio`, audio);
  }
  for (const name of ["video", "audio"] as const) {
    await readInputs(read, name, prepared.inputs[name]);
    const { positions } = prepared.inputs[name] ?? {};
    if (positions !== undefined) values.set(`${name}.positions`, [...positions.data]);
    await read(`${name}.target`, prepared[name]?.target);
    await read(`${name}.generated`, prepared[name]?.generated);
  }
  for (const [name, term] of Object.entries(terms)) {
    assert.equal(term.shape, [batch.size], name);
    await read(`loss.${name}`, term);
  }
  return { drawn, values, calls: calls.map(([pass]) => pass), step };
}

/** What stands for a network: the sum s of a cell's channels as s, 2 s and 3 s of one pixel, or twice the value. */
function networkOf({ strategy }: Step, name: string, x: Tensor): Tensor {
  const network = strategy.networks?.find((each) => each.name === name);
  if (network?.architecture !== "ltx_video_decoder") return ops.mul(x, 2);
  const sum = ops.sum(x, [1], true);
  return ops.concat([sum, ops.mul(sum, 2), ops.mul(sum, 3)], 1);
}

export const near = (actual: readonly number[] | undefined, expected: readonly number[]): void => {
  assert.is(actual?.length, expected.length);
  expected.forEach((value, i) =>
    assert.ok(Math.abs((actual?.[i] ?? NaN) - value) < 1e-5, `${i}: ${actual?.[i]}, not ${value}`),
  );
};
