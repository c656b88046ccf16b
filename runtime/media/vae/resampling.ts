/** Blocks that change the number of frames, rows and columns, and attention within a frame. */
import type { Ops, Tensor } from "../../contract.ts";
import { convolution, convolve, inStep, lookaheadOf, part, pointwise, type Edges, type Stage } from "./layers.ts";
import { COLUMNS, depthToSpace, ROWS, spaceToDepth, TIME } from "./space-to-depth.ts";

type Strides = readonly [time: number, rows: number, columns: number];
type Widths = readonly [inputs: number, outputs: number];
const productOf = ([time, rows, columns]: Strides): number => time * rows * columns;

/** Cells become channels; what is thrown away of them is a mean, and a convolution adds to it. */
export function downsamplingStage(name: string, [inputs, outputs]: Widths, strides: Strides, edges: Edges): Stage {
  const product = productOf(strides);
  const each = (inputs * product) / outputs;
  return {
    name,
    parameters: convolution(`${name}.conv.conv`, inputs, outputs / product),
    run(given, x) {
      const { ops, past } = given;
      // The first frame stands for itself: a copy of it makes the number of frames even.
      const whole = strides[0] === 2 && past?.isFirst !== false ? ops.concat([part(ops, x, TIME, 0, 1), x], TIME) : x;
      const cells = spaceToDepth(ops, whole, strides);
      const [batch = 0, , ...sizes] = cells.shape;
      const grouped = ops.reshape(cells, [batch, outputs, each, sizes.reduce((a, b) => a * b, 1)]);
      const mean = ops.reshape(ops.mean(grouped, [2]), [batch, outputs, ...sizes]);
      return ops.add(spaceToDepth(ops, convolve(given, `${name}.conv.conv`, edges, whole), strides), mean);
    },
  };
}

/** A convolution of which only every second result on the strided axes is kept. */
export function stridedStage(name: string, [inputs, outputs]: Widths, strides: Strides, edges: Edges): Stage {
  return {
    name,
    parameters: convolution(`${name}.conv`, inputs, outputs),
    run(given, x) {
      const all = convolve(given, `${name}.conv`, edges, x);
      return [TIME, ROWS, COLUMNS].reduce((y, axis, i) => {
        // The first frame of a clip is kept: of a later piece, which follows an odd number of frames, it is the second.
        const first = axis === TIME && given.past?.isFirst === false ? 1 : 0;
        return strides[i] === 2 ? everySecond(given.ops, y, axis, first) : y;
      }, all);
    },
  };
}

/** Elements 0, 2, 4, ... along an axis; with `first` 1 elements 1, 3, 5, ... of an even number. */
function everySecond(ops: Ops, x: Tensor, axis: number, first: 0 | 1): Tensor {
  const length = x.shape[axis] ?? 0;
  const even = length % 2 === 0 ? x : ops.concat([x, part(ops, x, axis, 0, 1)], axis);
  const pairs = ops.reshape(even, [...x.shape.slice(0, axis), Math.ceil(length / 2), 2, ...x.shape.slice(axis + 1)]);
  return ops.reshape(part(ops, pairs, axis + 1, first, 1), x.shape.with(axis, Math.ceil(length / 2)));
}

/** Channels of a convolution become cells. `isResidual`: those of the input, repeated, are added. */
export function upsamplingStage(
  name: string,
  [inputs, outputs]: Widths,
  strides: Strides,
  { edges, isResidual }: { readonly edges: Edges; readonly isResidual: boolean },
): Stage {
  const product = productOf(strides);
  return {
    name,
    parameters: convolution(`${name}.conv.conv`, inputs, outputs * product),
    lookahead: lookaheadOf(edges, 1),
    run(given, x) {
      const { ops, past } = given;
      const enlarged = (y: Tensor): Tensor => {
        const cells = depthToSpace(ops, y, strides);
        // The first frame was one of pixels, too: the first of the two that it became goes.
        const isCut = strides[0] === 2 && past?.isFirst !== false;
        return isCut ? part(ops, cells, TIME, 1, (cells.shape[TIME] ?? 0) - 1) : cells;
      };
      const convolved = convolve(given, `${name}.conv.conv`, edges, x);
      const made = enlarged(convolved);
      if (!isResidual) return made;
      const shortcut = enlarged(inStep(given, name, x, convolved.shape[TIME] ?? 0));
      const copies = outputs / (shortcut.shape[1] ?? 1);
      return ops.add(
        made,
        ops.concat(
          Array.from({ length: copies }, () => shortcut),
          1,
        ),
      );
    },
  };
}

/** Attention with one head among the cells of each frame. */
export function attentionStage(name: string, width: number): Stage {
  return {
    name,
    parameters: [
      { name: `${name}.norm.gamma`, shape: [width, 1, 1] },
      { name: `${name}.to_qkv.weight`, shape: [3 * width, width, 1, 1] },
      { name: `${name}.to_qkv.bias`, shape: [3 * width] },
      { name: `${name}.proj.weight`, shape: [width, width, 1, 1] },
      { name: `${name}.proj.bias`, shape: [width] },
    ],
    run(given, x) {
      const { ops, weight } = given;
      const [batch = 0, , frames = 0, rows = 0, columns = 0] = x.shape;
      const length = ops.maximum(ops.sqrt(ops.sum(ops.square(x), [1], true)), 1e-12);
      const gamma = ops.reshape(weight(`${name}.norm.gamma`), [width, 1, 1, 1]);
      const normed = ops.mul(ops.mul(ops.div(x, length), Math.sqrt(width)), gamma);
      const all = pointwise(given, `${name}.to_qkv`, normed);
      const heads = [0, 1, 2].map((i) => {
        const own = ops.transpose(part(ops, all, 1, i * width, width), [0, 2, 3, 4, 1]);
        return ops.reshape(own, [batch * frames, 1, rows * columns, width]);
      }) as [Tensor, Tensor, Tensor];
      const attended = ops.reshape(ops.attention(...heads, null), [batch, frames, rows, columns, width]);
      return ops.add(x, pointwise(given, `${name}.proj`, ops.transpose(attended, [0, 4, 1, 2, 3])));
    },
  };
}
