import { join } from "node:path";
import type { HostTensor, Tensor } from "../../runtime/contract.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { openSafetensors } from "../../runtime/files/safetensors/index.ts";
import { cut } from "../../runtime/media/vae/cut.ts";
import { decodeTiles } from "../../runtime/media/vae/decode-tiles.ts";
import type { ClipNoise } from "../../runtime/media/vae/diffusion/decode-clip.ts";
import { examineDiffusion, loadDiffusion } from "../../runtime/media/vae/diffusion/load.ts";
import { encodeTiles, framesOfLatent, stacked, type ClipEncoding } from "../../runtime/media/vae/encode-tiles.ts";
import type { Noise } from "../../runtime/media/vae/run-stages.ts";
import { patchify, unpatchify } from "../../runtime/media/vae/space-to-depth.ts";
import { completeAfter, tilesInTime, type AxisTiling, type Tiling } from "../../runtime/media/vae/tiles.ts";
import { loadDecoder, loadEncoder, type VideoDecoder } from "../../runtime/media/vae/video-vae.ts";
import { readConfigSections } from "../../runtime/model/metadata.ts";
import { golden, type Case, type GoldenTensor, type Replay } from "../case.ts";
import { declared, type Checks } from "../checks.ts";
import type { Tolerance } from "../compare.ts";
import { keys, limits } from "../known.ts";

/** Cases of this group are told apart by their operation. */
export const replay: Replay = async (replayed, engine) => {
  const operation = String(replayed.manifest["operation"]);
  const own = operations[operation];
  if (own === undefined) return [`the operation ${operation} is not known`];
  return own(replayed, engine);
};

const tolerance = limits("default");
const model = keys("operation", "weight_key_prefix", "config", "num_parameters");

const encode = declared(
  { manifest: { ...model, tolerance }, inputs: /^in\.video$/ },
  async (replayed, checks, engine) => {
    await withWeights(replayed, async (file) => {
      const encoder = await loadEncoder(engine, file);
      const given = engine.keep(hostOf(golden(replayed.tensors, "in.video")));
      try {
        const latent = await encoder.encode(given, tapOf(replayed, checks, engine, "down_block"));
        checks.compare("out.latent", await engine.read(latent), toleranceOf(replayed));
        engine.dispose(latent);
      } finally {
        engine.dispose(given);
        encoder.dispose();
      }
    });
  },
);

const decode = declared(
  {
    manifest: { ...model, tolerance, tiling: true, chunk_frames: true, draws_info: true },
    inputs: /^in\.latent$|^draw_/,
  },
  async (replayed, checks, engine) => {
    await withWeights(replayed, async (file) => {
      const decoder = await loadDecoder(engine, file, { noise: recordedNoise(replayed) });
      const latent = hostOf(golden(replayed.tensors, "in.latent"));
      try {
        if (replayed.manifest["tiling"] === undefined) await decodeWhole();
        else await compareTiled(replayed, checks, decoder, firstOf(latent));
      } finally {
        decoder.dispose();
      }
      async function decodeWhole() {
        const given = engine.keep(latent);
        const video = await decoder.decode(given, tapOf(replayed, checks, engine, "up_block"));
        checks.compare("out.video", await engine.read(video), toleranceOf(replayed));
        engine.dispose(given, video);
        if (latent.shape[0] === 1 && replayed.manifest["draws_info"] === undefined) await decodeInPieces();
      }
      async function decodeInPieces() {
        const frames: Float32Array[] = [];
        for await (const piece of decoder.pieces(firstOf(latent))) frames.push(...framesOfLatent(piece));
        const { shape } = golden(replayed.tensors, "out.video");
        const video = stacked(frames, [shape[3] ?? 0, shape[4] ?? 0]);
        checks.compare("out.video", { shape: [1, ...video.shape], data: video.data }, toleranceOf(replayed));
      }
    });
  },
);

const decodeDiffusion = declared(
  { manifest: { ...model, tolerance, draws_info: true }, inputs: /^in\.latent$|^draw_/ },
  async (replayed, checks, engine) => {
    await withWeights(replayed, async (file) => {
      const plan = examineDiffusion(file, readConfigSections(file.metadata, file.path, []), []);
      const decoder = await loadDiffusion(engine, file, plan);
      const draws = clipDraws(replayed);
      const seen = new Map<string, HostTensor[]>();
      const videos: HostTensor[] = [];
      try {
        for (const [i, latent] of samplesOf(hostOf(golden(replayed.tensors, "in.latent"))).entries()) {
          const frames: Float32Array[] = [];
          const decoding = { noise: draws(i), tap: collect(engine, seen) };
          for await (const some of decoder.frames(latent, decoding)) frames.push(...some);
          const [, , rows = 0, columns = 0] = latent.shape;
          videos.push(stacked(frames, [rows * decoder.scaleFactors.height, columns * decoder.scaleFactors.width]));
        }
      } finally {
        decoder.dispose();
      }
      checks.compare("out.video", together(videos), toleranceOf(replayed));
      for (const [name, values] of seen)
        if (replayed.tensors.has(name)) checks.compare(name, together(values), toleranceOf(replayed));
    });
  },
);

