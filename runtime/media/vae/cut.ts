import type { HostTensor } from "../../contract.ts";
import type { Tile } from "./tiles.ts";

/** A part of `[C, frames, rows, columns]`. */
export function cut({ shape, data }: HostTensor, t: Bounds, y: Bounds, x: Bounds): HostTensor {
  const [channels = 0, frames = 0, rows = 0, columns = 0] = shape;
  const size = [channels, t.end - t.start, y.end - y.start, x.end - x.start] as const;
  const own = new Float32Array(size.reduce((a, b) => a * b, 1));
  let to = 0;
  for (let c = 0; c < channels; c++) {
    for (let i = t.start; i < t.end; i++) {
      for (let j = y.start; j < y.end; j++) {
        const from = ((c * frames + i) * rows + j) * columns;
        own.set(data.subarray(from + x.start, from + x.end), to);
        to += size[3];
      }
    }
  }
  return { shape: size, dtype: "float32", data: own };
}

type Bounds = Pick<Tile, "start" | "end">;
