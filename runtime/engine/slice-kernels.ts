import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";

type TensorInfo = Pick<TfTensor, "dataId" | "shape" | "dtype">;
type Values = Float32Array | Int32Array | Uint8Array;

/** Which part of a tensor: of every axis a first entry and a length. */
interface Part {
  readonly begin: readonly number[];
  readonly size: readonly number[];
}

/** How a backend of tfjs holds numbers. */
interface Numbers {
  /** A new tensor of this shape, whose numbers `write` puts into `to`; `from` are those of x. */
  made(x: TensorInfo, shape: readonly number[], write: (from: Values, to: Values) => void): TensorInfo;
}

/** tfjs's backend in plain JavaScript, as far as it is used here. */
interface BackendCpu {
  readonly data: { get(id: object): { readonly values: Values } };
  makeTensorInfo(shape: number[], dtype: TensorInfo["dtype"], values: Values): TensorInfo;
}

/**
 * tfjs takes parts that do not lie together number by number, with several calls and lists for each number: always on the backend in
 * plain JavaScript, and from five axes on in WebAssembly. Replaces the kernels `Slice` and `SplitV` of the current backend by ones that
 * copy runs of numbers. The backend must be initialised.
 */
export function installSlices(tf: Tf, name: "cpu" | "wasm"): void {
  const numbers = name === "cpu" ? ofCpu(tf) : ofWasm(tf);
  const plain = tf.getKernel("Slice", name).kernelFunc;
  const slice = (x: TensorInfo, part: Part): TensorInfo => {
    const { begin, size } = part;
    if (tf.slice_util.isSliceContinous([...x.shape], [...begin], [...size]))
      return plain({ inputs: { x }, attrs: { begin, size } as never, backend: tf.backend() }) as TensorInfo;
    return numbers.made(x, size, (from, to) => copyPart(from, x.shape, part, to));
  };
  replace(tf, name, "Slice", (x, { begin, size }) => {
    const [from, lengths] = tf.slice_util.parseSliceParams(x as TfTensor, begin as number[], size as number[]);
    tf.slice_util.assertParamsValid(x as TfTensor, from as number[], lengths as number[]);
    return slice(x, { begin: from as number[], size: lengths as number[] });
  });
  replace(tf, name, "SplitV", (x, { numOrSizeSplits, axis }) => {
    const [along = 0] = tf.util.parseAxisParam(axis as number, x.shape);
    const lengths = tf.backend_util.prepareSplitSize(x as TfTensor, numOrSizeSplits as number[], along);
    let first = 0;
    return lengths.map((length) => {
      const begin = x.shape.map((_, i) => (i === along ? first : 0));
      first += length;
      return slice(x, { begin, size: x.shape.map((all, i) => (i === along ? length : all)) });
    });
  });
}

type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** All tensors of the engines are numbers, so that tfjs's strings and complex numbers need no kernel. */
function replace(
  tf: Tf,
  backendName: string,
  kernelName: string,
  made: (x: TensorInfo, attributes: Attributes) => TensorInfo | TensorInfo[],
): void {
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs }) => made(inputs["x"] as TensorInfo, attrs as Attributes),
  });
}

function ofCpu(tf: Tf): Numbers {
  const backend = tf.backend() as unknown as BackendCpu;
  return {
    made(x, shape, write) {
      const to = tf.util.getArrayFromDType(x.dtype as "float32", tf.util.sizeFromShape([...shape])) as Values;
      write(backend.data.get(x.dataId).values, to);
      return backend.makeTensorInfo([...shape], x.dtype, to);
    },
  };
}

function ofWasm(tf: Tf): Numbers {
  const backend = tf.backend() as BackendWasm;
  return {
    made(x, shape, write) {
      // The allocation may grow and move the heap, so the views are made after it.
      const to = backend.makeOutput([...shape], x.dtype) as TensorInfo;
      write(backend.typedArrayFromHeap(x) as Values, backend.typedArrayFromHeap(to) as Values);
      return to;
    },
  };
}

/** Shorter runs are copied faster by a loop than by `set`. */
const LONG = 32;

/** Copies a part of a row-major tensor of this shape; `to` is filled from its beginning. */
function copyPart(from: Values, shape: readonly number[], { begin, size }: Part, to: Values): void {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  // Axes at the end that are taken whole lie together, and so does a part of the axis in front of them.
  let last = shape.length - 1;
  while (last > 0 && size[last] === shape[last]) last--;
  const run = (size[last] ?? 0) * (strides[last] ?? 1);
  const at = Array.from({ length: last }, () => 0);
  let source = begin.reduce((sum, first, axis) => sum + first * (strides[axis] ?? 0), 0);
  for (let target = 0; target < to.length; target += run) {
    if (run < LONG) for (let i = 0; i < run; i++) to[target + i] = from[source + i] as number;
    else to.set(from.subarray(source, source + run), target);
    for (let axis = last - 1; axis >= 0; axis--) {
      source += strides[axis] as number;
      if (++(at[axis] as number) < (size[axis] as number)) break;
      source -= (size[axis] as number) * (strides[axis] as number);
      at[axis] = 0;
    }
  }
}
