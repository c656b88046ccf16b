import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../../contract.ts";
import { openEngine } from "../../engine/index.ts";
import { FindingsError } from "../../findings.ts";
import { openSafetensors } from "../../files/safetensors/index.ts";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { tinyVae, writeTinyVae } from "../../testing/tiny-vae.ts";
import { readDecoderConfig, readEncoderConfig } from "./config.ts";
import { cut } from "./cut.ts";
import { decodeTiles } from "./decode-tiles.ts";
import { encodePieces, encodeTiles, encodeWhole, framesOfLatent, stacked } from "./encode-tiles.ts";
import { loadDecoder, loadEncoder } from "./video-vae.ts";

const test = suite("video VAE");
const folder = temporaryFolders(test, "vae");
const { engine } = await openEngine("onnx");

const noise = (): never => {
  throw new Error("draws nothing");
};

async function opened(options: Parameters<typeof writeTinyVae>[1] = {}) {
  const path = join(await folder(), "vae.safetensors");
  await writeTinyVae(path, options);
  const file = await openSafetensors(path);
  try {
    return { encoder: await loadEncoder(engine, file), decoder: await loadDecoder(engine, file, { noise }) };
  } finally {
    await file.close();
  }
}

let vae: ReturnType<typeof opened>;
test.before(() => {
  vae = opened({ prefix: "" });
});
test.after(async () => {
  const { encoder, decoder } = await vae;
  encoder.dispose();
  decoder.dispose();
});

function wave(shape: readonly number[]): HostTensor {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(0.37 * i));
  return { shape, dtype: "float32", data };
}

function close(actual: HostTensor, expected: HostTensor, within: number): void {
  assert.equal(actual.shape, expected.shape);
  expected.data.forEach((x, i) =>
    assert.ok(Math.abs((actual.data[i] ?? NaN) - x) < within, `${i}: ${actual.data[i]}, ${x}`),
  );
}

test("the first frames of a clip have the same latents, whatever follows", async () => {
  const { encoder, decoder } = await vae;
  assert.equal(encoder.scaleFactors, { time: 8, height: 32, width: 32 });
  assert.equal(decoder.scaleFactors, encoder.scaleFactors);
  const { encode } = encodeWhole(engine, encoder);
  const video = wave([3, 17, 32, 64]);
  const start = (count: number): HostTensor => {
    const frame = 32 * 64;
    const parts = [0, 1, 2].map((c) => video.data.slice(c * 17 * frame, (c * 17 + count) * frame));
    return { shape: [3, count, 32, 64], dtype: "float32", data: Float32Array.from(parts.flatMap((part) => [...part])) };
  };
  const whole = await encode(video);
  assert.equal(whole.shape, [8, 3, 1, 2]);
  const first = await encode(start(9));
  const expected = stacked(
    [0, 1].map((t) => frameOf(whole, t)),
    [1, 2],
  );
  close(first, expected, 1e-4);
  // Frames that do not fill a latent frame are left out.
  close(await encode(start(14)), first, 1e-4);
});

function frameOf({ shape: [channels = 0, frames = 0, rows = 0, columns = 0], data }: HostTensor, t: number) {
  const size = rows * columns;
  return Float32Array.from(
    { length: channels * size },
    (_, i) => data[(Math.floor(i / size) * frames + t) * size + (i % size)] ?? NaN,
  );
}

test("a clip in pieces has the latents of the whole, and leaves nothing behind", async () => {
  const { encoder } = await vae;
  const strided = { ...tinyVae, encoder_blocks: tinyVae.encoder_blocks.map(unresidual) };
  const other = await opened({ config: strided });
  for (const each of [encoder, other.encoder]) {
    const before = engine.memory().tensors;
    const video = wave([3, 25, 32, 64]);
    const whole = framesOfLatent(await encodeWhole(engine, each).encode(video));
    const pieces = encodePieces(engine, each);
    const made: Float32Array[] = [];
    for (const [start, end] of [
      [0, 1],
      [1, 9],
      [9, 25],
    ] as const)
      made.push(
        ...framesOfLatent(
          await pieces.encode(cut(video, { start, end }, { start: 0, end: 32 }, { start: 0, end: 64 })),
        ),
      );
    pieces.dispose();
    close(stacked(made, [1, 2]), stacked(whole, [1, 2]), 1e-4);
    assert.equal([engine.memory().tensors, each.needsWhole], [before, false]);
  }
  other.encoder.dispose();
  other.decoder.dispose();
});

