import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ValidationConfig } from "../config/index.ts";
import type { HostTensor, ModelInputs, Tensor } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { createPositions } from "../model/positions.ts";
import { host, tinyConfig, tinyWeights } from "../testing/tiny-model.ts";
import { createTransformer, type Perturbation } from "../model/transformer.ts";
import { normal } from "../random/philox.ts";
import { drawSample, type SampledModel } from "./draw.ts";
import type { SamplePlan, VideoPlan } from "./sample-plan.ts";
import { sigmaSchedule } from "./noise-schedule.ts";
import { emptyTarget, give, streamOf } from "./target.ts";
import { videoTokens } from "./tokens.ts";

const test = suite("drawing samples");
const { engine } = await openEngine("cpu");
const { ops } = engine;

const grid = { frames: 2, height: 1, width: 2 };
const positions = createPositions({ time: 8, height: 32, width: 32 });
const clip = host("clip", [3, 2, 1, 2]);
const first = { shape: [3, 1, 1, 2], dtype: "float32", data: host("reference", [6]).data } as const;

const settings = (changes: Partial<ValidationConfig> = {}) =>
  ({
    inference_steps: 4,
    video_cfg_scale: 1,
    audio_cfg_scale: 1,
    video_stg_scale: 0,
    audio_stg_scale: 0,
    stg_blocks: null,
    guidance_rescale: 0,
    video_modality_guidance_scale: 1,
    audio_modality_guidance_scale: 1,
    ...changes,
  }) as ValidationConfig;

/** A video of four tokens of which the first `given` are the clip's, with a reference in front if asked for. */
function videoPlan({ given = 0, frozen = false, reference = false } = {}): VideoPlan {
  const target = emptyTarget(4, 3);
  give(target, videoTokens(clip), (n) => (n < given ? n : null));
  const references = reference ? [videoTokens(first)] : [];
  const place = positions.video(grid, [24], reference ? [{ frames: 1, height: 1, width: 2, fps: [24] }] : []);
  return { ...streamOf(target, references, { positions: place, frozen, firstFrame: 2 }), grid, fps: 24, shown: [] };
}

/** Audio of three steps with a single channel of two bins. */
function audioPlan({ frozen = false } = {}) {
  const target = emptyTarget(3, 2);
  if (frozen) give(target, host("audio", [3, 2]), (n) => n);
  const place = positions.audio(3, 1);
  return { ...streamOf(target, [], { positions: place, frozen, firstFrame: null }), steps: 3, mel: 2 };
}

const text = (name: string) => ({
  kind: "text_embeddings" as const,
  video: host(`${name} video`, [2, 12]),
  audio: host(`${name} audio`, [2, 8]),
  mask: { shape: [2], dtype: "int32" as const, data: Int32Array.of(1, 1) },
});

const planOf = (changes: Partial<SamplePlan> = {}): SamplePlan => ({
  number: 1,
  seed: 5,
  text: text("positive"),
  negative: text("negative"),
  video: videoPlan(),
  audio: null,
  ...changes,
});

/** The features themselves are the contexts. */
const embeddings: SampledModel["embeddings"] = {
  run: ({ video, audio, mask }) => ({
    video: ops.constant(video),
    audio: audio === null ? null : ops.constant(audio),
    mask: ops.constant(mask),
  }),
};

interface Pass {
  readonly context: number;
  readonly perturbation: Perturbation | undefined;
  readonly inputs: ModelInputs;
}

/** A model whose velocity is known, and what it was asked. */
function known(velocity: (latent: Tensor, pass: Pass) => Tensor): SampledModel & { readonly passes: Pass[] } {
  const passes: Pass[] = [];
  const contexts = new Map<Tensor, number>();
  return {
    engine,
    embeddings,
    layers: 3,
    inserted: () => [],
    passes,
    velocities(inputs, perturbation) {
      const { video, audio } = inputs;
      const key = video?.context ?? audio?.context;
      if (key === undefined) throw new Error("no modality");
      contexts.set(key, contexts.get(key) ?? contexts.size);
      const pass = { context: contexts.get(key) ?? -1, perturbation, inputs };
      passes.push(pass);
      const of = (latent: Tensor | undefined) => (latent === undefined ? null : velocity(latent, pass));
      return { video: of(video?.latent), audio: of(audio?.latent) };
    },
  };
}

function near(actual: HostTensor | null | undefined, expected: (i: number) => number, tolerance = 1e-5): void {
  if (!actual) return assert.unreachable("nothing was drawn");
  actual.data.forEach((value, i) =>
    assert.ok(Math.abs(value - expected(i)) <= tolerance, `[${i}] ${value}, expected ${expected(i)}`),
  );
}

/** The noise that a video starts from, channel by channel as the result is. */
const noise = (() => {
  const data = normal({ seed: 5, step: 0, microBatch: 0, name: "sample.video" }, 12);
  return (i: number) => data[(i % 4) * 3 + Math.floor(i / 4)] ?? Number.NaN;
})();

