import { fail } from "../../findings.ts";
import { CHECKSUM_KEY, checksumIn } from "./checksum.ts";

/** Bytes per element of each dtype of the format. */
export const dtypeSizes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  C64: 8,
  // Numbers of quantized tensors: such tensors may lie in parts of a file that a run does not read.
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  F6_E2M3: 0.75,
  F6_E3M2: 0.75,
  F4: 0.5,
} as const;

export type SafetensorsDType = keyof typeof dtypeSizes;

export interface TensorEntry {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Half-open range of bytes in the file. */
  readonly start: number;
  readonly end: number;
}

export interface Header {
  /** Without the checksum. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the data. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** What ltxc wrote of the file's content, in hexadecimal digits; null in other files. */
  readonly checksum: string | null;
}

/** The reference implementation's own limit. */
export const MAX_HEADER_BYTES = 100_000_000;

/**
 * Reads and checks a header: the ranges must be in the file, match shape times dtype, and cover the data without gap or overlap.
 * `dataStart` is where the data begin. Errors: FindingsError LTX6181, which names the file and the tensor.
 */
export function parseHeader(path: string, text: string, dataStart: number, fileSize: number): Header {
  const refuse = (why: string): never => broken(path, why);
  const json = parseJson(text) ?? refuse("its header is not a JSON object");
  const { [CHECKSUM_KEY]: _, ...metadata } = readMetadata(json["__metadata__"], refuse);
  const entries = Object.entries(json).filter(([name]) => name !== "__metadata__");
  const tensors = entries
    .map(([name, value]) => [name, readEntry(name, value, dataStart, refuse)] as const)
    .toSorted(([, a], [, b]) => a.start - b.start || a.end - b.end);
  checkCover(tensors, dataStart, fileSize, refuse);
  return { metadata, tensors: new Map(tensors), checksum: checksumIn(text) };
}

export function broken(path: string, why: string): never {
  fail(
    "LTX6181",
    `${path} is not a sound safetensors file: ${why}`,
    "download or write the file again; nothing of it was loaded",
  );
}

type Refuse = (why: string) => never;
type Json = Readonly<Record<string, unknown>>;

function parseJson(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readMetadata(value: unknown, refuse: Refuse): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isObject(value) || Object.values(value).some((text) => typeof text !== "string")) {
    return refuse("`__metadata__` is not a map of texts");
  }
  return value as Readonly<Record<string, string>>;
}

function readEntry(name: string, value: unknown, dataStart: number, refuse: Refuse): TensorEntry {
  const { dtype, shape, data_offsets: range } = isObject(value) ? value : {};
  if (typeof dtype !== "string" || !Object.hasOwn(dtypeSizes, dtype))
    return refuse(`tensor ${name} has the unknown dtype ${JSON.stringify(dtype)}`);
  if (!isCounts(shape)) return refuse(`tensor ${name} has no valid shape`);
  if (!isCounts(range) || range.length !== 2) return refuse(`tensor ${name} has no valid data_offsets`);
  const [start, end] = range as [number, number];
  const bytes = shape.reduce((product, size) => product * size, 1) * dtypeSizes[dtype as SafetensorsDType];
  if (!Number.isSafeInteger(bytes)) return refuse(`tensor ${name} of shape [${shape.join(", ")}] is too large`);
  if (end - start !== bytes) return refuse(`tensor ${name} needs ${bytes} bytes, its data_offsets span ${end - start}`);
  return { dtype: dtype as SafetensorsDType, shape, start: start + dataStart, end: end + dataStart };
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function checkCover(
  tensors: readonly (readonly [string, TensorEntry])[],
  dataStart: number,
  fileSize: number,
  refuse: Refuse,
): void {
  let at = dataStart;
  for (const [name, { start, end }] of tensors) {
    if (end > fileSize) refuse(`tensor ${name} ends at byte ${end}, the file at ${fileSize}; it may be cut off`);
    if (start < at) refuse(`tensor ${name} overlaps the one before it`);
    if (start > at) refuse(`there is a gap of ${start - at} bytes before tensor ${name}`);
    at = end;
  }
  if (at !== fileSize) refuse(`${fileSize - at} bytes after the last tensor belong to nothing`);
}
