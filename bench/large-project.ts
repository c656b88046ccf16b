/** A project like that of `ltxc init`, but with a model and data of a size that a step takes seconds. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { project } from "../bin/testing/testing.ts";
import { writeModel } from "../bin/init/model.ts";
import { writePt, type EntryToWrite } from "../runtime/files/pt/index.ts";
import { normal } from "../runtime/random/philox.ts";
import { writeRepeatingModel } from "./repeating-model.ts";

export interface ProjectSize {
  readonly heads: number;
  /** Channels per head of the video stream. */
  readonly headDim: number;
  readonly layers: number;
  /** Latent frames, rows and columns of a sample. */
  readonly grid: readonly [number, number, number];
  /** A model that is written sooner, with so many random rows of each matrix of its blocks and zeros behind them: see `writeRepeatingModel`. */
  readonly rows?: number;
  /** Tokens of each caption; 256 if not given. */
  readonly textTokens?: number;
}

const channels = 128;
const samples = 4;

/** Makes and compiles it in a new temporary folder. Errors: throws where a command refuses it. */
export async function largeProject(
  { heads, headDim, layers, grid, rows, textTokens = 256 }: ProjectSize,
  settings: Readonly<Record<string, string | number>>,
): Promise<string> {
  const folder = await project({ batch_size: 1, engine: "onnx", ...settings }, "text_to_video");
  const width = heads * headDim;
  const write = rows === undefined ? writeModel : writeRepeatingModel;
  const changed = {
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
  };
  await write(join(folder, "models/tiny-ltx2.safetensors"), changed, rows);
  for (const directory of ["latents", "conditions"]) {
    await rm(join(folder, "data", directory), { recursive: true });
    await mkdir(join(folder, "data", directory));
  }
  for (let i = 0; i < samples; i++) await writeSample(folder, i, grid, [textTokens, width]);
  return folder;
}

async function writeSample(
  folder: string,
  sample: number,
  grid: ProjectSize["grid"],
  text: readonly [tokens: number, width: number],
): Promise<void> {
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
    video_prompt_embeds: random("text", text),
    prompt_attention_mask: { storage: "int64", shape: [text[0]], values: new Float32Array(text[0]).fill(1) },
  });
}