/** A block that halves by a stride, in place of one that adds a mean; its width stays. */
const unresidual = ([name]: (typeof tinyVae.encoder_blocks)[number]) => [name.replace("_res", ""), {}];

test("an encoder that normalises over all frames says so", async () => {
  const config = { ...tinyVae, encoder_blocks: [["res_x_y", { multiplier: 2 }], ...tinyVae.encoder_blocks.slice(1)] };
  const { encoder, decoder } = await opened({ config });
  assert.is(encoder.needsWhole, true);
  encoder.dispose();
  decoder.dispose();
});

test("one tile decodes as the whole, several come in order and leave nothing behind", async () => {
  const { decoder } = await vae;
  const latent = wave([8, 4, 2, 3]);
  const given = engine.keep({ ...latent, shape: [1, ...latent.shape] });
  const made = await decoder.decode(given);
  const whole = await engine.read(made);
  engine.dispose(given, made);
  const untiled = { kind: "size", tileSize: 0, overlap: 0 } as const;
  const before = engine.memory().tensors;
  const once: Float32Array[] = [];
  for await (const frames of decodeTiles(decoder, latent, { frames: untiled, height: untiled, width: untiled }))
    once.push(...frames);
  close(stacked(once, [64, 96]), { ...whole, shape: whole.shape.slice(1) }, 1e-5);
  const inTime = { kind: "size", tileSize: 16, overlap: 8 } as const;
  const chunks: number[] = [];
  for await (const frames of decodeTiles(decoder, latent, { frames: inTime, height: untiled, width: untiled }))
    chunks.push(frames.length);
  assert.equal([chunks.length > 1, chunks.reduce((a, b) => a + b, 0)], [true, 25]);
  assert.is(engine.memory().tensors, before);
});

/** A decoder for each way in which frames may depend on each other, and none on the rest of the clip but where all do. */
const decoders: Readonly<Record<string, object>> = {
  "one that sees the future": tinyVae,
  "one that sees the past alone": { ...tinyVae, causal_decoder: true },
  "residual upsampling": {
    ...tinyVae,
    spatial_padding_mode: "reflect",
    decoder_blocks: [
      ["res_x", { num_layers: 2 }],
      ["compress_all", { multiplier: 2, residual: true }],
      ["compress_all", { multiplier: 2, residual: true }],
      ["compress_all", { multiplier: 2, residual: true }],
    ],
  },
  "noise at each layer and a noise level": {
    ...tinyVae,
    timestep_conditioning: true,
    decoder_blocks: tinyVae.decoder_blocks.map(([name, given]) => [name, { ...given, inject_noise: true }]),
  },
  "a norm over the whole clip": {
    ...tinyVae,
    decoder_blocks: [["res_x_y", { multiplier: 2 }], ...tinyVae.decoder_blocks.slice(1)],
  },
};

/** As `openDecoder` draws: a place has the same numbers whenever it is asked. */
const steady = (shape: readonly number[]): HostTensor => wave(shape);

for (const [name, config] of Object.entries(decoders))
  test(`a clip decoded in pieces has the frames of the whole: ${name}`, async () => {
    const path = join(await folder(), "vae.safetensors");
    await writeTinyVae(path, { config });
    const file = await openSafetensors(path);
    const decoder = await loadDecoder(engine, file, { noise: steady });
    await file.close();
    // Of 12 latent frames the first stages see two pieces, and the last ones many. Reflection needs two cells.
    const side = "spatial_padding_mode" in config && config.spatial_padding_mode === "reflect" ? 2 : 1;
    for (const length of [1, 12]) {
      const latent = wave([8, length, side, side]);
      const given = engine.keep({ ...latent, shape: [1, ...latent.shape] });
      const made = await decoder.decode(given);
      const whole = framesOfLatent({ ...(await engine.read(made)), shape: made.shape.slice(1) });
      engine.dispose(given, made);
      const before = engine.memory().tensors;
      const frames: Float32Array[] = [];
      for await (const piece of decoder.pieces(latent)) frames.push(...framesOfLatent(piece));
      assert.equal([frames.length, engine.memory().tensors], [1 + 8 * (length - 1), before]);
      close(stacked(frames, [32 * side, 32 * side]), stacked(whole, [32 * side, 32 * side]), 1e-4);
    }
    decoder.dispose();
  });

test("decoding in pieces may be ended early, and leaves nothing behind", async () => {
  const { decoder } = await vae;
  const before = engine.memory().tensors;
  for await (const piece of decoder.pieces(wave([8, 12, 1, 1]))) if (piece.shape[1] !== 0) break;
  assert.is(engine.memory().tensors, before);
});

