import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../../../contract.ts";
import { openEngine } from "../../../engine/index.ts";
import { openSafetensors, writeSafetensors } from "../../../files/safetensors/index.ts";
import { FindingsError } from "../../../findings.ts";
import { readConfigSections } from "../../../model/metadata.ts";
import { temporaryFolders } from "../../../testing/temporary-folders.ts";
import { tinyDiffusionVae, tinyVae, writeTinyVae } from "../../../testing/tiny-vae.ts";
import { stacked } from "../encode-tiles.ts";
import { examineLatentDecoder, loadLatentDecoder } from "../latent-decoder.ts";
import { usualTiling, type Tiling } from "../tiles.ts";
import { loadDecoder, loadEncoder } from "../video-vae.ts";
import { readDiffusionConfig } from "./config.ts";
import type { ClipNoise } from "./decode-clip.ts";
import { decodeEvenly } from "./decode-tiles.ts";
import { geometryOf } from "./geometry.ts";
import { examineDiffusion, loadDiffusion, type DiffusionDecoder } from "./load.ts";

const test = suite("diffusion decoder");
const folder = temporaryFolders(test, "diffusion");
const { engine } = await openEngine("wasm");

/** A file with these values of the decoder's config instead of its own, and of the VAE's. */
async function written(decoder: object = {}, vae: object = {}): Promise<string> {
  const path = join(await folder(), "vae.safetensors");
  const config = { ...tinyDiffusionVae, ...vae, decoder: { ...tinyDiffusionVae.decoder, ...decoder } };
  await writeTinyVae(path, { config });
  return path;
}

async function using<T>(path: string, use: (decoder: DiffusionDecoder) => Promise<T>): Promise<T> {
  const file = await openSafetensors(path);
  const before = engine.memory().tensors;
  const plan = examineDiffusion(file, readConfigSections(file.metadata, path, []), []);
  const decoder = await loadDiffusion(engine, file, plan);
  await file.close();
  try {
    return await use(decoder);
  } finally {
    decoder.dispose();
    assert.is(engine.memory().tensors, before, "nothing is left behind");
  }
}

function wave(shape: readonly number[]): HostTensor {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(0.37 * i + i ** 1.1));
  return { shape, dtype: "float32", data };
}

/** Noise that depends on the frame alone. */
const noise: ClipNoise =
  ([channels = 0, , rows = 0, columns = 0]) =>
  (start, end) => {
    const shape = [channels, end - start, rows, columns];
    const size = rows * columns;
    const data = Float32Array.from({ length: channels * (end - start) * size }, (_, i) => {
      const [c, t] = [Math.floor(i / (size * (end - start))), start + (Math.floor(i / size) % (end - start))];
      return Math.sin(1.3 * c + 2.1 * t + 0.7 * (i % size) + (i % size) ** 1.3);
    });
    return { shape, dtype: "float32", data };
  };

async function decoded(decoder: DiffusionDecoder, latent: HostTensor, most?: number): Promise<HostTensor> {
  const [, , rows = 0, columns = 0] = latent.shape;
  const frames: Float32Array[] = [];
  for await (const some of decoder.frames(latent, { noise, ...(most === undefined ? {} : { most }) }))
    frames.push(...some);
  return stacked(frames, [32 * rows, 32 * columns]);
}

function difference(a: HostTensor, b: HostTensor): number {
  assert.equal(a.shape, b.shape);
  let most = 0;
  for (const [i, x] of a.data.entries()) most = Math.max(most, Math.abs(x - (b.data[i] ?? NaN)));
  return most;
}

test("a clip in pieces is that of the whole, in all kinds of steps", async () => {
  const kinds = [
    [{}, {}],
    [{ default_num_inference_steps: 2, stage_depths: [1, 1, 1, 1, 2] }, { model_output_type: "v" }],
    [{ default_num_inference_steps: 3, stage5_kernel: [4, 3, 5] }, { model_output_type: "x0" }],
  ] as const;
  for (const kind of kinds) {
    await using(await written(...kind), async (decoder) => {
      const latent = wave([8, 3, 1, 1]);
      const whole = await decoded(decoder, latent);
      assert.equal(whole.shape, [3, 17, 32, 32]);
      assert.ok(whole.data.every((x) => Number.isFinite(x)));
      const most = kind === kinds[0] ? 1 : 5000;
      assert.ok(difference(whole, await decoded(decoder, latent, most)) < 1e-4, `${most} numbers at a time`);
    });
  }
});

