/** A video VAE on an engine: pixels to latents and back. */
import type { HostTensor, Ops, ScaleFactors, Tensor } from "../../contract.ts";
import type { SafetensorsFile } from "../../files/safetensors/index.ts";
import type { Engine } from "../../engine/engine.ts";
import { fail, type Finding } from "../../findings.ts";
import { readConfigSections } from "../../model/metadata.ts";
import { cellOf, readScaleFactors } from "../../model/scale-factors.ts";
import { checkParts, loadPart, refuse, type Part } from "../../model/weights.ts";
import { readDecoderConfig, readEncoderConfig, type DecoderConfig, type EncoderConfig } from "./config.ts";
import { part, type Stage } from "./layers.ts";
import { cut } from "./cut.ts";
import { History } from "./history.ts";
import { PIECE, runPieces, type Pieces } from "./run-pieces.ts";
import { runStages, weightsOf, type Noise, type Tap } from "./run-stages.ts";
import { decoderStages, encoderStages } from "./stages.ts";
import { TIME } from "./space-to-depth.ts";
import { mean, prefixes, spread } from "./statistics.ts";

interface Half {
  readonly latentChannels: number;
  readonly scaleFactors: ScaleFactors;
  dispose(): void;
}

export interface VideoEncoder extends Half {
  /**
   * `[B, 3, F, H, W]` in -1..1 to the normalised latent `[B, C, f, h, w]`. Frames that do not fill a latent frame are left out at the end; rows and
   * columns must be multiples of the latent cell. The caller owns the result.
   */
  encode(pixels: Tensor, tap?: Tap): Promise<Tensor>;
  /** Whether it has layers that need the whole clip, as no published file has. */
  readonly needsWhole: boolean;
  /**
   * Begins a clip that comes piece by piece, in memory that does not depend on its length; the latents are those of `encode`. Not for a VAE that
   * needs the whole clip.
   */
  begin(): PiecewiseEncoding;
}

interface PiecewiseEncoding {
  /** `[B, 3, F, H, W]`: a multiple of the latent frame, in the first piece one frame more. The caller owns the result, the latent of these. */
  encode(pixels: Tensor): Promise<Tensor>;
  dispose(): void;
}

export interface VideoDecoder extends Half {
  /** `[B, C, f, h, w]` to pixels `[B, 3, F, H, W]` in about -1..1, not limited. The caller owns the result. */
  decode(latent: Tensor, tap?: Tap): Promise<Tensor>;
  /**
   * The same of one clip `[C, f, h, w]`, a few frames `[3, F, H, W]` at a time, in memory that does not depend on its length, unless the VAE has
   * layers that need the whole clip, as no published file has.
   */
  pieces(latent: HostTensor): AsyncGenerator<HostTensor>;
}

/** What a half is built of, and where its weights lie; nothing of them is read yet. */
interface Plan<Config> {
  readonly config: Config;
  readonly scaleFactors: ScaleFactors;
  readonly stages: readonly Stage[];
  readonly parts: readonly Part[];
}

/**
 * Looks whether a file in the official layout has an encoder that can be used, without reading its weights.
 * @param place the setting that named the file
 * Errors: FindingsError LTX6204 to LTX6206, LTX6801, LTX6803.
 */
export function examineEncoder(file: SafetensorsFile, place: Finding["path"] = []): Plan<EncoderConfig> {
  refuseOther(file, place);
  const source = { file: file.path, place };
  const config = readEncoderConfig(readConfigSections(file.metadata, file.path, place), source);
  // Of its own blocks: the section gives files of the diffusion decoder the usual cell, whatever their encoder is.
  const blocks = config.blocks.map(({ name }) => name);
  const stages = encoderStages(config, widthsRefused(source));
  const parts = checkedParts(file, "encoder", config.latentChannels, stages, place);
  return { config, scaleFactors: cellOf(blocks, config.patchSize), stages, parts };
}

/**
 * The same for the convolutional decoder.
 * Errors: FindingsError LTX6204 to LTX6206, LTX6208, LTX6801 to LTX6803.
 */
export function examineDecoder(file: SafetensorsFile, place: Finding["path"] = []): Plan<DecoderConfig> {
  refuseOther(file, place);
  const source = { file: file.path, place };
  const sections = readConfigSections(file.metadata, file.path, place);
  const config = readDecoderConfig(sections, source);
  const stages = decoderStages(config, widthsRefused(source));
  const scale = { name: "timestep_scale_multiplier", shape: [] };
  const all = config.isTimestepConditioned ? [...stages, { name: "", parameters: [scale] }] : stages;
  const parts = checkedParts(file, "decoder", config.latentChannels, all, place);
  return { config, scaleFactors: readScaleFactors(sections, file.path, place), stages, parts };
}