/** Keeps what a decoder computes in between, of each sample once: clips as small as these come in one piece. */
function collect(engine: Engine, seen: Map<string, HostTensor[]>) {
  return async (name: string, value: Tensor): Promise<void> => {
    const read = await engine.read(value);
    // Of the noise levels, whose embedding is a row already, the first was recorded, for the whole batch.
    if (name !== "t_embedder") add(name, read);
    else if (!seen.has(`mid.${name}`)) add(name, { ...read, shape: read.shape.slice(1) });
  };
  function add(name: string, value: HostTensor): void {
    seen.set(`mid.${name}`, [...(seen.get(`mid.${name}`) ?? []), value]);
  }
}

/** The samples of a batch. */
function samplesOf({ shape: [batch = 0, ...shape], data }: HostTensor): HostTensor[] {
  const size = data.length / batch;
  return Array.from({ length: batch }, (_, i) => ({
    shape,
    dtype: "float32",
    data: data.slice(i * size, (i + 1) * size),
  }));
}

/** Samples of equal shapes as a batch. */
function together(samples: readonly HostTensor[]): HostTensor {
  const [first] = samples;
  if (first === undefined) throw new Error("nothing was decoded");
  const data = Float32Array.from(samples.flatMap((sample) => [...sample.data]));
  return { shape: [samples.length, ...first.shape], dtype: "float32", data };
}

/** For each sample of a batch the recorded noise of its clip. */
function clipDraws(replayed: Case): (sample: number) => ClipNoise {
  const recorded = recordedNoise(replayed);
  const [batch = 0] = golden(replayed.tensors, "in.latent").shape;
  let all: HostTensor[] | null = null;
  return (sample) => (shape) => {
    const own = (all ??= samplesOf(recorded([batch, ...shape])))[sample];
    if (own === undefined) throw new Error(`there is no noise for sample ${sample}`);
    const [, , rows = 0, columns = 0] = shape;
    return (start, end) => cut(own, { start, end }, { start: 0, end: rows }, { start: 0, end: columns });
  };
}

/** Officially frames come in chunks, all of a tile in time at once; here a few at a time. */
async function compareTiled(replayed: Case, checks: Checks, decoder: VideoDecoder, latent: HostTensor): Promise<void> {
  const tiling = tilingOf(replayed);
  const frames: Float32Array[] = [];
  for await (const some of decodeTiles(decoder, latent, tiling)) frames.push(...some);
  const { shape } = golden(replayed.tensors, "out.video");
  const video = stacked(frames, [shape[3] ?? 0, shape[4] ?? 0]);
  const length = latent.shape[1] ?? 0;
  const { time } = decoder.scaleFactors;
  const ends = completeAfter(tilesInTime(length, tiling.frames, time), length, time);
  const lengths = ends.map((end, i) => end - (ends[i - 1] ?? 0));
  checks.same("the frames of the chunks", lengths, replayed.manifest["chunk_frames"]);
  checks.compare("out.video", { shape: [1, ...video.shape], data: video.data }, toleranceOf(replayed));
}

/** The first sample of a batch of one. */
function firstOf({ shape: [batch, ...shape], data }: HostTensor): HostTensor {
  if (batch !== 1) throw new Error(`a tiled case has ${batch} samples`);
  return { shape, dtype: "float32", data };
}

function tilingOf({ manifest }: Case): Tiling {
  const { kind, frames, height, width } = manifest["tiling"];
  const axis = (given: Record<string, number>): AxisTiling =>
    kind === "size"
      ? { kind, tileSize: given["tile_size"] ?? 0, overlap: given["overlap"] ?? 0 }
      : { kind: "count", tiles: given["num_tiles"] ?? 1, overlap: given["overlap"] ?? 0 };
  return { frames: axis(frames), height: axis(height), width: axis(width) };
}

