import { writeAtomically, type Sink } from "../atomic.ts";
import { float32ToBfloat16 } from "../number-formats.ts";
import { BLANK_OPENING, DIGITS_AT, newChecksum } from "./checksum.ts";
import { dtypeSizes, type SafetensorsDType } from "./header.ts";

/** A tensor to write. Float32 values are rounded to `dtype`, raw bytes are written as they are. */
export interface OutputTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: SafetensorsDType;
  readonly data: Float32Array | Uint8Array | (() => Promise<Float32Array | Uint8Array>);
}

/**
 * Writes a file atomically, with its checksum, one tensor in memory at a time where `data` is a function.
 * Errors: FindingsError LTX6190 and LTX6191 as `writeAtomically`; a tensor whose data do not fit its shape throws.
 */
export function writeSafetensors(
  path: string,
  tensors: readonly OutputTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const head = header(tensors, metadata);
  const size = tensors.reduce((sum, tensor) => sum + byteCount(tensor), head.byteLength);
  return writeAtomically(path, size, async (sink) => {
    const checksum = newChecksum();
    const write: Sink = async (chunk) => {
      for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
        const piece = chunk.subarray(at, at + PIECE_BYTES);
        // The system writes on threads of its own meanwhile.
        const written = sink(piece);
        checksum.update(piece);
        await written;
      }
    };
    await write(head);
    for (const tensor of tensors) await writeTensor(tensor, write);
    await sink(Buffer.from(checksum.digest("hex"), "latin1"), DIGITS_AT);
  });
}

/** Written and hashed at a time. Of 256 MiB, pieces of 4 MiB took 3.8 times as long (bench/RESULTS.md). */
export const PIECE_BYTES = 2 ** 18;

async function writeTensor(tensor: OutputTensor, sink: Sink): Promise<void> {
  const data = typeof tensor.data === "function" ? await tensor.data() : tensor.data;
  const bytes = encode(tensor, data);
  if (bytes.byteLength !== byteCount(tensor)) {
    throw new Error(
      `${tensor.name}: ${bytes.byteLength} bytes for shape [${tensor.shape.join(", ")}] of ${tensor.dtype}`,
    );
  }
  await sink(bytes);
}

function encode({ name, dtype }: OutputTensor, data: Float32Array | Uint8Array): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (dtype === "F32") return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === "BF16") return new Uint8Array(float32ToBfloat16(data).buffer);
  throw new Error(`${name}: float32 values are written as F32 or BF16, not ${dtype}`);
}

const byteCount = ({ shape, dtype }: OutputTensor): number =>
  shape.reduce((product, size) => product * size, dtypeSizes[dtype]);

/** The entries of an object in JSON, each behind a comma. */
const inner = (entries: object): string => {
  const text = JSON.stringify(entries).slice(1, -1);
  return text === "" ? "" : `,${text}`;
};

/** Length, then JSON padded with spaces so that the data begin at a multiple of 8. */
function header(tensors: readonly OutputTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  let end = 0;
  const entries = tensors.map((tensor) => {
    const start = end;
    end += byteCount(tensor);
    return [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [start, end] }] as const;
  });
  const [described, listed] = [inner(metadata), inner(Object.fromEntries(entries))];
  const json = Buffer.from(`${BLANK_OPENING}${described}}${listed}}`, "utf8");
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, " ");
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  return bytes;
}
