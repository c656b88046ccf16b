import type { HostTensor } from "../../contract.ts";
import { normalised } from "./bytes.ts";
import { placeIn, type Bucket } from "./buckets.ts";
import { crop, resize, type Picture } from "./resize.ts";

/** Frames of RGB bytes `[H, W, 3]`, all of one size. */
export interface Frames {
  readonly height: number;
  readonly width: number;
  readonly frames: readonly Uint8Array[];
}

/** The first frames of a clip in the size of a bucket, `[3, F, H, W]` in -1..1: enough is cut off around the middle. */
export function fitToBucket(clip: Frames, bucket: Bucket): HostTensor {
  const { frames: count, height, width } = bucket;
  const { rows, columns, top, left } = placeIn(bucket, clip);
  const data = new Float32Array(3 * count * height * width);
  for (const [t, bytes] of clip.frames.slice(0, count).entries()) {
    const resized = resize(pictureOf(bytes, clip.height, clip.width), rows, columns, "bicubic");
    const own = crop(resized, top, left, height, width);
    const size = height * width;
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < size; i++) data[(c * count + t) * size + i] = normalised(own.data[c * size + i] ?? 0);
  }
  return { shape: [3, count, height, width], dtype: "float32", data };
}

/** Bytes `[H, W, 3]` as numbers from 0 to 1, channels first. */
export function pictureOf(bytes: Uint8Array, rows: number, columns: number): Picture {
  const size = rows * columns;
  const data = new Float32Array(3 * size);
  for (let c = 0; c < 3; c++) for (let i = 0; i < size; i++) data[c * size + i] = (bytes[3 * i + c] ?? 0) / 255;
  return { channels: 3, rows, columns, data };
}
