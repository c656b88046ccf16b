// Small functions stand in the test that they serve.
/* oxlint-disable unicorn/consistent-function-scoping */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, ModelInputs, Tensor } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { FindingsError } from "../findings.ts";
import type { ConfigSection } from "./config-reader.ts";
import type { ModelType, TransformerConfig } from "./config.ts";
import type { Adapter } from "./module.ts";
import { createPositions } from "./positions.ts";
import { ropeTables } from "./rope.ts";
import { host, numbers, tinyConfig, tinyInputs, tinyWeights } from "../testing/tiny-model.ts";
import { createTransformer, type Perturbation } from "./transformer.ts";

const test = suite("transformer");
const { engine } = await openEngine("cpu");
const { ops } = engine;

interface Ran {
  readonly video: HostTensor | null;
  readonly audio: HostTensor | null;
  readonly taps: ReadonlyMap<string, HostTensor>;
}

interface RunOptions {
  readonly type?: ModelType;
  readonly inputs?: (config: TransformerConfig) => ModelInputs;
  readonly adapters?: () => ReadonlyMap<string, Adapter>;
  readonly edit?: (weights: Map<string, Tensor>) => void;
  readonly perturbation?: Perturbation;
}

function both(config: TransformerConfig): ModelInputs {
  return { video: tinyInputs(engine, config, "video"), audio: tinyInputs(engine, config, "audio") };
}

/** One forward pass of the tiny model under a changed config. */
async function run(changes: ConfigSection, options: RunOptions = {}): Promise<Ran> {
  const config = tinyConfig(changes, options.type);
  const taps: [string, Tensor][] = [];
  const weights = tinyWeights(engine, config);
  const { video, audio } = engine.tidy(() => {
    options.edit?.(weights);
    const model = createTransformer(ops, config, weights, options.adapters?.());
    const tap = (name: string, x: Tensor) => taps.push([name, x]);
    const prediction = model.forward((options.inputs ?? both)(config), tap, options.perturbation);
    return { ...prediction, taps };
  });
  const read = async (x: Tensor | null) => (x === null ? null : engine.read(x));
  const result = { video: await read(video), audio: await read(audio), taps: new Map<string, HostTensor>() };
  for (const [name, x] of taps) result.taps.set(name, await engine.read(x));
  engine.dispose(video, audio, ...taps.map(([, x]) => x), ...weights.values());
  return result;
}

function same(a: HostTensor | null | undefined, b: HostTensor | null | undefined, tolerance = 0): void {
  assert.ok(a && b);
  assert.equal(a.shape, b.shape);
  a.data.forEach((x, i) =>
    assert.ok(Math.abs(x - (b.data[i] ?? NaN)) <= tolerance, `[${i}] ${x}, expected ${b.data[i]}`),
  );
}

function differ(a: HostTensor | null | undefined, b: HostTensor | null | undefined): void {
  assert.ok(a && b);
  assert.not.equal(a.data, b.data);
}

const positions = createPositions({ time: 8, height: 32, width: 32 });
const grid = positions.video({ frames: 2, height: 1, width: 2 }, [24, 25]);

test("theta and max_pos of the config reach the rotary tables", async () => {
  const changes = { positional_embedding_theta: 77, positional_embedding_max_pos: [3, 100, 200] };
  const { taps } = await run(changes);
  const spec = { ...tinyConfig(changes).rope, width: 12, heads: 2, theta: 77, maxPos: [3, 100, 200] };
  same(taps.get("video.rope_cos"), ropeTables(spec, grid).cos);
  same(taps.get("audio.rope_sin"), ropeTables({ ...spec, width: 8, maxPos: [20] }, positions.audio(3, 2)).sin);
});

test("cross-modal tables share the larger of the two time limits and the audio width", async () => {
  for (const [video, audio] of [
    [30, 7],
    [7, 30],
  ]) {
    const changes = { positional_embedding_max_pos: [video, 100, 200], audio_positional_embedding_max_pos: [audio] };
    const { taps } = await run(changes);
    const spec = { ...tinyConfig().rope, width: 8, heads: 2, theta: 10000, maxPos: [30] };
    const seconds = {
      shape: [2, 1, 4, 2],
      dtype: "float32" as const,
      data: Float32Array.from([...grid.data.slice(0, 8), ...grid.data.slice(24, 32)]),
    };
    same(taps.get("video.cross_rope_cos"), ropeTables(spec, seconds).cos);
    same(taps.get("audio.cross_rope_cos"), ropeTables(spec, positions.audio(3, 2)).cos);
  }
});

