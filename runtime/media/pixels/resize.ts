/** Sizes of pictures: antialiased resizing as PyTorch does it, and cropping. */

/** A picture `[channels, rows, columns]`. */
export interface Picture {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
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
  if (picture.rows === rows && picture.columns === columns) return picture;
  return alongRows(alongColumns(picture, columns, kernel), rows, kernel);
}

interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/** What each of `to` elements is made of, out of `from`. */
function tapsOf(from: number, to: number, kernel: Kernel): Taps[] {
  const { reach, at } = kernels[kernel];
  const step = from / to;
  const wide = Math.max(step, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = step * (i + 0.5);
    const first = Math.max(Math.trunc(centre - reach * wide + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach * wide + 0.5), from);
    const weights = Float64Array.from({ length: end - first }, (_, j) => at((first + j - centre + 0.5) / wide));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function alongColumns({ channels, rows, columns, data }: Picture, to: number, kernel: Kernel): Picture {
  if (columns === to) return { channels, rows, columns, data };
  const taps = tapsOf(columns, to, kernel);
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

function alongRows({ channels, rows, columns, data }: Picture, to: number, kernel: Kernel): Picture {
  if (rows === to) return { channels, rows, columns, data };
  const taps = tapsOf(rows, to, kernel);
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

/** The part of a picture that begins at `top`, `left`. */
export function crop(picture: Picture, top: number, left: number, rows: number, columns: number): Picture {
  const { channels, data } = picture;
  if (picture.rows === rows && picture.columns === columns) return picture;
  const made = new Float32Array(channels * rows * columns);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < rows; y++) {
      const from = (c * picture.rows + top + y) * picture.columns + left;
      made.set(data.subarray(from, from + columns), (c * rows + y) * columns);
    }
  return { channels, rows, columns, data: made };
}