/** Loads the encoder of a file in the official layout. Errors: those of `examineEncoder`. */
export async function loadEncoder(
  engine: Engine,
  file: SafetensorsFile,
  place: Finding["path"] = [],
): Promise<VideoEncoder> {
  const { config, scaleFactors, stages, parts } = examineEncoder(file, place);
  const weights = await loadWeights(engine, file, parts);
  const network = { config, stages, weights };
  return {
    latentChannels: config.latentChannels,
    scaleFactors,
    encode: (pixels, tap) => encode(engine, network, pixels, { tap, framesPerCell: scaleFactors.time }),
    needsWhole: stages.some(({ needsWhole }) => needsWhole),
    begin: () => begin(engine, network),
    dispose: () => engine.dispose(...weights.values()),
  };
}

/**
 * Loads the convolutional decoder of a file in the official layout.
 * @param noise for files that draw while they decode
 * Errors: those of `examineDecoder`.
 */
export async function loadDecoder(
  engine: Engine,
  file: SafetensorsFile,
  { place = [], noise }: { readonly place?: Finding["path"]; readonly noise: Noise },
): Promise<VideoDecoder> {
  const { config, scaleFactors, stages, parts } = examineDecoder(file, place);
  const weights = await loadWeights(engine, file, parts);
  return {
    latentChannels: config.latentChannels,
    scaleFactors,
    decode: (latent, tap) => decode(engine, { config, stages, weights }, latent, { noise, tap }),
    pieces: (latent) => decodePieces(engine, { config, stages, weights }, latent, noise),
    dispose: () => engine.dispose(...weights.values()),
  };
}

const widthsRefused =
  ({ file, place }: { readonly file: string; readonly place: Finding["path"] }) =>
  (what: string): never =>
    fail("LTX6801", `in the video VAE's config in ${file}, ${what}`, undefined, place);

/** Of a file without any tensor of a VAE its config says nothing. */
function refuseOther(file: SafetensorsFile, place: Finding["path"]): void {
  const beginnings = prefixes.flatMap((prefix) => [`${prefix}encoder.`, `${prefix}decoder.`]);
  const names = [...file.tensors.keys()];
  if (names.some((name) => beginnings.some((beginning) => name.startsWith(beginning)))) return;
  fail("LTX6803", `${file.path} holds no video VAE`, whole, place);
}

/** The tensors of a half, and the statistics, which lie next to it. */
function checkedParts(
  file: SafetensorsFile,
  half: "encoder" | "decoder",
  channels: number,
  stages: readonly Pick<Stage, "parameters">[],
  place: Finding["path"],
): Part[] {
  const prefix = prefixes.find((name) => file.tensors.has(`${name}${half}.conv_in.conv.weight`));
  if (prefix === undefined) {
    const other = half === "encoder" ? "decoder" : "encoder";
    const hasOther = prefixes.some((name) => file.tensors.has(`${name}${other}.conv_in.conv.weight`));
    const holds = hasOther ? `only the ${other} of a video VAE, not its ${half}` : `no ${half} of a video VAE`;
    return fail("LTX6803", `${file.path} holds ${holds}`, whole, place);
  }
  const named = (list: readonly { readonly name: string; readonly shape: readonly number[] }[]): Part["parameters"] =>
    list.map(({ name, shape }) => ({ name, shape, stream: "video", linear: null }));
  const parts: Part[] = [
    { prefix: `${prefix}${half}.`, parameters: named(stages.flatMap(({ parameters }) => parameters)) },
    { prefix, parameters: named([mean, spread].map((name) => ({ name, shape: [channels] }))) },
  ];
  refuse(checkParts(file, parts, new Set(), place));
  return parts;
}

/** Parameters by their names in the half, and the statistics by theirs. */
async function loadWeights(
  engine: Engine,
  file: SafetensorsFile,
  parts: readonly Part[],
): Promise<Map<string, Tensor>> {
  const loaded = new Map<string, Tensor>();
  try {
    for (const each of parts) for (const [name, tensor] of await loadPart(engine, file, each)) loaded.set(name, tensor);
    return loaded;
  } catch (error) {
    engine.dispose(...loaded.values());
    throw error;
  }
}

const whole = "name the whole checkpoint, or the file of the video VAE with both of its halves";

interface Network<Config> {
  readonly config: Config;
  readonly stages: readonly Stage[];
  readonly weights: ReadonlyMap<string, Tensor>;
}

const column = (ops: Ops, x: Tensor): Tensor => ops.reshape(x, [1, -1, 1, 1, 1]);

interface Encoding {
  readonly tap?: Tap | undefined;
  readonly history?: History;
  /** Of as many frames each latent frame is made, but for the first; those that do not fill one are left out. */
  readonly framesPerCell: number;
}

