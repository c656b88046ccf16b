/**
 * 3D convolution in plain JavaScript, for tfjs's backend of the same kind: there a matrix product for each cell of the kernel, with its parts and
 * sums, takes many times as long. Sums are of 64 bits. Shapes as in `convolution.ts`.
 */
import type { Shape } from "../contract.ts";
import { convolvedShape } from "../graph/convolved-shape.ts";
import type { Tf, TfOps, TfTensor } from "../graph/record/tfjs-types.ts";
import { convolve, type Convolution } from "./convolution.ts";

export function convolveInLoops(tf: Tf): TfOps["convolve"] {
  const convolution = convolutionInLoops(tf);
  return (x, weight, bias, zeros) => convolve(tf, convolution, [x, weight], bias, zeros);
}

function convolutionInLoops(tf: Tf): Convolution {
  return {
    forward(x, weight, bias, zeros) {
      const [outputs = 0, , ...kernel] = weight.shape;
      const shape = convolvedShape(x.shape, weight.shape, [...zeros, ...zeros]);
      const sums = new Float32Array(product(shape));
      const [weights, offsets] = [weight.dataSync<"float32">(), bias?.dataSync<"float32">()];
      const made = new Float64Array(outputs);
      eachPatch(x, kernel, zeros, (patch, first, cells) => {
        multiply(weights, patch, made);
        for (let o = 0; o < outputs; o++)
          sums[first * outputs + cells.at + o * cells.count] = (made[o] as number) + (offsets?.[o] ?? 0);
      });
      return tf.tensor(sums, shape, "float32");
    },
    byWeight(x, dy) {
      const [, outputs = 0, ...made] = dy.shape;
      const kernel = x.shape.slice(2).map((size, axis) => size - (made[axis] ?? 0) + 1);
      const shape = [outputs, x.shape[1] ?? 0, ...kernel];
      const [sums, slopes] = [new Float64Array(product(shape)), dy.dataSync<"float32">()];
      eachPatch(x, kernel, [0, 0, 0], (patch, first, cells) => {
        for (let o = 0, w = 0; o < outputs; o++) {
          const slope = slopes[first * outputs + cells.at + o * cells.count] as number;
          for (let i = 0; i < patch.length; i++, w++) (sums[w] as number) += slope * (patch[i] as number);
        }
      });
      return tf.tensor(Float32Array.from(sums), shape, "float32");
    },
  };
}

const product = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** The product of a matrix, row by row, and a vector; four rows at a time, since a sum waits for the one before. */
function multiply(matrix: Float32Array, vector: Float32Array, to: Float64Array): void {
  const width = vector.length;
  let row = 0;
  for (; row + 3 < to.length; row += 4) {
    const begin = row * width;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0, at = begin; i < width; i++, at++) {
      const x = vector[i] as number;
      a += (matrix[at] as number) * x;
      b += (matrix[at + width] as number) * x;
      c += (matrix[at + 2 * width] as number) * x;
      d += (matrix[at + 3 * width] as number) * x;
    }
    to.set([a, b, c, d], row);
  }
  for (; row < to.length; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += (matrix[row * width + i] as number) * (vector[i] as number);
    to[row] = sum;
  }
}

/** A cell of the result, and how many there are in a channel. */
interface Cells {
  at: number;
  readonly count: number;
}

/**
 * Calls `visit` for each cell of the result with what the kernel covers there, in the order of a weight's numbers.
 * `first` is the sample's place in an array with one channel: its index times the cells of a channel.
 */
function eachPatch(
  x: TfTensor,
  kernel: Shape,
  zeros: Shape,
  visit: (patch: Float32Array, first: number, cells: Cells) => void,
): void {
  const { values, channels, frames, rows, columns } = surrounded(x, zeros);
  const [t = 0, h = 0, w = 0] = kernel;
  const [made, high, wide] = [frames - t + 1, rows - h + 1, columns - w + 1];
  const places = new Int32Array(channels * t * h * w);
  for (let i = 0; i < places.length; i++) {
    const [across, down, later] = [i % w, Math.floor(i / w) % h, Math.floor(i / (w * h)) % t];
    places[i] = ((Math.floor(i / (w * h * t)) * frames + later) * rows + down) * columns + across;
  }
  const patch = new Float32Array(places.length);
  const cells = { at: 0, count: made * high * wide };
  const plane = channels * frames * rows * columns;
  for (let sample = 0; sample * plane < values.length; sample++)
    for (cells.at = 0; cells.at < cells.count; cells.at++) {
      const [across, line] = [cells.at % wide, Math.floor(cells.at / wide)];
      const begin = sample * plane + (Math.floor(line / high) * rows + (line % high)) * columns + across;
      for (let i = 0; i < places.length; i++) patch[i] = values[begin + (places[i] as number)] as number;
      visit(patch, sample * cells.count, cells);
    }
}

/** The numbers of x with zeros around, and the sizes with them. */
function surrounded(x: TfTensor, zeros: Shape) {
  const [batch = 0, channels = 0, ...sizes] = x.shape;
  const [frames = 0, rows = 0, columns = 0] = sizes.map((size, axis) => size + 2 * (zeros[axis] ?? 0));
  const given = x.dataSync<"float32">();
  const all = { channels, frames, rows, columns };
  if (zeros.every((count) => count === 0)) return { ...all, values: given };
  const values = new Float32Array(batch * channels * frames * rows * columns);
  const [t = 0, h = 0, w = 0] = sizes;
  const [before = 0, above = 0, left = 0] = zeros;
  for (let line = 0; line < batch * channels * t * h; line++) {
    const [row, frame] = [line % h, Math.floor(line / h)];
    const to = ((Math.floor(frame / t) * frames + (frame % t) + before) * rows + row + above) * columns + left;
    for (let i = 0; i < w; i++) values[to + i] = given[line * w + i] as number;
  }
  return { ...all, values };
}