test("what is held does not grow with the clip, and is freed when nobody wants more", async () => {
  await using(await written(), async (decoder) => {
    const most = async (frames: number, taken: number): Promise<number> => {
      let most = 0;
      for await (const some of decoder.frames(wave([8, frames, 1, 1]), { noise, most: 1 })) {
        most = Math.max(most, engine.memory().bytes);
        taken -= some.length;
        if (taken <= 0) break;
      }
      return most;
    };
    const before = engine.memory().tensors;
    assert.is(await most(9, Infinity), await most(6, Infinity));
    await most(6, 3);
    assert.is(engine.memory().tensors, before);
  });
});

const bySize = (tileSize: number, overlap: number) => ({ kind: "size", tileSize, overlap }) as const;
const uncut = bySize(0, 0);

/** In tiles, with the most that the engine held meanwhile. */
async function tiled(decoder: DiffusionDecoder, latent: HostTensor, tiling: Tiling) {
  const [, , rows = 0, columns = 0] = latent.shape;
  const frames: Float32Array[] = [];
  // What was there before is the decoder's, and that of other tests: tfjs has one memory for a process.
  const before = engine.memory().bytes;
  let most = 0;
  for await (const some of decodeEvenly(decoder, latent, { tiling, noise })) {
    most = Math.max(most, engine.memory().bytes - before);
    frames.push(...some);
  }
  return { made: stacked(frames, [32 * rows, 32 * columns]), most };
}

/** The largest difference of the frames, rows or columns (axis 1, 2 or 3) that are asked for, and of the others. */
function differencesAt(a: HostTensor, b: HostTensor, axis: number, isAsked: (at: number) => boolean): number[] {
  assert.equal(a.shape, b.shape);
  const inner = a.shape.slice(axis + 1).reduce((x, y) => x * y, 1);
  const most = [0, 0];
  for (const [i, x] of a.data.entries()) {
    const which = isAsked(Math.floor(i / inner) % (a.shape[axis] ?? 1)) ? 0 : 1;
    most[which] = Math.max(most[which] ?? 0, Math.abs(x - (b.data[i] ?? NaN)));
  }
  return most;
}

test("a picture in tiles is that of the whole but where tiles meet, and takes less memory", async () => {
  await using(await written(), async (decoder) => {
    const tiling = { frames: uncut, height: bySize(160, 64), width: bySize(160, 64) };
    // Two tiles of five cells. A pixel sees 44 others on each side, so that the edge of a tile does not reach beyond what both have.
    const inOne = (at: number) => at < 96 || at >= 160;
    for (const [axis, shape] of [
      [2, [8, 1, 8, 1]],
      [3, [8, 2, 1, 8]],
    ] as const) {
      const latent = wave(shape);
      const whole = await tiled(decoder, latent, usualTiling);
      assert.is(difference(whole.made, await decoded(decoder, latent)), 0, "what fits is not cut");
      const { made, most } = await tiled(decoder, latent, tiling);
      const [apart = NaN, shared = NaN] = differencesAt(made, whole.made, axis, inOne);
      assert.ok(apart < 1e-4, `axis ${axis}: ${apart}`);
      assert.ok(shared > 1e-4 && shared < 1, `axis ${axis}, where tiles meet: ${shared}`);
      assert.ok(most < 0.8 * whole.most, `${most} and ${whole.most} bytes`);
    }
  });
});

test("where a picture is cut, a long clip is cut, too", async () => {
  await using(await written(), async (decoder) => {
    const latent = wave([8, 6, 1, 3]);
    const space = { height: uncut, width: bySize(32, 0) };
    const whole = await tiled(decoder, latent, { ...space, frames: uncut });
    const { made } = await tiled(decoder, latent, { ...space, frames: bySize(32, 16) });
    // Two tiles of four frames of latents, the second from one before.
    const [apart = NaN, shared = NaN] = differencesAt(made, whole.made, 1, (frame) => frame < 9 || frame >= 25);
    assert.ok(apart < 1e-4, `${apart}`);
    assert.ok(shared > 1e-4 && shared < 1, `where tiles meet: ${shared}`);
  });
});

