import { bfloat16ToFloat32, float16ToFloat32 } from "../number-formats.ts";
import type { PtStorage, PtTensor } from "./value.ts";

/**
 * The tensor's numbers, row-major. Widened exactly; float64 and whole numbers that float32 can not hold are rounded to nearest.
 * A fresh array, unless the tensor is float32 and covers its storage in order.
 */
export function toFloat32(tensor: PtTensor): Float32Array {
  const values = widen(tensor.data);
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  if (isContiguous(tensor)) return values.subarray(tensor.offset, tensor.offset + count);
  return gather(values, tensor, count);
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

function widen({ type, bytes: stored, length }: PtStorage): Float32Array {
  // A typed array needs an aligned start.
  const bytes = stored.byteOffset % 8 === 0 ? stored : stored.slice();
  const { buffer, byteOffset } = bytes;
  switch (type) {
    case "float32":
      return new Float32Array(buffer, byteOffset, length);
    case "bfloat16":
      return bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, length));
    case "float16":
      return float16ToFloat32(new Uint16Array(buffer, byteOffset, length));
    case "float64":
      return new Float32Array(new Float64Array(buffer, byteOffset, length));
    case "int64":
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, length), Number);
    case "int32":
      return new Float32Array(new Int32Array(buffer, byteOffset, length));
    case "int16":
      return new Float32Array(new Int16Array(buffer, byteOffset, length));
    case "int8":
      return new Float32Array(new Int8Array(buffer, byteOffset, length));
    case "uint8":
    case "bool":
      return new Float32Array(new Uint8Array(buffer, byteOffset, length));
  }
}
