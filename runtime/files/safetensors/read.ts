import { fail } from "../../findings.ts";
import { withMemory } from "../lent-memory.ts";
import { bfloat16ToFloat32, float16ToFloat32, float8Values } from "../number-formats.ts";
import { openFile, type OpenFile } from "../read-bytes.ts";
import { unreadable } from "../regular-file.ts";
import { checksumOf } from "./checksum.ts";
import type { OnChunk } from "./on-chunk.ts";
import {
  broken,
  MAX_HEADER_BYTES,
  parseHeader,
  type Header,
  type SafetensorsDType,
  type TensorEntry,
} from "./header.ts";

/** An open file: the header is read and checked, tensors are read when asked for. */
export interface SafetensorsFile extends Header {
  readonly path: string;
  /** The tensor's bytes, little-endian, row-major. Errors: an unknown name throws. */
  read(name: string): Promise<Uint8Array>;
  /** The same, widened or narrowed to float32. */
  readFloat32(name: string): Promise<Float32Array>;
  /**
   * Compares the file's content with its checksum. Without a checksum it is right, and read only if somebody looks at it: `onChunk` gets
   * all bytes in order, and a chunk begins with each tensor.
   * Errors: FindingsError LTX6150 (damaged).
   */
  verify(onChunk?: OnChunk): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file by its header alone. Errors: FindingsError LTX6180 (cannot be opened), LTX6181 (broken or lying header). */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await openFile(path).catch((error: unknown) => cannotOpen(path, error));
  try {
    const header = await readHeader(path, file);
    return {
      path,
      ...header,
      read: (name) => readTensor(path, file, name, header.tensors.get(name)),
      readFloat32: (name) => readFloat32(path, file, name, header.tensors.get(name)),
      verify: (onChunk) => verify(path, file, header, onChunk),
      close: async () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function verify(path: string, file: OpenFile, { checksum, tensors }: Header, onChunk?: OnChunk): Promise<void> {
  if (checksum === null && onChunk === undefined) return;
  const cuts = onChunk === undefined ? [] : Array.from(tensors.values(), ({ start }) => start);
  const found = await checksumOf(file, cuts, onChunk);
  if (checksum !== null && found !== checksum) damaged(path);
}

function damaged(path: string): never {
  const message = `${path} is damaged: its content is not what was written, by its checksum`;
  return fail("LTX6150", message, "use a copy of the file or an earlier checkpoint; `ltxc verify` says what is whole");
}

function cannotOpen(path: string, error: unknown): never {
  const why = unreadable(error);
  if (why === null) throw error;
  const help = why.isMissing ? "check the path; relative ones start at the folder of the run config" : why.help;
  return fail("LTX6180", `${path} ${why.problem}`, help);
}

/** Longer than most headers, so that one read is enough for them. */
const HEAD_BYTES = 65536;

async function readHeader(path: string, file: OpenFile): Promise<Header> {
  const { size } = file.stats;
  if (size < 8) return broken(path, `it has ${size} bytes, fewer than the length of its header takes`);
  const head = await readRange(path, file, 0, Math.min(size, HEAD_BYTES));
  const length = Number(head.readBigUInt64LE(0));
  if (length > MAX_HEADER_BYTES)
    return broken(path, `its header claims ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed`);
  const end = 8 + length;
  if (end > size) return broken(path, `its header claims ${length} bytes, the file has ${size}`);
  const header = end <= head.length ? head.subarray(8, end) : await readRange(path, file, 8, end);
  return parseHeader(path, header.toString("utf8"), end, size);
}

async function readTensor(
  path: string,
  file: OpenFile,
  name: string,
  entry: TensorEntry | undefined,
): Promise<Uint8Array> {
  if (entry === undefined) throw new Error(`${path} has no tensor ${name}`);
  return readRange(path, file, entry.start, entry.end);
}

/** The bytes of what has to be widened are needed for a moment only. */
async function readFloat32(
  path: string,
  file: OpenFile,
  name: string,
  entry: TensorEntry | undefined,
): Promise<Float32Array> {
  if (entry === undefined || entry.dtype === "F32") return toFloat32("F32", await readTensor(path, file, name, entry));
  const { dtype, start, end } = entry;
  return withMemory(end - start, async (memory) => {
    const { length } = await file.readInto(memory, start);
    return length === memory.length ? toFloat32(dtype, memory) : shortened(path);
  });
}

async function readRange(path: string, file: OpenFile, start: number, end: number): Promise<Buffer> {
  const bytes = await file.read(start, end - start);
  return bytes.length === end - start ? bytes : shortened(path);
}

const shortened = (path: string): never => broken(path, "it became shorter while it was read");

/** Widens (or for F64 and I64, narrows) raw bytes that start at an aligned offset. */
function toFloat32(dtype: SafetensorsDType, { buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case "BF16":
      return bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case "F16":
      return float16ToFloat32(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case "F64":
      return Float32Array.from(new Float64Array(buffer, byteOffset, byteLength / 8));
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, byteLength / 8), Number);
    case "U64":
      return Float32Array.from(new BigUint64Array(buffer, byteOffset, byteLength / 8), Number);
    case "I32":
      return Float32Array.from(new Int32Array(buffer, byteOffset, byteLength / 4));
    case "U32":
      return Float32Array.from(new Uint32Array(buffer, byteOffset, byteLength / 4));
    case "I16":
      return Float32Array.from(new Int16Array(buffer, byteOffset, byteLength / 2));
    case "U16":
      return Float32Array.from(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case "F8_E4M3":
      return Float32Array.from(new Uint8Array(buffer, byteOffset, byteLength), (code) => float8Values[code] ?? NaN);
    case "I8":
      return Float32Array.from(new Int8Array(buffer, byteOffset, byteLength));
    case "U8":
    case "BOOL":
      return Float32Array.from(new Uint8Array(buffer, byteOffset, byteLength));
    default:
      return fail("LTX6227", `tensors of ${dtype} are not read`, "take a file with numbers of 16 or 32 bits");
  }
}
