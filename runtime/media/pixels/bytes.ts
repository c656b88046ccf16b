/** Pixels as bytes and as numbers. */

/** Frames `[3, H, W]` in about -1..1 as RGB bytes `[H, W, 3]`: (x + 1) / 2, limited to 0..1, times 255. */
export function toBytes(frame: ArrayLike<number>, rounding: "truncated" | "nearest"): Uint8Array {
  const size = frame.length / 3;
  const bytes = new Uint8Array(frame.length);
  const half = rounding === "nearest" ? 0.5 : 0;
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < size; i++) {
      // In float32, as PyTorch computes it: a truncation shows the last bit.
      const unit = Math.fround(Math.fround((frame[c * size + i] ?? 0) + 1) / 2);
      bytes[3 * i + c] = Math.floor(Math.fround(Math.min(1, Math.max(0, unit)) * 255) + half);
    }
  return bytes;
}

/** 0..1 limited, then -1..1. */
export function normalised(value: number): number {
  return 2 * Math.min(1, Math.max(0, value)) - 1;
}
