/** Arithmetic over plain numbers. */
import type { HostTensor } from "../../../runtime/contract.ts";

type Numbers = ArrayLike<number>;

function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

export const norm = (a: Numbers): number => Math.sqrt(dot(a, a));

export const sum = (a: Numbers): number => Array.from(a).reduce((total, x) => total + x, 0);

export const mean = (a: Numbers): number => (a.length === 0 ? NaN : sum(a) / a.length);

/** The root of the mean square. */
export const rms = (a: Numbers): number => norm(a) / Math.sqrt(Math.max(1, a.length));

/** Between -1 and 1; 0 where one of the two does not vary. */
export function correlation(a: Numbers, b: Numbers): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const [x, y] = [Array.from(a, (value) => value - meanA), Array.from(b, (value) => value - meanB)];
  const size = norm(x) * norm(y);
  return size > 1e-12 ? dot(x, y) / size : 0;
}

/** Of the angle between two lists; 0 where one of them is all zeros. */
export function cosine(a: Numbers, b: Numbers): number {
  const size = norm(a) * norm(b);
  return size > 0 ? dot(a, b) / size : 0;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** One sample's part of a tensor with the batch in front. */
export function ofSample<Data extends HostTensor["data"] | Float64Array>(
  { shape, data }: { readonly shape: readonly number[]; readonly data: Data },
  sample: number,
): Data {
  const size = data.length / (shape[0] ?? 1);
  return data.subarray(sample * size, (sample + 1) * size) as Data;
}

/** Three digits are enough for what is compared with thresholds. */
export const short = (value: number): string => String(Number(value.toPrecision(3)));
