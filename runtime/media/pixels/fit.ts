import type { HostTensor } from "../../contract.ts";
import { normalised } from "./bytes.ts";
import { placeIn, type Bucket } from "./buckets.ts";
import { resizedPart, type Placement, type RgbBytes } from "./resize.ts";

/** Frames of RGB bytes `[H, W, 3]`, all of one size. */
export interface Frames {
  readonly height: number;
  readonly width: number;
  readonly frames: readonly Uint8Array[];
}

/** The first frames of a clip in the size of a bucket, `[3, F, H, W]` in -1..1: enough is cut off around the middle. */
export function fitToBucket({ frames, height, width }: Frames, bucket: Bucket): HostTensor {
  const place = placeIn(bucket, { height, width });
  const placed = frames.slice(0, bucket.frames).map((bytes) => placedFrame({ height, width, bytes }, place));
  return clipOf(placed, bucket);
}

/** One frame as it is encoded, `[3, H, W]` in -1..1. */
export function placedFrame(picture: RgbBytes, place: Placement): Float32Array {
  const { data } = resizedPart(picture, place);
  return data.map(normalised);
}

/** Frames `[3, H, W]` as `[3, F, H, W]`. */
export function clipOf(
  frames: readonly Float32Array[],
  { height, width }: { readonly height: number; readonly width: number },
): HostTensor {
  const size = height * width;
  const data = new Float32Array(3 * frames.length * size);
  for (const [t, frame] of frames.entries())
    for (let c = 0; c < 3; c++) data.set(frame.subarray(c * size, (c + 1) * size), (c * frames.length + t) * size);
  return { shape: [3, frames.length, height, width], dtype: "float32", data };
}
