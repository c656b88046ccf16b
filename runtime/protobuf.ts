/** Writes the parts of protocol buffers that ONNX models and event files use: https://protobuf.dev/programming-guides/encoding/ */

const [varintType, fixed64Type, bytesType, fixed32Type] = [0, 1, 2, 5];

/** A message: each method appends one field. */
export class Message {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  int(field: number, value: number | bigint): this {
    return this.#append(varint(field * 8 + varintType)).#append(varint(value));
  }

  double(field: number, value: number): this {
    const data = Buffer.alloc(8);
    data.writeDoubleLE(value);
    return this.#append(varint(field * 8 + fixed64Type)).#append(data);
  }

  float(field: number, value: number): this {
    const data = Buffer.alloc(4);
    data.writeFloatLE(value);
    return this.#append(varint(field * 8 + fixed32Type)).#append(data);
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, "utf8"));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#append(varint(field * 8 + bytesType))
      .#append(varint(value.byteLength))
      .#append(value);
  }

  message(field: number, value: Message): this {
    this.#append(varint(field * 8 + bytesType)).#append(varint(value.#length));
    for (const part of value.#parts) this.#append(part);
    return this;
  }

  encode(): Uint8Array {
    return Buffer.concat(this.#parts, this.#length);
  }

  #append(part: Uint8Array): this {
    this.#parts.push(part);
    this.#length += part.byteLength;
    return this;
  }
}

/** Values that take one byte, made once: most numbers in a model are small. */
const small = Array.from({ length: 128 }, (_, value) => Uint8Array.of(value));

/** Seven bits per byte, the lowest first. Negative numbers are written as 64 bits in two's complement. */
function varint(value: number | bigint): Uint8Array {
  const known = small[Number(value)];
  if (known !== undefined) return known;
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
