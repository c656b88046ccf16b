import type { Tf } from "./tfjs-types.ts";
import type { Value } from "../graph.ts";
import { isSame, type GraphBuilder } from "./builder.ts";
import { given, type Kernel } from "./kernel.ts";

export const reshape: Kernel = (graph, [x], { shape }) => {
  const sizes = shape as number[];
  const count = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  const rest = count(given(x).shape) / count(sizes.filter((size) => size !== -1));
  return graph.reshape(
    given(x),
    sizes.map((size) => (size === -1 ? rest : size)),
  );
};

export const concat: Kernel = (graph, inputs, { axis }) => {
  const [first] = inputs;
  const { shape, dtype } = given(first);
  const along = (Number(axis) + shape.length) % shape.length;
  const joined = inputs.reduce((sum, x) => sum + (x.shape[along] ?? 0), 0);
  const parts = inputs.filter((x) => !x.shape.includes(0));
  return graph.emit("Concat", parts, shape.with(along, joined), dtype, { axis: along });
};

/** A part of `x`: along each axis `size` elements from `begin` on. */
function block(graph: GraphBuilder, x: Value, begin: readonly number[], size: readonly number[]): Value {
  if (isSame(size, x.shape)) return x;
  const axes = [...x.shape.keys()].filter((axis) => size[axis] !== x.shape[axis]);
  const starts = axes.map((axis) => begin[axis] ?? 0);
  const ends = axes.map((axis, i) => (starts[i] ?? 0) + (size[axis] ?? 0));
  return graph.emit("Slice", [x, ...[starts, ends, axes].map((list) => graph.integers(list))], size, x.dtype);
}

export function slice(tf: Tf): Kernel {
  return (graph, [x], attributes) => {
    const { begin, size } = attributes as { begin: number[]; size: number[] };
    const parsed = tf.slice_util.parseSliceParams({ ...given(x), shape: [...given(x).shape] } as never, begin, size);
    return block(graph, given(x), parsed[0] ?? [], parsed[1] ?? []);
  };
}

export function split(tf: Tf): Kernel {
  return (graph, [x], { numOrSizeSplits, axis }) => {
    const { shape } = given(x);
    const along = (Number(axis) + shape.length) % shape.length;
    const sizes = tf.backend_util.prepareSplitSize({ shape: [...shape] } as never, numOrSizeSplits as number[], along);
    let offset = 0;
    return sizes.map((size) => {
      const part = block(graph, given(x), shape.map(() => 0).with(along, offset), shape.with(along, size));
      offset += size;
      return part;
    });
  };
}

export const pad: Kernel = (graph, [x], { paddings, constantValue }) => {
  const sides = paddings as [number, number][];
  const shape = given(x).shape.map((size, axis) => size + (sides[axis]?.[0] ?? 0) + (sides[axis]?.[1] ?? 0));
  const amounts = graph.integers([...sides.map(([before]) => before), ...sides.map(([, after]) => after)]);
  const value = graph.constant(Float32Array.of(Number(constantValue)), [], "float32");
  return graph.emit("Pad", [given(x), amounts, value], shape, given(x).dtype);
};

/** tfjs uses this kernel to broadcast: a tile that repeats only axes of size 1 is recorded as Expand. */
export const tile: Kernel = (graph, [x], { reps }) => {
  const counts = reps as number[];
  const { shape, dtype } = given(x);
  const repeated = shape.map((size, axis) => size * (counts[axis] ?? 1));
  if (shape.every((size, axis) => size === 1 || counts[axis] === 1)) return graph.expand(given(x), repeated);
  return graph.emit("Tile", [given(x), graph.integers(counts)], repeated, dtype);
};
