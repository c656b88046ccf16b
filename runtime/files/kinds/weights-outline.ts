import { openFile, type OpenFile } from "../read-bytes.ts";

/** What the header of a safetensors file says of its tensors, sound or not, of known dtypes or not. */
export interface WeightsOutline {
  readonly metadata: Readonly<Record<string, string>>;
  /** The dtype of each tensor, as written. */
  readonly dtypes: ReadonlyMap<string, string>;
  /** The bytes that the file has by its header: up to the end of the last tensor. */
  readonly bytes: number;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads a header of `length` bytes; null where it is cut off or no JSON object. Errors: those of the system. */
export async function readOutline(path: string, length: number): Promise<WeightsOutline | null> {
  const file = await openFile(path);
  try {
    return await outlineOf(file, length);
  } finally {
    file.close();
  }
}

async function outlineOf(file: OpenFile, length: number): Promise<WeightsOutline | null> {
  const bytes = await file.read(8, length);
  const header = bytes.length === length ? parse(bytes.toString("utf8")) : null;
  if (header === null) return null;
  const { __metadata__: metadata, ...tensors } = header;
  const texts = Object.entries(isFields(metadata) ? metadata : {}).filter(([, text]) => typeof text === "string");
  const dtypes = Object.entries(tensors).map(
    ([name, entry]) => [name, String(isFields(entry) ? entry["dtype"] : "")] as const,
  );
  const ends = Object.values(tensors).map(endOf);
  return {
    metadata: Object.fromEntries(texts) as Record<string, string>,
    dtypes: new Map(dtypes),
    bytes: 8 + length + ends.reduce((a, b) => Math.max(a, b), 0),
  };
}

function parse(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

function endOf(entry: unknown): number {
  const range = isFields(entry) ? entry["data_offsets"] : null;
  const end: unknown = Array.isArray(range) ? range[1] : 0;
  return Number.isSafeInteger(end) ? (end as number) : 0;
}
