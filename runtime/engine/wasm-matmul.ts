import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";

type TensorInfo = Pick<TfTensor, "dataId" | "shape" | "dtype">;
type Kernel = (inputs: Record<string, TensorInfo>, attrs: Record<string, boolean | number[]>) => TensorInfo;

/** With fewer multiplications per matrix, the extra transposes and copies cost more than they save. */
const worthwhile = 2 ** 14;

/**
 * tfjs's wasm backend multiplies fast (with XNNPACK) only single matrices without transposition; everything else goes through a plain
 * loop, about fifteen times slower. Replaces its kernel by one that transposes operands and splits batches first, which serves
 * gradients as well. The backend must be initialised.
 */
export function installWasmMatMul(tf: Tf): void {
  const backend = tf.backend() as BackendWasm;
  const kernel = (name: string): Kernel => {
    const found = tf.getKernel(name, "wasm");
    return (inputs, attrs) => found.kernelFunc({ inputs, attrs, backend }) as TensorInfo;
  };
  const [plain, transpose] = [kernel("BatchMatMul"), kernel("Transpose")];
  const matMul: Kernel = ({ a, b }, { transposeA, transposeB }) => {
    if (a === undefined || b === undefined) throw new Error("a matrix product needs two operands");
    const batches = batchesOf(a);
    const size = tf.util.sizeFromShape(b.shape) * (a.shape.at(transposeA ? -1 : -2) ?? 0);
    const isFast = batches === 1 && !transposeA && !transposeB;
    if (isFast || batches !== batchesOf(b) || size < worthwhile * batches) {
      return plain({ a, b }, { transposeA: transposeA === true, transposeB: transposeB === true });
    }
    const upright = transposeA ? transpose({ x: a }, { perm: swapLast(a.shape.length) }) : a;
    const down = transposeB ? transpose({ x: b }, { perm: swapLast(b.shape.length) }) : b;
    const out = perBatch(backend, plain, upright, down, batches);
    if (transposeA) backend.disposeData(upright.dataId);
    if (transposeB) backend.disposeData(down.dataId);
    return out;
  };
  tf.unregisterKernel("BatchMatMul", "wasm");
  tf.registerKernel({
    kernelName: "BatchMatMul",
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs }) => matMul(inputs as Record<string, TensorInfo>, attrs as Record<string, boolean>),
  });
}

function batchesOf({ shape }: TensorInfo): number {
  return shape.slice(0, -2).reduce((a, b) => a * b, 1);
}

function swapLast(rank: number): number[] {
  return [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2];
}

/** `a [..., m, k]` times `b [..., k, n]`, one matrix at a time. */
function perBatch(backend: BackendWasm, plain: Kernel, a: TensorInfo, b: TensorInfo, batches: number): TensorInfo {
  const straight = { transposeA: false, transposeB: false };
  if (batches === 1) return plain({ a, b }, straight);
  const [m = 0, n = 0] = [a.shape.at(-2), b.shape.at(-1)];
  const out = backend.makeOutput([...a.shape.slice(0, -2), m, n], "float32") as TensorInfo;
  for (let i = 0; i < batches; i++) {
    const [left, right] = [matrixOf(backend, a, i), matrixOf(backend, b, i)];
    const product = plain({ a: left, b: right }, straight);
    backend.typedArrayFromHeap(out).set(backend.typedArrayFromHeap(product), i * m * n);
    for (const { dataId } of [left, right, product]) backend.disposeData(dataId);
  }
  return out;
}

/** A copy of the i-th matrix. */
function matrixOf(backend: BackendWasm, x: TensorInfo, i: number): TensorInfo {
  const shape = x.shape.slice(-2);
  const size = shape.reduce((a, b) => a * b, 1);
  // The allocation may grow and move the heap, so the views are made after it.
  const matrix = backend.makeOutput(shape, "float32") as TensorInfo;
  backend.typedArrayFromHeap(matrix).set(backend.typedArrayFromHeap(x).subarray(i * size, (i + 1) * size));
  return matrix;
}
