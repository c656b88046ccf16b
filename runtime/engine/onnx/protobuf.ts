/** Writing of protobuf messages, as far as ONNX models need it: https://protobuf.dev/programming-guides/encoding/ */

const [varintType, bytesType] = [0, 2];

/** A message, field after field; each method appends one. */
export class Message {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  int(field: number, value: number | bigint): this {
    return this.#append(varint(field * 8 + varintType)).#append(varint(value));
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

/** Numbers of one byte, of which most of a model's numbers are. */
const small = Array.from({ length: 128 }, (_, value) => Uint8Array.of(value));

/** Seven bits per byte, the lowest first; negative numbers as 64 bits of two's complement. */
function varint(value: number | bigint): Uint8Array {
  const known = small[Number(value)];
  if (known !== undefined) return known;
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