test("latents smaller than the kernels are enlarged, and what was added is cut off", async () => {
  const kernels = {
    stage_kernels: [
      [3, 2, 3],
      [1, 3, 3],
      [1, 3, 3],
      [3, 3, 3],
    ],
  };
  await using(await written(kernels), async (decoder) => {
    assert.equal((await decoded(decoder, wave([8, 1, 1, 1]))).shape, [3, 1, 32, 32]);
  });
  const config = readDiffusionConfig(
    { vae: { ...tinyDiffusionVae, decoder: { ...tinyDiffusionVae.decoder, ...kernels } } } as never,
    source,
  );
  assert.equal(geometryOf(config, [1, 1, 2]), {
    frames: 3,
    rows: 2,
    columns: 3,
    top: 0,
    left: 0,
    ghosts: 2,
    stageFrames: [5, 5, 9, 17, 17],
    pixelFrames: 17,
  });
});

test("a gate multiplies what its layer gives", async () => {
  const path = await written();
  const gate = Float32Array.from({ length: 16 }, (_, i) => i / 8 - 0.5);
  const file = await openSafetensors(path);
  const tensors = await Promise.all(
    [...file.tensors].map(async ([name, { shape }]) => ({
      name,
      shape,
      dtype: "F32" as const,
      data: await file.readFloat32(name),
    })),
  );
  const { metadata } = file;
  await file.close();
  const at = "vae.decoder.diff_blocks.0.";
  const layers = { gate_msa: "attn.proj", gate_mlp: "mlp.w_down", gate_ctx: "context_proj" };
  const gated = Object.keys(layers).map((name) => ({
    name: at + name,
    shape: [16],
    dtype: "F32" as const,
    data: gate,
  }));
  const folded = tensors.map((tensor) => {
    if (!Object.values(layers).some((layer) => tensor.name.startsWith(`${at}${layer}.`))) return tensor;
    const width = tensor.data.length / 16;
    return { ...tensor, data: tensor.data.map((x, i) => x * (gate[Math.floor(i / width)] ?? NaN)) };
  });
  const latent = wave([8, 1, 1, 1]);
  const of = async (all: typeof tensors) => {
    const own = join(await folder(), "gated.safetensors");
    await writeSafetensors(own, all, metadata);
    return using(own, (decoder) => decoded(decoder, latent));
  };
  const plain = await of(tensors);
  const made = await of([...tensors, ...gated]);
  assert.ok(difference(made, await of(folded)) < 1e-5);
  assert.ok(difference(made, plain) > 1e-3);
});

test("the decoder of a file is found by what it is, and its noise by the seed", async () => {
  const conv = join(await folder(), "conv.safetensors");
  await writeTinyVae(conv);
  const path = await written();
  const first = async (from: string, seed: number): Promise<HostTensor> => {
    const file = await openSafetensors(from);
    try {
      const expected = { latentChannels: 8, scaleFactors: { time: 8, height: 32, width: 32 } };
      const { latentChannels, scaleFactors } = examineLatentDecoder(file);
      assert.equal({ latentChannels, scaleFactors }, expected);
      const decoder = await loadLatentDecoder(engine, file, { seed });
      assert.equal([decoder.latentChannels, decoder.scaleFactors], [8, expected.scaleFactors]);
      for await (const [frame] of decoder.frames(wave([8, 2, 1, 1]), usualTiling)) {
        decoder.dispose();
        return { shape: [3, 32, 32], dtype: "float32", data: frame ?? new Float32Array() };
      }
      throw new Error("no frame came");
    } finally {
      await file.close();
    }
  };
  const seven = await first(path, 7);
  assert.is(difference(seven, await first(path, 7)), 0);
  assert.ok(difference(seven, await first(path, 8)) > 1e-3);
  assert.is(difference(await first(conv, 7), await first(conv, 8)), 0);
});

test("such a file has an encoder, and what needs the other decoder says so", async () => {
  const file = await openSafetensors(await written());
  const encoder = await loadEncoder(engine, file);
  assert.is(encoder.latentChannels, 8);
  encoder.dispose();
  const draws = () => wave([1]);
  const error: unknown = await loadDecoder(engine, file, { noise: draws }).catch((thrown: unknown) => thrown);
  assert.match(error instanceof FindingsError ? (error.findings[0]?.code ?? "") : String(error), /LTX6802/);
  await file.close();
});

const source = { file: "vae.safetensors", place: ["model", "video_vae_path"] };