test("along a constant velocity the sample is the noise minus that velocity", async () => {
  const drawn = await drawSample(
    known((x) => ops.fill(x.shape, 0.5)),
    planOf(),
    settings(),
  );
  assert.equal(drawn?.video?.shape, [3, 2, 1, 2]);
  assert.is(drawn?.audio, null);
  near(drawn?.video, (i) => noise(i) - 0.5);
});

test("along a velocity in proportion to the sample each step multiplies it by 1 + a (next - sigma)", async () => {
  const drawn = await drawSample(
    known((x) => ops.mul(x, 0.8)),
    planOf(),
    settings(),
  );
  const sigmas = sigmaSchedule(4);
  const factor = [0, 1, 2, 3].reduce((f, i) => f * (1 + 0.8 * ((sigmas[i + 1] ?? 0) - (sigmas[i] ?? 0))), 1);
  near(drawn?.video, (i) => noise(i) * factor);
});

test("what is given stays exactly what it is, whatever the model says, and so do references", async () => {
  const model = known((x) => ops.add(ops.mul(x, 3), 7));
  const guided = settings({ video_cfg_scale: 3, video_stg_scale: 1, guidance_rescale: 0.7 });
  const drawn = await drawSample(model, planOf({ video: videoPlan({ given: 2, reference: true }) }), guided);
  for (const i of [0, 1, 4, 5, 8, 9]) assert.is(drawn?.video?.data[i], clip.data[i]);
  assert.is.not(drawn?.video?.data[2], clip.data[2]);
});

test("the model is told the step's noise level, per sample and per token", async () => {
  const levels = known((x, { inputs: { video } }) => {
    if (video === null) throw new Error("no video");
    const both = ops.add(ops.reshape(video.timesteps, [1, 4, 1]), ops.reshape(video.sigma, [1, 1, 1]));
    return ops.broadcastTo(both, x.shape);
  });
  const drawn = await drawSample(levels, planOf(), settings());
  const sigmas = sigmaSchedule(4);
  const way = [0, 1, 2, 3].reduce((sum, i) => {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    return sum + 2 * sigma * (next - sigma);
  }, 0);
  near(drawn?.video, (i) => noise(i) + way);
});

test("all steps make the same calls with the same plain numbers, so that one recording serves them", async () => {
  const steps: string[][] = [];
  const called: typeof ops = new Proxy(ops, {
    get:
      (target, name: keyof typeof ops) =>
      (...args: readonly unknown[]) => {
        const plain = args.map((x) => (typeof x === "object" && x !== null && "shape" in x ? "tensor" : x));
        steps.at(-1)?.push(`${name} ${JSON.stringify(plain)}`);
        return (target[name] as (...given: readonly unknown[]) => unknown)(...args);
      },
  });
  const logged: typeof engine = Object.assign(Object.create(engine) as typeof engine, {
    ops: called,
    tidy: <T>(f: () => T): T => {
      steps.push([]);
      return engine.tidy(f);
    },
  });
  const model = { ...known((x) => x), engine: logged };
  await drawSample(model, planOf(), settings({ video_cfg_scale: 3, video_stg_scale: 1, guidance_rescale: 0.7 }));
  const [first, ...others] = steps.filter((calls) => calls.length > 0);
  assert.is(others.length, 3);
  for (const calls of others) assert.equal(calls, first);
});

test("references and first frames are where the model looks for them", () => {
  const { denoise, keyframes, references, positions: place } = videoPlan({ given: 1, reference: true });
  assert.equal([...denoise.data], [0, 0, 0, 1, 1, 1]);
  assert.equal([...(keyframes?.data ?? [])], [0, 0, 1, 1, 0, 0]);
  assert.equal([references, place.shape], [2, [1, 3, 6, 2]]);
});

test("each scale costs a pass of its own, with its own caption and attention", async () => {
  const count = async (changes: Partial<ValidationConfig>, plan: Partial<SamplePlan> = {}) => {
    const model = known((x) => x);
    await drawSample(model, planOf(plan), settings({ inference_steps: 1, ...changes }));
    return model.passes.map(({ context, perturbation }) => ({ context, perturbation }));
  };
  const plain = { context: 0, perturbation: undefined };
  assert.equal(await count({}), [plain]);
  assert.equal(await count({ video_cfg_scale: 3 }), [plain, { context: 1, perturbation: undefined }]);
  const skipped = (video: readonly number[], audio: readonly number[] = []) => ({
    context: 0,
    perturbation: { selfAttention: { video, audio }, isolated: false },
  });
  assert.equal(await count({ video_stg_scale: 1 }), [plain, skipped([0, 1, 2])]);
  assert.equal(await count({ video_stg_scale: 1, stg_blocks: [2] }), [plain, skipped([2])]);
  const both = { audio: audioPlan() };
  assert.equal(await count({ audio_stg_scale: 1, stg_blocks: [2] }, both), [plain, skipped([], [2])]);
  const isolated = { context: 0, perturbation: { selfAttention: { video: [], audio: [] }, isolated: true } };
  assert.equal(await count({ video_modality_guidance_scale: 3 }), [plain]);
  assert.equal(await count({ video_modality_guidance_scale: 3 }, both), [plain, isolated]);
});

