/** Sizes of pictures: antialiased resizing as PyTorch does it, and cropping. */

/** A picture `[channels, rows, columns]`. */
export interface Picture {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** Bytes `[H, W, 3]`. */
export interface RgbBytes {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

/** A size that a picture is resized to, and the part that is cut out of it then. */
export interface Placement {
  readonly rows: number;
  readonly columns: number;
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

type Kernel = "bicubic" | "bilinear";

/** How far a kernel reaches, and its value at a distance. */
const kernels: Readonly<Record<Kernel, { readonly reach: number; at(x: number): number }>> = {
  bicubic: { reach: 2, at: (x) => cubic(Math.abs(x), -0.5) },
  bilinear: { reach: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
};

function cubic(x: number, a: number): number {
  if (x < 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
}

/** Not limited to the range of the picture: bicubic resizing overshoots. */
export function resize(picture: Picture, rows: number, columns: number, kernel: Kernel): Picture {
  const inColumns = tapsOf(picture.columns, columns, kernel, 0, columns);
  return alongRows(alongColumns(picture, inColumns), tapsOf(picture.rows, rows, kernel, 0, rows));
}

/**
 * Resizes (bicubic) and cuts out, in about 0..1, channels first. Only the pixels that the part is made of are looked at: resized as a whole, a
 * picture of one row might be larger than memory.
 */
export function resizedPart(picture: RgbBytes, { rows, columns, ...part }: Placement): Picture {
  const inRows = tapsOf(picture.height, rows, "bicubic", part.top, part.height);
  const inColumns = tapsOf(picture.width, columns, "bicubic", part.left, part.width);
  const [top, left] = [startOf(inRows), startOf(inColumns)];
  const needed = cutOut(picture, top, left, endOf(inRows) - top, endOf(inColumns) - left);
  return alongRows(alongColumns(needed, from(inColumns, left)), from(inRows, top));
}

/** What an element is made of: neighbours from `first` on. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

const startOf = (taps: readonly Taps[]): number => Math.min(...taps.map(({ first }) => first));
const endOf = (taps: readonly Taps[]): number => Math.max(...taps.map(({ first, weights }) => first + weights.length));
const from = (taps: readonly Taps[], start: number): Taps[] =>
  taps.map(({ first, weights }) => ({ first: first - start, weights }));

const itself = Float64Array.of(1);

/** Of `to` elements that `length` become, `count` from `start` on. */
function tapsOf(length: number, to: number, kernel: Kernel, start: number, count: number): Taps[] {
  const { reach, at } = kernels[kernel];
  const step = length / to;
  const wide = Math.max(step, 1);
  return Array.from({ length: count }, (_, n) => {
    const i = start + n;
    if (length === to) return { first: i, weights: itself };
    const centre = step * (i + 0.5);
    const first = Math.max(Math.trunc(centre - reach * wide + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach * wide + 0.5), length);
    const weights = Float64Array.from({ length: end - first }, (_, j) => at((first + j - centre + 0.5) / wide));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function alongColumns({ channels, rows, columns, data }: Picture, taps: readonly Taps[]): Picture {
  const to = taps.length;
  const made = new Float32Array(channels * rows * to);
  for (let row = 0; row < channels * rows; row++)
    for (let x = 0; x < to; x++) {
      const { first, weights } = taps[x] as Taps;
      let sum = 0;
      for (let j = 0; j < weights.length; j++) sum += (weights[j] ?? 0) * (data[row * columns + first + j] ?? 0);
      made[row * to + x] = sum;
    }
  return { channels, rows, columns: to, data: made };
}

function alongRows({ channels, rows, columns, data }: Picture, taps: readonly Taps[]): Picture {
  const to = taps.length;
  const made = new Float32Array(channels * to * columns);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < to; y++) {
      const { first, weights } = taps[y] as Taps;
      for (let x = 0; x < columns; x++) {
        let sum = 0;
        for (let j = 0; j < weights.length; j++)
          sum += (weights[j] ?? 0) * (data[(c * rows + first + j) * columns + x] ?? 0);
        made[(c * to + y) * columns + x] = sum;
      }
    }
  return { channels, rows: to, columns, data: made };
}

/** A part of bytes as numbers from 0 to 1, channels first. */
function cutOut({ width, bytes }: RgbBytes, top: number, left: number, rows: number, columns: number): Picture {
  const size = rows * columns;
  const data = new Float32Array(3 * size);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const at = 3 * ((top + y) * width + left + x);
      for (let c = 0; c < 3; c++) data[c * size + y * columns + x] = (bytes[at + c] ?? 0) / 255;
    }
  return { channels: 3, rows, columns, data };
}

/** Bytes as numbers from 0 to 1, channels first. */
export const pictureOf = (picture: RgbBytes): Picture => cutOut(picture, 0, 0, picture.height, picture.width);
