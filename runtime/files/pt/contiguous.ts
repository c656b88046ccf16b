import { bfloat16ToFloat32, float16ToFloat32 } from "../number-formats.ts";
import { storageBytes, type PtStorage, type PtTensor } from "./value.ts";

/**
 * The tensor's numbers, row-major. Widened exactly; float64 and whole numbers that float32 can not hold are rounded to nearest.
 * A fresh array always.
 */
export function toFloat32(tensor: PtTensor): Float32Array {
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  const { data, offset } = tensor;
  return isContiguous(tensor) ? widen(data, offset, count) : gather(widen(data, 0, data.length), tensor, count);
}

function isContiguous({ shape, stride }: PtTensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 0;
    if (size !== 1 && stride[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

function gather(values: Float32Array, { shape, stride, offset }: PtTensor, count: number): Float32Array {
  const out = new Float32Array(count);
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < count; to++) {
    out[to] = values[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [size, step] = [shape[axis] ?? 0, stride[axis] ?? 0];
      from += step;
      if (++(index[axis] as number) < size) break;
      from -= step * size;
      index[axis] = 0;
    }
  }
  return out;
}

/** `count` elements of a storage from `offset` on. */
function widen({ type, bytes }: PtStorage, offset: number, count: number): Float32Array {
  const size = storageBytes[type];
  const stored = bytes.subarray(offset * size, (offset + count) * size);
  // A typed array needs an aligned start.
  const { buffer, byteOffset } = stored.byteOffset % size === 0 ? stored : Uint8Array.from(stored);
  switch (type) {
    case "float32":
      return new Float32Array(buffer, byteOffset, count).slice();
    case "bfloat16":
      return bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, count));
    case "float16":
      return float16ToFloat32(new Uint16Array(buffer, byteOffset, count));
    case "float64":
      return new Float32Array(new Float64Array(buffer, byteOffset, count));
    case "int64":
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
    case "int32":
      return new Float32Array(new Int32Array(buffer, byteOffset, count));
    case "int16":
      return new Float32Array(new Int16Array(buffer, byteOffset, count));
    case "int8":
      return new Float32Array(new Int8Array(buffer, byteOffset, count));
    case "uint8":
    case "bool":
      return new Float32Array(new Uint8Array(buffer, byteOffset, count));
  }
}
