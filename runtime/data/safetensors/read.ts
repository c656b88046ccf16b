import { open, type FileHandle } from "node:fs/promises";
import { fail } from "../../findings.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "../number-formats.ts";
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
  close(): Promise<void>;
}

/** Opens a file by its header alone. Errors: FindingsError LTX6180 (cannot be opened), LTX6181 (broken or lying header). */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => cannotOpen(path, error));
  try {
    const header = await readHeader(path, file);
    const read = (name: string) => readTensor(path, file, name, header.tensors.get(name));
    return {
      path,
      ...header,
      read,
      readFloat32: async (name) => toFloat32(header.tensors.get(name)?.dtype ?? "F32", await read(name)),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function cannotOpen(path: string, error: NodeJS.ErrnoException): never {
  const why = error.code === "ENOENT" ? "does not exist" : `cannot be opened (${error.code})`;
  return fail("LTX6180", `${path} ${why}`, "check the path; relative ones start at the folder of the run config");
}

async function readHeader(path: string, file: FileHandle): Promise<Header> {
  const { size } = await file.stat();
  if (size < 8) return broken(path, `it has ${size} bytes, fewer than the length of its header takes`);
  const length = Number((await readRange(path, file, 0, 8)).readBigUInt64LE(0));
  if (length > MAX_HEADER_BYTES)
    return broken(path, `its header claims ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed`);
  if (8 + length > size) return broken(path, `its header claims ${length} bytes, the file has ${size}`);
  const text = (await readRange(path, file, 8, 8 + length)).toString("utf8");
  return parseHeader(path, text, 8 + length, size);
}

async function readTensor(
  path: string,
  file: FileHandle,
  name: string,
  entry: TensorEntry | undefined,
): Promise<Uint8Array> {
  if (entry === undefined) throw new Error(`${path} has no tensor ${name}`);
  return readRange(path, file, entry.start, entry.end);
}

/** One read takes at most 2 GiB, larger ranges take several. */
const MAX_READ = 2 ** 30;

async function readRange(path: string, file: FileHandle, start: number, end: number): Promise<Buffer> {
  // An allocation of its own, so that typed arrays can view it at offset 0 whatever their element size.
  const bytes = Buffer.from(new ArrayBuffer(end - start));
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, Math.min(MAX_READ, bytes.length - done), start + done);
    if (bytesRead === 0) broken(path, "it became shorter while it was read");
    done += bytesRead;
  }
  return bytes;
}

/** Widens (or for F64 and I64, narrows) raw bytes that start at an aligned offset. */
export function toFloat32(dtype: SafetensorsDType, { buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
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
    case "I8":
      return Float32Array.from(new Int8Array(buffer, byteOffset, byteLength));
    case "U8":
    case "BOOL":
      return Float32Array.from(new Uint8Array(buffer, byteOffset, byteLength));
  }
}
