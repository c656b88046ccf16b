/** The diffusion decoder's half of the section `vae`: under `decoder`, or in the section itself. */
import type { Finding } from "../../../findings.ts";
import type { ConfigSection } from "../../../model/config-reader.ts";
import { isSection } from "../../../model/metadata.ts";
import { createReader, sectionOf } from "../config.ts";

export type Triple = readonly [time: number, rows: number, columns: number];

export interface DiffusionConfig {
  readonly latentChannels: number;
  readonly patchSize: number;
  readonly headDim: number;
  /** Five: four that make the context of the latent, and the one that the diffusion steps run. */
  readonly stages: readonly { readonly channels: number; readonly depth: number; readonly kernel: Triple }[];
  /** After each of the first four stages. */
  readonly upsamples: readonly { readonly strides: Triple; readonly reduction: number }[];
  /** Width of the embedding of the noise level, and what the level is multiplied by before. */
  readonly timeWidth: number;
  readonly timestepScale: number;
  /** Diffusion steps. */
  readonly steps: number;
  /** What a step predicts: the velocity, or the pixels themselves. */
  readonly predicts: "v" | "x0";
}

/**
 * Reads the half. Errors: FindingsError LTX6204 without the section, LTX6801 with all that can not be used.
 * @param source the file, and the setting that named it
 */
export function readDiffusionConfig(
  sections: ConfigSection,
  source: { readonly file: string; readonly place: Finding["path"] },
): DiffusionConfig {
  const vae = sectionOf(sections, source);
  const section = isSection(vae["decoder"]) ? vae["decoder"] : vae;
  const reader = createReader(section, source);
  reader.common();
  const headDim = reader.count("head_dim", 64, section["head_dim"] ?? section["na_head_dim"]);
  const output = reader.count("out_channels", 3);
  if (output !== 3) reader.refuse(`out_channels is ${output}, expected 3`);
  const config: DiffusionConfig = {
    latentChannels: reader.count("in_channels", 128),
    patchSize: reader.count("patch_size", 4),
    headDim,
    stages: stagesOf(section, reader.refuse),
    upsamples: upsamplesOf(section, reader.refuse),
    timeWidth: reader.count("t_emb_dim", 384),
    timestepScale: numberOf(section["timestep_scale_multiplier"] ?? 1, reader.refuse),
    steps: reader.count("default_num_inference_steps", 2),
    predicts: reader.choice("model_output_type", ["v", "x0"], vae["model_output_type"] ?? "v"),
  };
  refuseMisfits(config, reader.refuse);
  reader.finish();
  return config;
}

type Refuse = (what: string) => void;

const say = (value: unknown): string => JSON.stringify(value);
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 1 << 16;
const isTriple = (value: unknown): value is Triple =>
  Array.isArray(value) && value.length === 3 && value.every(isCount);

function numberOf(value: unknown, refuse: Refuse): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  refuse(`timestep_scale_multiplier is ${say(value)}, expected a number`);
  return 1;
}

/** Lists of the config with an entry for each stage. */
function listOf<T>(
  [key, given, fallback]: readonly [key: string, given: unknown, fallback: readonly T[]],
  isEntry: (value: unknown) => value is T,
  expected: string,
  refuse: Refuse,
): readonly T[] {
  const list: unknown = given ?? fallback;
  if (Array.isArray(list) && list.length >= fallback.length) {
    const read = list.slice(0, fallback.length);
    if (read.every(isEntry)) return read;
  }
  refuse(`${key} is ${say(list)}, expected ${fallback.length} ${expected}`);
  return fallback;
}

const kernelWords = "kernels of three whole numbers: frames, rows and columns";

function stagesOf(section: ConfigSection, refuse: Refuse): DiffusionConfig["stages"] {
  const channels = listOf(
    ["stage_channels", section["stage_channels"], [1024, 512, 256, 256, 128]],
    isCount,
    "whole numbers above 0",
    refuse,
  );
  const depths = listOf(
    ["stage_depths", section["stage_depths"], [4, 6, 4, 2, 8]],
    isCount,
    "whole numbers above 0",
    refuse,
  );
  const usual: readonly Triple[] = [
    [3, 7, 7],
    [3, 7, 7],
    [3, 5, 5],
    [3, 5, 5],
  ];
  const kernels = listOf(["stage_kernels", section["stage_kernels"], usual], isTriple, kernelWords, refuse);
  const [last = [3, 7, 7] as const] = listOf(
    ["stage5_kernel", wrapped(section["stage5_kernel"]), [[3, 7, 7] as Triple]],
    isTriple,
    "kernel of three whole numbers",
    refuse,
  );
  return [...kernels, last].map((kernel, i) => ({ channels: channels[i] ?? 1, depth: depths[i] ?? 1, kernel }));
}

const wrapped = (value: unknown): unknown => (value === undefined || value === null ? null : [value]);

type Upsample = readonly [strides: Triple, reduction: number];

function upsamplesOf(section: ConfigSection, refuse: Refuse): DiffusionConfig["upsamples"] {
  const usual: readonly Upsample[] = [
    [[1, 2, 2], 2],
    [[2, 1, 1], 2],
    [[2, 2, 2], 1],
    [[2, 2, 2], 2],
  ];
  const isUpsample = (value: unknown): value is Upsample =>
    Array.isArray(value) && isTriple(value[0]) && value[0].every((stride) => stride <= 2) && isCount(value[1]);
  const words = "pairs of strides (1 or 2 for frames, rows and columns) and a whole number, as [[1, 2, 2], 2]";
  const list = listOf(["upsamples", section["upsamples"], usual], isUpsample, words, refuse);
  return list.map(([strides, reduction]) => ({ strides, reduction }));
}

/** What each value may be, but not all of them together. */
function refuseMisfits({ stages, upsamples, headDim, patchSize }: DiffusionConfig, refuse: Refuse): void {
  if (partsOfHead(headDim) === null)
    refuse(`head_dim is ${headDim}, expected a width that has even parts for frames, rows and columns, such as 64`);
  for (const [i, { channels }] of stages.entries())
    if (channels % headDim !== 0)
      refuse(`stage_channels[${i}] is ${channels}, expected a multiple of head_dim, ${headDim}`);
  for (const [i, { reduction }] of upsamples.entries()) {
    const [before = 0, after = 0] = [stages[i]?.channels, stages[i + 1]?.channels];
    if (before !== after * reduction)
      refuse(`upsamples[${i}] divides ${before} channels by ${reduction}, and stage_channels[${i + 1}] is ${after}`);
  }
  const total = (axis: number) => upsamples.reduce((product, { strides }) => product * (strides[axis] ?? 1), 1);
  const cell = [total(0), total(1) * patchSize, total(2) * patchSize];
  if (cell.join() !== "8,32,32")
    refuse(`upsamples and patch_size make ${cell.join(" x ")} of a latent cell, expected 8 frames of 32 x 32 pixels`);
}

/** How many channels of a head turn with the frame, the row and the column; null where that leaves no even parts. */
export function partsOfHead(headDim: number): Triple | null {
  const even = Math.floor(headDim / 4 / 2) * 2;
  const time = ((headDim - even) / 2) % 2 === 0 ? even : even - 2;
  const side = (headDim - time) / 2;
  return time >= 0 && side > 0 && side % 2 === 0 ? [time, side, side] : null;
}
