import type { HostTensor, VideoGrid } from "../contract.ts";

const host = (shape: readonly number[], data: Float32Array): HostTensor => ({ shape, dtype: "float32", data });

/** `[C, F, H, W]` as tokens `[F*H*W, C]`. */
export function videoTokens({ shape: [channels = 0, ...grid], data }: HostTensor): HostTensor {
  const count = grid.reduce((a, b) => a * b, 1);
  const tokens = new Float32Array(data.length);
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < count; t++) tokens[t * channels + c] = data[c * count + t] ?? 0;
  }
  return host([count, channels], tokens);
}

/** Tokens `[F*H*W, C]` as `[C, F, H, W]`. */
export function videoLatents({ shape: [count = 0, channels = 0], data }: HostTensor, grid: VideoGrid): HostTensor {
  const latents = new Float32Array(data.length);
  for (let t = 0; t < count; t++) {
    for (let c = 0; c < channels; c++) latents[c * count + t] = data[t * channels + c] ?? 0;
  }
  return host([channels, grid.frames, grid.height, grid.width], latents);
}

/** `[C, T, mel]` as tokens `[T, C*mel]`, mel fastest. */
export function audioTokens({ shape: [channels = 0, steps = 0, mel = 0], data }: HostTensor): HostTensor {
  const tokens = new Float32Array(data.length);
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < steps; t++) {
      const row = data.subarray((c * steps + t) * mel, (c * steps + t + 1) * mel);
      tokens.set(row, (t * channels + c) * mel);
    }
  }
  return host([steps, channels * mel], tokens);
}

/** Tokens `[T, C*mel]` as `[C, T, mel]`. */
export function audioLatents({ shape: [steps = 0, width = 0], data }: HostTensor, mel: number): HostTensor {
  const channels = width / mel;
  const latents = new Float32Array(data.length);
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < steps; t++) {
      const row = data.subarray((t * channels + c) * mel, (t * channels + c + 1) * mel);
      latents.set(row, (c * steps + t) * mel);
    }
  }
  return host([channels, steps, mel], latents);
}