test("other head counts", async () => {
  const four = {
    num_attention_heads: 4,
    audio_num_attention_heads: 4,
    attention_head_dim: 3,
    audio_attention_head_dim: 2,
    rope_type: "interleaved",
  };
  const { video, taps } = await run(four);
  assert.equal(video?.shape, [2, 4, 3]);
  assert.equal(taps.get("video.rope_cos")?.shape, [2, 4, 12]);
  differ(video, (await run({ rope_type: "interleaved" })).video);
});

test("timesteps are scaled by the config's multiplier", async () => {
  const half = (config: TransformerConfig): ModelInputs => {
    const { video, audio } = both(config);
    const times = (x: Tensor) => ops.mul(x, 0.5);
    const scaled = (m: typeof video) => m && { ...m, timesteps: times(m.timesteps), sigma: times(m.sigma) };
    return { video: scaled(video), audio: scaled(audio) };
  };
  const usual = await run({}, { inputs: half });
  const other = await run({ timestep_scale_multiplier: 500, av_ca_timestep_scale_multiplier: 500 });
  same(usual.taps.get("video.embedded_timestep"), other.taps.get("video.embedded_timestep"), 1e-4);
  same(usual.audio, other.audio, 2e-4);
});

test("timesteps that are 0 or the sample's sigma need two embeddings each", async () => {
  const levels = (twoLevels: boolean) => (config: TransformerConfig) => {
    const { video, audio } = both(config);
    const mixed = (m: typeof video) => {
      if (m === null) return null;
      const [batch = 0, tokens = 0] = m.timesteps.shape;
      const isClean = ops.greater(m.timesteps, 0.55);
      const spread = ops.broadcastTo(ops.reshape(m.sigma, [batch, 1]), [batch, tokens]);
      return { ...m, timesteps: ops.where(isClean, 0, spread), twoLevels };
    };
    return { video: mixed(video), audio: mixed(audio) };
  };
  const dense = await run({}, { inputs: levels(false) });
  const two = await run({}, { inputs: levels(true) });
  same(two.video, dense.video, 1e-6);
  same(two.audio, dense.audio, 1e-6);
  assert.equal(two.taps.get("video.embedded_timestep")?.shape.slice(0, 2), [2, 2]);
  differ(dense.video, (await run({})).video);
});

test("only the cross-modal gates follow the multiplier of their own", async () => {
  const [one, other] = [await run({}), await run({ av_ca_timestep_scale_multiplier: 17 })];
  same(one.taps.get("video.embedded_timestep"), other.taps.get("video.embedded_timestep"));
  differ(one.video, other.video);
});

test("norm_eps reaches the output head", async () => {
  const eps = 0.7;
  const { video, taps } = await run({ norm_eps: eps });
  const [x, e] = [taps.get("video.block0"), taps.get("video.embedded_timestep")];
  const [table, weight, bias] = [
    numbers("scale_shift_table", 24),
    numbers("proj_out.weight", 36),
    numbers("proj_out.bias", 3),
  ];
  for (let token = 0; token < 8; token++) {
    const row = Array.from(x?.data.slice(token * 12, token * 12 + 12) ?? []);
    const mean = row.reduce((a, b) => a + b, 0) / 12;
    const r = 1 / Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / 12 + eps);
    const head = row.map((v, i) => {
      const t = e?.data[token * 12 + i] ?? NaN;
      return (v - mean) * r * (1 + (table[12 + i] ?? 0) + t) + (table[i] ?? 0) + t;
    });
    for (let c = 0; c < 3; c++) {
      const expected = head.reduce((sum, v, i) => sum + v * (weight[c * 12 + i] ?? 0), bias[c] ?? 0);
      assert.ok(Math.abs((video?.data[token * 3 + c] ?? NaN) - expected) < 1e-4);
    }
  }
});

