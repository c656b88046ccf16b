/** Sizes that clips are brought to. */
import type { ScaleFactors } from "../../contract.ts";
import type { Placement } from "./resize.ts";

export interface Bucket {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

type BucketProblem = { readonly problem: string };

/**
 * `WxHxF;WxHxF`, blanks allowed around numbers. W and H must be multiples of the latent cell, and F one more than a multiple of its frames.
 */
export function parseBuckets(text: string, { time, height, width }: ScaleFactors): readonly Bucket[] | BucketProblem {
  const buckets: Bucket[] = [];
  for (const part of text.split(";")) {
    const numbers = part.split("x").map((number) => (/^\s*\d+\s*$/.test(number) ? Number(number) : NaN));
    const [w = NaN, h = NaN, f = NaN] = numbers;
    if (numbers.length !== 3 || ![w, h, f].every((x) => Number.isSafeInteger(x) && x > 0))
      return { problem: `\`${part}\` is not WxHxF, such as 768x512x121` };
    if (w % width !== 0) return { problem: `the width ${w} is no multiple of ${width}` };
    if (h % height !== 0) return { problem: `the height ${h} is no multiple of ${height}` };
    if ((f - 1) % time !== 0) return { problem: `${f} frames are not 1 more than a multiple of ${time}` };
    buckets.push({ frames: f, height: h, width: w });
  }
  return buckets;
}

/** The bucket whose aspect is nearest, then that with the most frames, then the largest; null if all have more frames. */
export function chooseBucket(buckets: readonly Bucket[], { frames, height, width }: Bucket): Bucket | null {
  const key = (bucket: Bucket) => [
    Math.abs(Math.log(width / height) - Math.log(bucket.width / bucket.height)),
    -bucket.frames,
    -bucket.width * bucket.height,
  ];
  let best: Bucket | null = null;
  for (const bucket of buckets)
    if (bucket.frames <= frames && (best === null || isLess(key(bucket), key(best)))) best = bucket;
  return best;
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const i = a.findIndex((x, at) => x !== b[at]);
  return i >= 0 && (a[i] ?? 0) < (b[i] ?? 0);
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** A picture resized so that it covers a bucket, which is cut out of its middle. */
export function placeIn({ height, width }: Size, picture: Size): Placement {
  const isWider = picture.width / picture.height > width / height;
  const rows = isWider ? height : Math.trunc((picture.height * width) / picture.width);
  const columns = isWider ? Math.trunc((picture.width * height) / picture.height) : width;
  return { rows, columns, ...middle({ height: rows, width: columns }, { height, width }) };
}

/** As many whole latent cells as there are in the middle of a picture, which keeps its size; null where there is none. */
export function placeCells(picture: Size, cell: Size): Placement | null {
  const height = picture.height - (picture.height % cell.height);
  const width = picture.width - (picture.width % cell.width);
  if (height === 0 || width === 0) return null;
  return { rows: picture.height, columns: picture.width, ...middle(picture, { height, width }) };
}

const middle = (whole: Size, { height, width }: Size) => ({
  top: Math.floor((whole.height - height) / 2),
  left: Math.floor((whole.width - width) / 2),
  height,
  width,
});

/** Buckets for references that are `factor` times smaller. */
export function scaleBuckets(
  buckets: readonly Bucket[],
  factor: number,
  { height, width }: ScaleFactors,
): readonly Bucket[] | BucketProblem {
  const made = buckets.map((bucket) => ({
    frames: bucket.frames,
    height: bucket.height / factor,
    width: bucket.width / factor,
  }));
  const wrong = made.find((bucket) => bucket.height % height !== 0 || bucket.width % width !== 0);
  if (wrong === undefined) return made;
  return {
    problem: `divided by ${factor}, a bucket is ${wrong.width} x ${wrong.height} pixels, no whole latent cells`,
  };
}

/** Frames 0, 1, 1 + factor, 1 + 2 factor, ...: what a reference with fewer frames keeps. */
export function subsampledFrames(frames: number, factor: number): number[] | BucketProblem {
  if ((frames - 1) % factor !== 0)
    return { problem: `${frames - 1} frames after the first are no multiple of ${factor}` };
  if (frames === 1) return [0];
  return [0, ...Array.from({ length: (frames - 1) / factor }, (_, i) => 1 + i * factor)];
}