function refused(decoder: object, vae: object = {}): string {
  try {
    readDiffusionConfig(
      { vae: { ...tinyDiffusionVae, ...vae, decoder: { ...tinyDiffusionVae.decoder, ...decoder } } } as never,
      source,
    );
    return "reads";
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings
      .map(({ code, message }) => `${code} ${message.replace(/.*vae\.safetensors,? /, "")}`)
      .join("; ");
  }
}

test("the published settings are read, also from a flat section", () => {
  assert.is(refused({}), "reads");
  const published = {
    _class_name: "CausalDiffusionVAE",
    model_output_type: "x0",
    stage_channels: [2048, 1024, 512, 512, 256],
    stage5_kernel: [11, 11, 11],
    timestep_scale_multiplier: 1000,
    default_num_inference_steps: 1,
  };
  const { stages, steps, predicts, headDim, timeWidth } = readDiffusionConfig({ vae: published } as never, source);
  assert.equal([steps, predicts, headDim, timeWidth], [1, "x0", 64, 384]);
  assert.equal(
    stages.map(({ depth }) => depth),
    [4, 6, 4, 2, 8],
  );
  assert.equal(
    stages.map(({ kernel }) => kernel[1]),
    [7, 7, 5, 5, 11],
  );
});

test("a config that can not be used is refused with all that is wrong", () => {
  for (const [wrong, said] of [
    [{ dims: 2 }, /LTX6801 dims is 2, expected 3/],
    [{ head_dim: 6 }, /head_dim is 6, expected a width that has even parts/],
    [{ head_dim: 12 }, /stage_channels\[0\] is 32, expected a multiple of head_dim, 12/],
    [{ out_channels: 4 }, /out_channels is 4, expected 3/],
    [{ stage_channels: [32, 16] }, /stage_channels is \[32,16\], expected 5 whole numbers/],
    [
      { stage_channels: [64, 16, 16, 16, 16] },
      /upsamples\[0\] divides 64 channels by 2, and stage_channels\[1\] is 16/,
    ],
    [{ stage_depths: "4" }, /stage_depths is "4", expected 5/],
    [{ stage_kernels: [[3, 3]] }, /stage_kernels is \[\[3,3\]\], expected 4 kernels/],
    [{ stage5_kernel: 3 }, /stage5_kernel is \[3\], expected 1/],
    [{ upsamples: [[[1, 2, 2], 2]] }, /upsamples is .*, expected 4 pairs/],
    [{ patch_size: 2 }, /make 8 x 16 x 16 of a latent cell, expected 8 frames of 32 x 32 pixels/],
    [{ timestep_scale_multiplier: null, default_num_inference_steps: 0 }, /default_num_inference_steps is 0/],
    [{ timestep_scale_multiplier: "x" }, /timestep_scale_multiplier is "x", expected a number/],
    [{ head_dim: 6, out_channels: 1 }, /out_channels.*; .*head_dim/],
  ] as const)
    assert.match(refused(wrong), said);
  assert.match(refused({}, { model_output_type: "noise" }), /model_output_type is "noise", expected v, x0/);
  assert.is(tinyVae._class_name, "CausalVideoAutoencoder");
});

test("tensors that are missing or of other shapes, and a file without a decoder, are said", async () => {
  const file = await openSafetensors(await written());
  const codes = (tensors: ReadonlyMap<string, unknown>, config: object): string => {
    const changed = { ...file, tensors, metadata: { config: JSON.stringify({ vae: config }) } };
    try {
      examineLatentDecoder(changed as typeof file);
      return "fits";
    } catch (error) {
      if (!(error instanceof FindingsError)) throw error;
      return error.findings.map(({ code }) => code).join();
    }
  };
  const without = (pattern: RegExp) => new Map([...file.tensors].filter(([name]) => !pattern.test(name)));
  assert.is(codes(file.tensors, tinyDiffusionVae), "fits");
  assert.is(codes(file.tensors, { ...tinyDiffusionVae, _class_name: undefined }), "fits");
  assert.is(codes(without(/det_stages\.2/), tinyDiffusionVae), "LTX6205");
  const wider = { ...tinyDiffusionVae, decoder: { ...tinyDiffusionVae.decoder, t_emb_dim: 24 } };
  assert.is(codes(file.tensors, wider), "LTX6206");
  assert.is(codes(without(/decoder\./), tinyDiffusionVae), "LTX6803");
  await file.close();
});

test.run();