test("feed-forward biases differ between the streams", async () => {
  const { video, audio } = await run({ ff_bias: false, audio_ff_bias: true });
  differ(video, (await run({})).video);
  assert.ok(audio?.data.every(Number.isFinite));
});

test("a modality without tokens is as if absent, but for its empty result", async () => {
  const alone = await run({}, { inputs: (config) => ({ video: tinyInputs(engine, config, "video"), audio: null }) });
  const empty = await run(
    {},
    {
      inputs: (config) => {
        const { fill } = ops;
        const none = { latent: fill([2, 0, 2], 0), timesteps: fill([2, 0], 0), positions: positions.audio(0, 2) };
        return { video: tinyInputs(engine, config, "video"), audio: tinyInputs(engine, config, "audio", none) };
      },
    },
  );
  same(empty.video, alone.video);
  assert.is(alone.audio, null);
  assert.equal(empty.audio?.shape, [2, 0, 2]);
});

test("a disabled modality keeps its tokens but still feeds the other", async () => {
  const disabled = await run(
    {},
    {
      inputs: (config) => ({
        video: tinyInputs(engine, config, "video"),
        audio: tinyInputs(engine, config, "audio", { enabled: false }),
      }),
    },
  );
  same(disabled.taps.get("audio.block0"), disabled.taps.get("audio.x0"));
  differ(
    disabled.video,
    (await run({}, { inputs: (config) => ({ video: tinyInputs(engine, config, "video"), audio: null }) })).video,
  );
});

test("an all-ones context mask changes nothing, and timesteps may be shared by all tokens", async () => {
  const masked = await run(
    {},
    {
      inputs: (config) => {
        const contextMask = ops.constant({ shape: [2, 3], dtype: "int32", data: new Int32Array(6).fill(1) });
        return {
          video: tinyInputs(engine, config, "video", { contextMask }),
          audio: tinyInputs(engine, config, "audio"),
        };
      },
    },
  );
  same(masked.video, (await run({})).video);
  const level = (shape: number[]) =>
    ops.constant({ shape, dtype: "float32", data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.25) });
  const results = [];
  for (const shape of [
    [2, 4],
    [2, 1],
    [2, 4, 1],
  ]) {
    results.push(
      await run(
        {},
        {
          type: "video-only",
          inputs: (config) => ({
            video: tinyInputs(engine, config, "video", { timesteps: level(shape) }),
            audio: null,
          }),
        },
      ),
    );
  }
  same(results[1]?.video, results[0]?.video, 1e-5);
  same(results[2]?.video, results[0]?.video);
});

test("the keyframe embedding marks tokens above 0, and its absence from the file is harmless", async () => {
  const flag = { use_keyframes_abs_pos_embedding: true };
  const marked = (config: TransformerConfig): ModelInputs => {
    const keyframesMask = ops.constant({
      shape: [2, 4, 1],
      dtype: "float32",
      data: Float32Array.of(1, 0, 0.5, 0, 0, 0, 0, 0),
    });
    return { video: tinyInputs(engine, config, "video", { keyframesMask }), audio: null };
  };
  const [plain, with_] = [await run({}, { inputs: marked }), await run(flag, { inputs: marked })];
  const embedding = numbers("keyframes_abs_pos_embedding", 12);
  const [x, y] = [plain.taps.get("video.x0")?.data, with_.taps.get("video.x0")?.data];
  y?.forEach((v, i) => {
    const isMarked = [0, 2].includes(Math.floor(i / 12));
    assert.ok(Math.abs(v - (x?.[i] ?? NaN) - (isMarked ? (embedding[i % 12] ?? NaN) : 0)) < 1e-6);
  });
  const without = await run(flag, { inputs: marked, edit: (weights) => weights.delete("keyframes_abs_pos_embedding") });
  same(without.video, plain.video);
});

