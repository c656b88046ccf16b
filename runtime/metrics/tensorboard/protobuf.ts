/** The few wire types of protocol buffers that event files need; a message is its fields one after the other. */

/** Seven bits per byte, lowest first; whole numbers from 0 to 2^53. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

const key = (field: number, wireType: number): Uint8Array => varint(field * 8 + wireType);

export function integer(field: number, value: number): Uint8Array {
  return Buffer.concat([key(field, 0), varint(value)]);
}

export function double(field: number, value: number): Uint8Array {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return Buffer.concat([key(field, 1), data]);
}

export function float(field: number, value: number): Uint8Array {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([key(field, 5), data]);
}

export function message(field: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const data = Buffer.concat(parts);
  return Buffer.concat([key(field, 2), varint(data.length), data]);
}

export function text(field: number, value: string): Uint8Array {
  return message(field, Buffer.from(value, "utf8"));
}