test("pixels that fit one tile are encoded at once, larger ones in tiles", async () => {
  const { encoder } = await vae;
  const video = wave([3, 1, 64, 96]);
  const size = { height: 64, width: 96 };
  const whole = encodeWhole(engine, encoder);
  const inOne = encodeTiles(() => whole, size, encoder.scaleFactors);
  close(await inOne.encode(video), await whole.encode(video), 1e-6);
  const several = encodeTiles(() => whole, size, encoder.scaleFactors, { size: 64, overlap: 32 });
  const tiled = await several.encode(video);
  assert.equal(tiled.shape, [8, 1, 2, 3]);
});

const source = { file: "vae.safetensors", place: ["model", "video_vae_path"] };

function refused(read: typeof readEncoderConfig | typeof readDecoderConfig, vae: unknown): string[] {
  try {
    read({ vae }, source);
    return [];
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings.map(({ code, message }) => `${code} ${message.replace(/.*vae\.safetensors,? /, "")}`);
  }
}

test("a config that can not be used is refused with all that is wrong", () => {
  assert.equal(refused(readEncoderConfig, tinyVae), []);
  assert.equal(refused(readDecoderConfig, tinyVae), []);
  assert.match(refused(readDecoderConfig, undefined)[0] ?? "", /^LTX6204/);
  assert.match(refused(readDecoderConfig, { ...tinyVae, _class_name: "CausalDiffusionVAE" })[0] ?? "", /^LTX6802/);
  assert.equal(refused(readEncoderConfig, { ...tinyVae, dims: 2, norm_layer: "group_norm", latent_log_var: "none" }), [
    "LTX6801 dims is 2, expected 3",
    'LTX6801 norm_layer is "group_norm", expected "pixel_norm"',
    'LTX6801 latent_log_var is "none", expected uniform, constant, per_channel',
  ]);
  for (const [wrong, said] of [
    [{ patch_size: 0 }, /patch_size is 0, expected a whole number/],
    [{ decoder_blocks: [] }, /decoder_blocks is empty/],
    [{ decoder_blocks: "res_x" }, /decoder_blocks is no list/],
    [{ decoder_blocks: [["dance", {}]] }, /decoder_blocks\[0\] is "dance", expected one of res_x/],
    [{ decoder_blocks: [["res_x", { num_layers: -1 }]] }, /decoder_blocks\[0\]: num_layers is -1/],
    [{ decoder_blocks: [null] }, /decoder_blocks\[0\] is null/],
    [{ spatial_padding_mode: "mirror" }, /spatial_padding_mode is "mirror"/],
    [{ causal_decoder: "yes" }, /causal_decoder is "yes", expected true or false/],
  ] as const)
    assert.match(refused(readDecoderConfig, { ...tinyVae, ...wrong })[0] ?? "", said);
});

test("widths that do not divide, missing tensors and a missing half are said", async () => {
  const path = join(await folder(), "vae.safetensors");
  const config = { ...tinyVae, encoder_blocks: [["compress_all_res", { multiplier: 3 }]] };
  const say = async (metadata: object, load: "encoder" | "decoder") => {
    await writeTinyVae(path);
    const file = await openSafetensors(path);
    const changed = { ...file, tensors: file.tensors, metadata: { config: JSON.stringify({ vae: metadata }) } };
    try {
      await (load === "encoder" ? loadEncoder(engine, changed) : loadDecoder(engine, changed, { noise }));
      return "loads";
    } catch (error) {
      if (!(error instanceof FindingsError)) throw error;
      return error.findings.map(({ code }) => code).join();
    } finally {
      await file.close();
    }
  };
  assert.is(await say(config, "encoder"), "LTX6801");
  assert.is(await say({ ...tinyVae, latent_channels: 16 }, "encoder"), "LTX6206");
  assert.is(
    await say(
      {
        ...tinyVae,
        decoder_blocks: [
          ["res_x", 2],
          ["compress_all", 1],
        ],
      },
      "decoder",
    ),
    "LTX6205,LTX6206",
  );
  await writeTinyVae(path, { prefix: "other." });
  const file = await openSafetensors(path);
  await rejects(loadDecoder(engine, file, { noise }), /LTX6803.* holds no video VAE$/m);
  await file.close();
});

async function rejects(made: Promise<unknown>, said: RegExp): Promise<void> {
  const error = await made.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.match(error instanceof FindingsError ? error.message : String(error), said);
}

test.run();