test("a model without the keyframe embedding does not see which tokens are keyframes", async () => {
  const marked = (config: TransformerConfig): ModelInputs => {
    const keyframesMask = ops.fill([2, 4, 1], 1);
    return { video: tinyInputs(engine, config, "video", { keyframesMask }), audio: null };
  };
  const unmarked = (config: TransformerConfig): ModelInputs => ({ ...both(config), audio: null });
  same((await run({}, { inputs: marked })).video, (await run({}, { inputs: unmarked })).video);
});

test("a modality that the model has no stream for is a finding", async () => {
  const refused = (error: unknown) => error instanceof FindingsError && error.findings[0]?.code === "LTX6216";
  const config = tinyConfig({}, "video-only");
  const inputs = both(tinyConfig());
  assert.throws(() => createTransformer(ops, config, new Map()).forward(inputs), refused);
  assert.throws(() => createTransformer(ops, config, new Map()).forward({ video: null, audio: null }), /neither/);
});

const adapted = [
  "patchify_proj",
  "audio_patchify_proj",
  "adaln_single.linear",
  "transformer_blocks.0.attn1.to_out.0",
  "transformer_blocks.0.ff.net.0.proj",
  "proj_out",
];

test("an adapter on any linear layer equals the merged weight W + scale B A", async () => {
  for (const module of adapted) {
    const name = `${module}.weight`;
    const merged = await run(
      {},
      {
        edit: (weights) => {
          const w = weights.get(name);
          if (w === undefined) throw new Error(name);
          const {
            shape: [outputs = 0, inputs = 0],
          } = w;
          const [a, b] = [ops.constant(host("a", [2, inputs])), ops.constant(host("b", [outputs, 2]))];
          engine.dispose(w);
          weights.set(name, ops.add(ops.constant(host(name, [outputs, inputs])), ops.mul(ops.matMul(b, a), 0.5)));
        },
      },
    );
    const [outputs = 0, inputs = 0] =
      { patchify_proj: [12, 3], audio_patchify_proj: [8, 2], "adaln_single.linear": [108, 12], proj_out: [3, 12] }[
        module
      ] ?? (module.includes("ff") ? [48, 12] : [12, 12]);
    const adapters = () =>
      new Map([
        [module, { a: ops.constant(host("a", [2, inputs])), b: ops.constant(host("b", [outputs, 2])), scale: 0.5 }],
      ]);
    const result = await run({}, { adapters });
    same(result.video, merged.video, 2e-4);
    differ(result.video, (await run({})).video);
  }
});

test("self-attention that is left out passes on each token's own values, in the named blocks of the named stream", async () => {
  const layers = { num_layers: 2 };
  const own = (tokens: number) =>
    ops.constant({
      shape: [2, tokens, tokens],
      dtype: "float32",
      data: Float32Array.from({ length: 2 * tokens * tokens }, (_, i) =>
        (i % (tokens * tokens)) % (tokens + 1) === 0 ? 1 : 0,
      ),
    });
  const masked = await run(layers, {
    inputs: (config) => ({
      video: tinyInputs(engine, config, "video", { attentionMask: own(4) }),
      audio: tinyInputs(engine, config, "audio"),
    }),
  });
  const skipping = (video: readonly number[]) =>
    run(layers, { perturbation: { selfAttention: { video, audio: [] }, isolated: false } });
  const both = await skipping([0, 1]);
  same(both.video, masked.video, 1e-5);
  same(both.audio, masked.audio, 1e-5);
  const second = await skipping([1]);
  same(second.taps.get("video.block0"), (await run(layers)).taps.get("video.block0"));
  differ(second.video, both.video);
});

test("isolated streams give what each gives alone", async () => {
  const isolated = await run({}, { perturbation: { selfAttention: { video: [], audio: [] }, isolated: true } });
  const video = await run({}, { inputs: (config) => ({ video: tinyInputs(engine, config, "video"), audio: null }) });
  const audio = await run({}, { inputs: (config) => ({ video: null, audio: tinyInputs(engine, config, "audio") }) });
  same(isolated.video, video.video, 1e-6);
  same(isolated.audio, audio.audio, 1e-6);
});

test("the forward pass leaves no tensor behind", async () => {
  await run({});
  const before = engine.memory().tensors;
  await run({});
  assert.is(engine.memory().tensors, before);
});

test.run();
