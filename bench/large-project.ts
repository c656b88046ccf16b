/** A project like that of `ltxc init`, but with a model and data of a size that a step takes seconds. */
import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { project } from "../bin/testing/testing.ts";
import { writeModel } from "../bin/init/model.ts";
import { transformer, vae } from "../bin/init/model-config.ts";
import { randomModelLayout } from "../runtime/model/random-model.ts";
import { writePt, type EntryToWrite } from "../runtime/files/pt/index.ts";
import { normal } from "../runtime/random/philox.ts";

export interface ProjectSize {
  readonly heads: number;
  /** Channels per head of the video stream. */
  readonly headDim: number;
  readonly layers: number;
  /** Latent frames, rows and columns of a sample. */
  readonly grid: readonly [number, number, number];
  /** A model whose numbers are all zero and take no room on the disk, in place of a random one. */
  readonly isSparse?: boolean;
}

const channels = 128;
const textTokens = 256;
const samples = 4;

/** Makes and compiles it in a new temporary folder. Errors: throws where a command refuses it. */
export async function largeProject(
  { heads, headDim, layers, grid, isSparse = false }: ProjectSize,
  settings: Readonly<Record<string, string | number>>,
): Promise<string> {
  const folder = await project({ batch_size: 1, engine: "onnx", ...settings }, "text_to_video");
  const width = heads * headDim;
  const write = isSparse ? writeSparseModel : writeModel;
  await write(join(folder, "models/tiny-ltx2.safetensors"), {
    num_layers: layers,
    num_attention_heads: heads,
    attention_head_dim: headDim,
    in_channels: channels,
    out_channels: channels,
    cross_attention_dim: width,
    audio_num_attention_heads: heads,
    audio_attention_head_dim: headDim / 2,
    audio_cross_attention_dim: width / 2,
    connector_num_attention_heads: heads,
    connector_attention_head_dim: headDim,
    audio_connector_num_attention_heads: heads,
    audio_connector_attention_head_dim: headDim / 2,
  });
  for (const directory of ["latents", "conditions"]) {
    await rm(join(folder, "data", directory), { recursive: true });
    await mkdir(join(folder, "data", directory));
  }
  for (let i = 0; i < samples; i++) await writeSample(folder, i, grid, width);
  return folder;
}

/** The same tensors as `writeModel` writes, all of zeros that the file system does not store. */
async function writeSparseModel(path: string, changed: Readonly<Record<string, unknown>>): Promise<void> {
  const { parameters, metadata } = randomModelLayout({ ...transformer, ...changed }, { vae });
  let end = 0;
  const entries = parameters.map(({ name, shape }) => {
    const start = end;
    end += shape.reduce((product, size) => product * size, 2);
    return [name, { dtype: "BF16", shape, data_offsets: [start, end] }] as const;
  });
  const text = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(path, Buffer.concat([length, header]));
  await truncate(path, 8 + header.length + end);
}

async function writeSample(folder: string, sample: number, grid: ProjectSize["grid"], width: number): Promise<void> {
  const random = (name: string, shape: readonly number[]): EntryToWrite => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = normal({ seed: 0, step: sample, microBatch: 0, name }, size);
    return { storage: "bfloat16", shape: [...shape], values };
  };
  const [frames, height, columns] = grid;
  const name = `sample_${sample}.pt`;
  await writePt(join(folder, "data/latents", name), {
    latents: random("latents", [channels, ...grid]),
    num_frames: frames,
    height,
    width: columns,
    fps: { float: 24 },
  });
  await writePt(join(folder, "data/conditions", name), {
    video_prompt_embeds: random("text", [textTokens, width]),
    prompt_attention_mask: { storage: "int64", shape: [textTokens], values: new Float32Array(textTokens).fill(1) },
  });
}
