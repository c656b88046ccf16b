/**
 * 3D convolution, its gradients, and how they are computed without a kernel for it: as one matrix product for each cell of the kernel.
 * Shapes: x `[B, C, T, H, W]`, weight `[O, C, t, h, w]`, result `[B, O, T - t + 1, H - h + 1, W - w + 1]`.
 */
import { withGradient } from "./autodiff.ts";
import { inRows } from "./formulas/layers.ts";
import type { Shape } from "../contract.ts";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";

/** What an executor computes; the gradient of x is a convolution, too. */
export interface Convolution {
  /** @param zeros how many stand around x, before and behind each axis of the kernel */
  forward(x: TfTensor, weight: TfTensor, bias: TfTensor | null, zeros: Shape): TfTensor;
  /** The gradient of a weight, of an x with its zeros. */
  byWeight(x: TfTensor, dy: TfTensor): TfTensor;
}

/** The convolution with its gradients. */
export function convolve(
  tf: Tf,
  kernel: Convolution,
  [x, weight]: readonly [TfTensor, TfTensor],
  bias: TfTensor | null,
  zeros: Shape = [0, 0, 0],
): TfTensor {
  const own = bias === null ? [] : [bias];
  return withGradient(
    tf,
    [x, weight, ...own],
    (save) => {
      save([x, weight]);
      return kernel.forward(x, weight, bias, zeros);
    },
    (dy, saved) => {
      const [x, weight] = saved as [TfTensor, TfTensor];
      const around = weight.shape.slice(2).map((size, axis) => size - 1 - (zeros[axis] ?? 0));
      const dx = kernel.forward(dy, turned(tf, weight), null, around);
      return [dx, kernel.byWeight(padded(tf, x, zeros), dy), ...own.map(() => tf.sum(dy, [0, 2, 3, 4]) as TfTensor)];
    },
  );
}

/** With zeros before and behind each axis after the first two. */
function padded(tf: Tf, x: TfTensor, zeros: Shape): TfTensor {
  if (zeros.every((count) => count === 0)) return x;
  return tf.pad(x, [[0, 0], [0, 0], ...zeros.map((count): [number, number] => [count, count])]);
}

/** Inputs and outputs of a weight change places, and its cells come in reverse order. */
function turned(tf: Tf, weight: TfTensor): TfTensor {
  const [outputs = 0, inputs = 0, ...kernel] = weight.shape;
  const cells = kernel.reduce((a, b) => a * b, 1);
  const byCell = tf.transpose(tf.reshape(weight, [outputs, inputs, cells]), [2, 1, 0]);
  const backwards = tf.tensor1d(
    Array.from({ length: cells }, (_, i) => cells - 1 - i),
    "int32",
  );
  const reversed = tf.transpose(tf.gather(byCell, backwards), [1, 2, 0]);
  return tf.reshape(reversed, [inputs, outputs, ...kernel]);
}

const [channelsLast, channelsSecond] = [
  [0, 2, 3, 4, 1],
  [0, 4, 1, 2, 3],
];

/** For engines without a kernel. */
export function convolutionByProducts(tf: Tf): Convolution {
  return {
    forward(x, weight, bias, zeros) {
      const { parts, sizes } = windows(tf, padded(tf, x, zeros), weight.shape.slice(2));
      const [outputs = 0, inputs = 0] = weight.shape;
      const byCell = tf.transpose(tf.reshape(weight, [outputs, inputs, parts.length]), [2, 1, 0]);
      let sum: TfTensor | null = null;
      for (const [i, part] of parts.entries()) {
        const cell = tf.reshape(tf.slice(byCell, [i, 0, 0], [1, -1, -1]), [inputs, outputs]);
        const product = tf.matMul(part(), cell) as TfTensor;
        sum = sum === null ? product : (tf.add(sum, product) as TfTensor);
      }
      const flat = bias === null ? sum : tf.add(sum as TfTensor, bias);
      return tf.transpose(tf.reshape(flat as TfTensor, [...sizes, outputs]), channelsSecond);
    },
    byWeight(x, dy) {
      const kernel = x.shape.slice(2).map((size, axis) => size - (dy.shape[2 + axis] ?? 0) + 1);
      const rows = inRows(tf, tf.transpose(dy, channelsLast));
      const cells = windows(tf, x, kernel).parts.map((part) => tf.matMul(rows, part(), true) as TfTensor);
      return tf.reshape(tf.stack(cells, 2), [dy.shape[1] ?? 0, x.shape[1] ?? 0, ...kernel]);
    },
  };
}

/** By cell of the kernel, what it is multiplied with, `[rows, C]`; and the sizes `[B, T, H, W]` whose product the rows are. */
function windows(tf: Tf, x: TfTensor, kernel: readonly number[]) {
  const last = tf.transpose(x, channelsLast);
  const [batch = 0, ...outer] = last.shape;
  const channels = outer.pop() ?? 0;
  const sizes = [batch, ...outer.map((size, axis) => size - (kernel[axis] ?? 0) + 1)];
  const [t = 0, h = 0, w = 0] = kernel;
  const [, frames = 0, rows = 0, columns = 0] = sizes;
  // With columns and channels as one axis there are four, up to which tfjs has fast kernels for parts.
  const merged = tf.reshape(last, [...last.shape.slice(0, 3), -1]);
  const parts = Array.from({ length: t * h * w }, (_, i) => () => {
    const begin = [0, Math.floor(i / (h * w)), Math.floor(i / w) % h, (i % w) * channels];
    const part = tf.slice(merged, begin, [batch, frames, rows, columns * channels]);
    return tf.reshape(part, [batch * frames * rows * columns, channels]) as TfTensor;
  });
  return { parts, sizes };
}