test("guidance of both captions in a closed form", async () => {
  // The positive caption says 0.5, the negative one 0.2: their difference, three times over, is added to the first.
  const model = known((x, { context }) => ops.fill(x.shape, context === 0 ? 0.5 : 0.2));
  const drawn = await drawSample(model, planOf(), settings({ video_cfg_scale: 4 }));
  near(drawn?.video, (i) => noise(i) - (0.5 + 3 * (0.5 - 0.2)));
});

test("a modality that is given whole stands at level 0, is not guided and not a result", async () => {
  const model = known((x, { inputs: { video, audio } }) => {
    const [own, other] = [video?.sigma, audio?.sigma];
    // The audio's level is 0, so only the video's is left.
    return ops.broadcastTo(ops.reshape(ops.add(own ?? 0, ops.mul(other ?? 0, 100)), [1, 1, 1]), x.shape);
  });
  const plan = planOf({ audio: audioPlan({ frozen: true }) });
  const drawn = await drawSample(model, plan, settings({ inference_steps: 1, audio_cfg_scale: 7 }));
  assert.is(drawn?.audio, null);
  assert.is(model.passes.length, 1);
  near(drawn?.video, (i) => noise(i) - 1);
});

test("trained tokens stand in front of the caption, and not in front of the negative one", async () => {
  const tokens = engine.keep({ shape: [2, 12], dtype: "float32", data: new Float32Array(24) });
  const widths: number[] = [];
  const model = {
    ...known((latent) => latent),
    inserted: (modality: "video" | "audio") => (modality === "video" ? [tokens] : []),
    velocities(inputs: ModelInputs) {
      widths.push(inputs.video?.context.shape[1] ?? NaN);
      return { video: inputs.video?.latent ?? null, audio: inputs.audio?.latent ?? null };
    },
  };
  await drawSample(model, planOf({}), settings({ inference_steps: 1, video_cfg_scale: 3 }));
  const [positive = NaN, negative = NaN] = widths;
  assert.is(positive, negative + 2);
  engine.dispose(tokens);
});

/** The tiny model with both modalities. */
function tiny() {
  const config = tinyConfig({ num_layers: 2 });
  const weights = tinyWeights(engine, config);
  const transformer = createTransformer(ops, config, weights);
  const model: SampledModel = {
    engine,
    embeddings,
    layers: 2,
    inserted: () => [],
    velocities: (inputs, perturbation) => transformer.forward(inputs, undefined, perturbation),
  };
  return { model, free: () => engine.dispose(...weights.values()) };
}

const everything = settings({
  inference_steps: 3,
  video_cfg_scale: 3,
  audio_cfg_scale: 7,
  video_stg_scale: 1,
  audio_stg_scale: 1,
  guidance_rescale: 0.7,
  video_modality_guidance_scale: 3,
  audio_modality_guidance_scale: 3,
});

test("the real model with all guidance: the seed alone decides, and no tensor is left behind", async () => {
  const before = engine.memory().tensors;
  const { model, free } = tiny();
  const plan = planOf({ video: videoPlan({ given: 2, reference: true }), audio: audioPlan() });
  const once = await drawSample(model, plan, everything);
  assert.equal(once?.audio?.shape, [1, 3, 2]);
  assert.ok([...(once?.video?.data ?? []), ...(once?.audio?.data ?? [])].every(Number.isFinite));
  assert.equal(await drawSample(model, plan, everything), once);
  const other = await drawSample(model, { ...plan, seed: 6 }, everything);
  assert.not.equal(other?.video?.data, once?.video?.data);
  for (const i of [0, 1, 4, 5, 8, 9]) assert.is(other?.video?.data[i], clip.data[i]);
  free();
  assert.is(engine.memory().tensors, before);
});

test("features that the connectors refuse leave no tensor behind", async () => {
  const before = engine.memory().tensors;
  let runs = 0;
  const refusing: SampledModel["embeddings"] = {
    run: (features) => {
      if (runs++ > 0) throw new Error("refused");
      return embeddings.run(features);
    },
  };
  const outcome = drawSample({ ...known((x) => x), embeddings: refusing }, planOf(), settings());
  assert.is(await outcome.catch((error: unknown) => String(error)), "Error: refused");
  assert.is(engine.memory().tensors, before);
});

test("an abort ends the drawing without a result, and without a tensor left behind", async () => {
  const before = engine.memory().tensors;
  const stop = new AbortController();
  const model = known((x) => {
    stop.abort();
    return x;
  });
  assert.is(await drawSample(model, planOf(), settings(), stop.signal), null);
  assert.is(model.passes.length, 1);
  assert.is(engine.memory().tensors, before);
});

test.run();