const trainerTiledEncode = declared(
  {
    manifest: { ...keys("operation", "scale_factors", "tile_size", "tile_overlap", "toy_encoder"), tolerance },
    inputs: /^in\.video$/,
  },
  async (replayed, checks) => {
    const [time, height, width] = replayed.manifest["scale_factors"];
    const factors = { time, height, width };
    const tiles = { size: replayed.manifest["tile_size"], overlap: replayed.manifest["tile_overlap"] };
    const video = firstOf(hostOf(golden(replayed.tensors, "in.video")));
    const [, , rows = 0, columns = 0] = video.shape;
    const toy = { encode: toyEncoder(factors), dispose: () => undefined };
    const latent = await encodeTiles(() => toy, { height: rows, width: columns }, factors, tiles).encode(video);
    checks.compare("out.latent", { ...latent, shape: [1, ...latent.shape] }, toleranceOf(replayed));
  },
);

/** What the manifest describes as `toy_encoder`. */
function toyEncoder(factors: {
  readonly time: number;
  readonly height: number;
  readonly width: number;
}): ClipEncoding["encode"] {
  return ({ shape: [, frames = 0, rows = 0, columns = 0], data }) => {
    const [f, h, w] = [
      1 + Math.floor((frames - 1) / factors.time),
      Math.floor(rows / factors.height),
      Math.floor(columns / factors.width),
    ];
    const linear = (i: number, count: number, end: number) => (count === 1 ? 0 : (end * i) / (count - 1));
    const cell = (t: number, y: number, x: number) => {
      let sum = 0;
      for (let c = 0; c < 3; c++)
        for (let j = 0; j < factors.height; j++)
          for (let i = 0; i < factors.width; i++)
            sum +=
              data[
                ((c * frames + t * factors.time) * rows + y * factors.height + j) * columns + x * factors.width + i
              ] ?? NaN;
      return sum / (3 * factors.height * factors.width) + linear(y, h, 1) + linear(x, w, 2);
    };
    const made = Float32Array.from({ length: 128 * f * h * w }, (_, i) => {
      const [x, y, t, k] = [i % w, Math.floor(i / w) % h, Math.floor(i / (w * h)) % f, Math.floor(i / (w * h * f))];
      return ((k + 1) / 128) * cell(t, y, x);
    });
    return Promise.resolve({ shape: [128, f, h, w], dtype: "float32", data: made });
  };
}

const patches = declared(
  { manifest: { operation: true, patch: true, tolerance }, inputs: /^in\./ },
  async (replayed, checks, engine) => {
    for (const [name, size] of Object.entries<number>(replayed.manifest["patch"])) {
      const given = engine.keep(hostOf(golden(replayed.tensors, name)));
      const [made, back] = engine.tidy(() => {
        const folded = patchify(engine.ops, given, size);
        return [folded, unpatchify(engine.ops, folded, size)];
      });
      if (made === undefined || back === undefined) throw new Error("tidy lost a result");
      checks.compare(name.replace("in.", "out."), await engine.read(made), "exact");
      checks.compare(name, await engine.read(back), "exact");
      engine.dispose(given, made, back);
    }
  },
);

const operations: Readonly<Record<string, Replay>> = {
  encode,
  decode,
  decode_diffusion: decodeDiffusion,
  trainer_tiled_encode: trainerTiledEncode,
  patchify: patches,
};

async function withWeights(
  { directory }: Case,
  use: (file: Awaited<ReturnType<typeof openSafetensors>>) => Promise<void>,
): Promise<void> {
  const file = await openSafetensors(join(directory, "weights.safetensors"));
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

const hostOf = ({ shape, data }: GoldenTensor): HostTensor => ({
  shape,
  dtype: "float32",
  data: Float32Array.from(data),
});

const toleranceOf = ({ manifest }: Case): Tolerance => manifest["tolerance"].default;

/** Compares what was recorded between the stages. */
function tapOf({ tensors, manifest }: Case, checks: Checks, engine: Engine, blocks: string) {
  return async (name: string, value: Tensor): Promise<void> => {
    const recorded = `mid.${name.replace(/^(down|up)_blocks\./, blocks)}`;
    if (tensors.has(recorded)) checks.compare(recorded, await engine.read(value), manifest["tolerance"].default);
  };
}

/** The recorded draws, one after another. */
function recordedNoise({ tensors, manifest }: Case): Noise {
  let next = 0;
  return (shape) => {
    const name = String(manifest["draws"]?.[next++]?.name);
    const drawn = hostOf(golden(tensors, name));
    if (drawn.shape.join() !== shape.join())
      throw new Error(`${name} is [${drawn.shape.join()}], not [${shape.join()}]`);
    return drawn;
  };
}
