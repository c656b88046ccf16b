/** A checkpoint of a real size that is written as fast as the disk takes it: its random numbers come from one small table, again and again. */
import { open } from "node:fs/promises";
import { float32ToBfloat16 } from "../runtime/files/number-formats.ts";
import { transformer, vae } from "../bin/init/model-config.ts";
import { distribution, randomModelLayout } from "../runtime/model/random-model.ts";
import { normal } from "../runtime/random/philox.ts";

/** No divisor of a row's width, so that rows differ. */
const TABLE = 2 ** 20 + 7;

const BYTES_PER_NUMBER = 2;

/**
 * Writes tensors and metadata as `writeModel` does, with other numbers, and without a checksum.
 * @param rows how many rows of a block's matrices are random, from the first on. The others are zeros that the file system does not store;
 *   with 128 rows a head of each attention is whole, and every block has a gradient.
 */
export async function writeRepeatingModel(
  path: string,
  changed: Readonly<Record<string, unknown>>,
  rows = Infinity,
): Promise<void> {
  const { parameters, metadata } = randomModelLayout({ ...transformer, ...changed }, { vae });
  let end = 0;
  const entries = parameters.map(({ name, shape }) => {
    const start = end;
    end += sizeOf(shape);
    return [name, { dtype: "BF16", shape, data_offsets: [start, end] }] as const;
  });
  const text = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const tables = new Map<string, Uint8Array>();
  const file = await open(path, "w");
  try {
    await file.writev([length, header]);
    for (const [name, { shape, data_offsets }] of entries) {
      const [deviation, mean] = distribution({ name, shape });
      const numbers = tables.get(`${deviation} ${mean}`) ?? tableOf(deviation, mean);
      tables.set(`${deviation} ${mean}`, numbers);
      const isCut = name.includes("transformer_blocks") && shape.length === 2 && (shape[0] ?? 0) > rows;
      const bytes = Buffer.alloc(isCut ? sizeOf([rows, ...shape.slice(1)]) : sizeOf(shape), numbers);
      await file.write(bytes, 0, bytes.length, 8 + header.length + data_offsets[0]);
    }
    await file.truncate(8 + header.length + end);
  } finally {
    await file.close();
  }
}

/** Normally distributed numbers in bfloat16. */
function tableOf(deviation: number, mean: number): Uint8Array {
  const numbers = normal({ seed: 0, step: 0, microBatch: 0, name: "table" }, TABLE);
  return new Uint8Array(float32ToBfloat16(numbers.map((x) => mean + deviation * x)).buffer);
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, BYTES_PER_NUMBER);
