import type { HostTensor } from "../contract.ts";
import type { StreamPlan } from "./sample-plan.ts";

/** A modality's target while its conditions are laid into it: tokens that are given, and which those are. */
export interface Target {
  /** `[N, C]` */
  readonly clean: Float32Array;
  /** `[N]`, 1 where a token is generated. */
  readonly denoise: Float32Array;
  readonly channels: number;
}

export function emptyTarget(tokens: number, channels: number): Target {
  return { clean: new Float32Array(tokens * channels), denoise: new Float32Array(tokens).fill(1), channels };
}

/** Gives the target tokens `from(n)` of `tokens` for each n from 0 to N - 1; a null leaves a token as it is. */
export function give(target: Target, { data }: HostTensor, from: (n: number) => number | null): void {
  const { clean, denoise, channels } = target;
  for (let n = 0; n < denoise.length; n++) {
    const source = from(n);
    if (source === null) continue;
    clean.set(data.subarray(source * channels, (source + 1) * channels), n * channels);
    denoise[n] = 0;
  }
}

/** References `[M, C]` in front of the target; they stay as they are. */
export function streamOf(
  { clean, denoise, channels }: Target,
  references: readonly HostTensor[],
  rest: Pick<StreamPlan, "positions" | "frozen"> & { readonly firstFrame: number | null },
): StreamPlan {
  const count = references.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const tokens = count + denoise.length;
  const all = new Float32Array(tokens * channels);
  let at = 0;
  for (const { data } of references) {
    all.set(data, at);
    at += data.length;
  }
  all.set(clean, at);
  const mask = new Float32Array(tokens);
  mask.set(denoise, count);
  return {
    clean: { shape: [1, tokens, channels], dtype: "float32", data: all },
    denoise: { shape: [1, tokens, 1], dtype: "float32", data: mask },
    positions: rest.positions,
    keyframes: rest.firstFrame === null ? null : marks(tokens, count, rest.firstFrame),
    references: count,
    frozen: rest.frozen,
  };
}

/** `[1, T, 1]` with `length` ones from `first` on. */
function marks(tokens: number, first: number, length: number): HostTensor {
  const data = new Float32Array(tokens).fill(1, first, first + length);
  return { shape: [1, tokens, 1], dtype: "float32", data };
}
