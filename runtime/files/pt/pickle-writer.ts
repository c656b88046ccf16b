import type { StorageType } from "../../contract.ts";
import type { EntryToWrite, TensorToWrite } from "./to-write.ts";

const storageNames: Readonly<Record<StorageType, string>> = {
  float64: "DoubleStorage",
  float32: "FloatStorage",
  float16: "HalfStorage",
  bfloat16: "BFloat16Storage",
  int64: "LongStorage",
  int32: "IntStorage",
  int16: "ShortStorage",
  int8: "CharStorage",
  uint8: "ByteStorage",
  bool: "BoolStorage",
};

const op = (text: string): Buffer => Buffer.from(text, "latin1");

/** A dictionary in pickle protocol 2. Tensors refer to the storages `0`, `1` ... in their order. */
export function pickleEntries(entries: Readonly<Record<string, EntryToWrite>>): Buffer {
  const parts = [op("\x80\x02}(")];
  let storages = 0;
  for (const [key, value] of Object.entries(entries)) {
    const isTensor = typeof value === "object" && value !== null && "values" in value;
    parts.push(text(key), isTensor ? tensor(value, storages++) : plain(value));
  }
  return Buffer.concat([...parts, op("u.")]);
}

function plain(value: Exclude<EntryToWrite, TensorToWrite>): Buffer {
  if (value === null) return op("N");
  if (typeof value === "boolean") return op(value ? "\x88" : "\x89");
  if (typeof value === "string") return text(value);
  if (typeof value === "number") return Number.isInteger(value) ? whole(value) : float(value);
  return float(value.float);
}

function tensor({ shape, storage, values }: TensorToWrite, key: number): Buffer {
  const stride = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  return Buffer.concat([
    op("ctorch._utils\n_rebuild_tensor_v2\n(("),
    text("storage"),
    op(`ctorch\n${storageNames[storage]}\n`),
    text(String(key)),
    text("cpu"),
    whole(values.length),
    op("tQ"),
    whole(0),
    tuple(shape),
    tuple(stride),
    op("\x89ccollections\nOrderedDict\n)RtR"),
  ]);
}

const tuple = (sizes: readonly number[]): Buffer => Buffer.concat([op("("), ...sizes.map(whole), op("t")]);

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  const head = Buffer.alloc(5, "X");
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** BININT where 32 bits suffice, else LONG1 with 8 bytes. */
function whole(value: number): Buffer {
  if (value === (value | 0)) {
    const out = Buffer.alloc(5, "J");
    out.writeInt32LE(value, 1);
    return out;
  }
  const out = Buffer.from([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
  out.writeBigInt64LE(BigInt(value), 2);
  return out;
}

function float(value: number): Buffer {
  const out = Buffer.alloc(9, "G");
  out.writeDoubleBE(value, 1);
  return out;
}