async function encode(
  engine: Engine,
  { config, stages, weights }: Network<EncoderConfig>,
  pixels: Tensor,
  { tap, history, framesPerCell }: Encoding,
): Promise<Tensor> {
  const frames = pixels.shape[TIME] ?? 0;
  const weight = weightsOf(weights);
  const count = frames - ((frames - 1) % framesPerCell);
  const whole = engine.tidy(() => part(engine.ops, pixels, TIME, 0, count));
  const running = { noise: drawsNothing, timestep: null, tap, history };
  const made = await runStages(engine, stages, weight, whole, running).finally(() => engine.dispose(whole));
  const latent = engine.tidy(() => {
    const { ops } = engine;
    const own = part(ops, made, 1, 0, config.latentChannels);
    return ops.div(ops.sub(own, column(ops, weight(mean))), column(ops, weight(spread)));
  });
  engine.dispose(made);
  return latent;
}

function begin(engine: Engine, network: Network<EncoderConfig>): PiecewiseEncoding {
  const history = new History(engine);
  // Pieces are as long as their caller says.
  const encoding = { history, framesPerCell: 1 };
  return { encode: (pixels) => encode(engine, network, pixels, encoding), dispose: () => history.dispose() };
}

const drawsNothing: Noise = () => {
  throw new Error("an encoder draws nothing");
};

/** How much noise a conditioned decoder works on, which is also what it is told. */
const NOISE = 0.025;
const TIMESTEP = 0.05;

async function decode(
  engine: Engine,
  network: Network<DecoderConfig>,
  latent: Tensor,
  { noise, tap }: { readonly noise: Noise; readonly tap: Tap | undefined },
): Promise<Tensor> {
  const noised = network.config.isTimestepConditioned ? engine.keep(noise(latent.shape)) : null;
  const start = beginning(engine, network, latent, noised);
  const timestep = timestepOf(engine, network);
  try {
    return await runStages(engine, network.stages, weightsOf(network.weights), start, { noise, timestep, tap });
  } finally {
    engine.dispose(start, timestep, noised);
  }
}

/** The latent as it was before it was normalised, with noise where the decoder works on some. */
function beginning(engine: Engine, { weights }: Network<DecoderConfig>, latent: Tensor, noised: Tensor | null): Tensor {
  const { ops } = engine;
  const weight = weightsOf(weights);
  return engine.tidy(() => {
    const x = noised === null ? latent : ops.add(ops.mul(noised, NOISE), ops.mul(latent, 1 - NOISE));
    return ops.add(ops.mul(x, column(ops, weight(spread))), column(ops, weight(mean)));
  });
}

/** `[1]`; null for a decoder that is not conditioned. The caller owns it. */
function timestepOf(engine: Engine, { config, weights }: Network<DecoderConfig>): Tensor | null {
  if (!config.isTimestepConditioned) return null;
  const scale = weightsOf(weights)("timestep_scale_multiplier");
  return engine.tidy(() => engine.ops.reshape(engine.ops.mul(scale, TIMESTEP), [1]));
}

async function* decodePieces(
  engine: Engine,
  network: Network<DecoderConfig>,
  latent: HostTensor,
  noise: Noise,
): AsyncGenerator<HostTensor> {
  const timestep = timestepOf(engine, network);
  const given = { weight: weightsOf(network.weights), noise, timestep };
  const pieces = runPieces(engine, network.stages, given, latentPieces(engine, network, latent, noise));
  try {
    for await (const piece of pieces) {
      const read = await engine.read(piece).finally(() => engine.dispose(piece));
      yield { ...read, shape: read.shape.slice(1) };
    }
  } finally {
    engine.dispose(timestep);
  }
}

async function* latentPieces(
  engine: Engine,
  network: Network<DecoderConfig>,
  latent: HostTensor,
  noise: Noise,
): Pieces {
  const drawn = network.config.isTimestepConditioned ? noise([1, ...latent.shape]) : null;
  const [, frames = 0, rows = 0, columns = 0] = latent.shape;
  for (let start = 0; start < frames; start += PIECE) {
    const piece = ({ data }: HostTensor): Tensor => {
      const clip = { shape: latent.shape, dtype: "float32", data } as const;
      const own = cut(
        clip,
        { start, end: Math.min(frames, start + PIECE) },
        { start: 0, end: rows },
        { start: 0, end: columns },
      );
      return engine.keep({ ...own, shape: [1, ...own.shape] });
    };
    const [x, noised] = [piece(latent), drawn && piece(drawn)];
    const begun = beginning(engine, network, x, noised);
    engine.dispose(x, noised);
    yield begun;
  }
}
