/** Reads the raw little-endian bytes of a safetensors dtype as float64. */
export function widen(dtype: string, bytes: Uint8Array): Float64Array {
  const read = readers[dtype];
  if (read === undefined) throw new Error(`dtype ${dtype} is not used by golden vectors`);
  const [size, at] = read;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.byteLength / size }, (_, i) => at(view, i * size));
}

const readers: Readonly<Record<string, readonly [size: number, at: (view: DataView, offset: number) => number]>> = {
  F64: [8, (view, offset) => view.getFloat64(offset, true)],
  F32: [4, (view, offset) => view.getFloat32(offset, true)],
  F16: [2, (view, offset) => halfToNumber(view.getUint16(offset, true))],
  BF16: [2, (view, offset) => bfloatToNumber(view.getUint16(offset, true))],
  I64: [8, (view, offset) => Number(view.getBigInt64(offset, true))],
  I32: [4, (view, offset) => view.getInt32(offset, true)],
  I16: [2, (view, offset) => view.getInt16(offset, true)],
  I8: [1, (view, offset) => view.getInt8(offset)],
  U8: [1, (view, offset) => view.getUint8(offset)],
  BOOL: [1, (view, offset) => view.getUint8(offset)],
};

// Written apart from the project's own conversions, so that an error there cannot hide in the vectors it is compared with.
function bfloatToNumber(bits: number): number {
  const scratch = new DataView(new ArrayBuffer(4));
  scratch.setUint16(0, bits);
  return scratch.getFloat32(0);
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
