import type { StorageType } from "../../contract.ts";
import { openFile, type OpenFile } from "../read-bytes.ts";
import { unpickle } from "./pickle.ts";
import { readPt } from "./read.ts";
import { isTensor, refuseFile, type PtValue } from "./value.ts";

/** Where PyTorch writes the description: in the first member, which is a few hundred bytes long. */
const HEAD_BYTES = 8192;

/** A tensor without its contents, or a whole number, which stands for its own shape and has no storage. */
export interface EntryType {
  readonly shape: readonly number[];
  readonly storage: StorageType | null;
}

/**
 * Shapes and storage types of the tensors of a file's dictionary, and its whole numbers, without the tensors' contents: one small read
 * for files as `torch.save` writes them. Anything unusual is read as a whole.
 * Errors: those of `readPt`.
 */
export async function readTypes(path: string): Promise<ReadonlyMap<string, EntryType>> {
  return typesOf((await readDescription(path)) ?? (await readPt(path)));
}

function typesOf(value: PtValue): Map<string, EntryType> {
  const entries: ReadonlyMap<PtValue, PtValue> = value instanceof Map ? value : new Map();
  return new Map(
    [...entries].flatMap(([key, entry]): [string, EntryType][] => {
      if (isTensor(entry)) return [[String(key), { shape: entry.shape, storage: entry.storage }]];
      return typeof entry === "number" ? [[String(key), { shape: [entry], storage: null }]] : [];
    }),
  );
}

/** What a file holds, with empty storages, from one small read; null where only reading the whole file tells. */
export async function readDescription(path: string): Promise<PtValue | null> {
  let file: OpenFile | null = null;
  try {
    file = await openFile(path);
    const head = await file.read(0, HEAD_BYTES);
    const start = descriptionStart(head);
    return start === null ? null : unpickle(head, refuseFile(path), start).value;
  } catch {
    // Reading the whole file says what is wrong with it.
    return null;
  } finally {
    file?.close();
  }
}

/** Behind the local header of a first member `<top>/data.pkl` that is not compressed (PKWARE's APPNOTE, 4.3.7). */
function descriptionStart(head: Buffer): number | null {
  if (head.length < 30 || head.readUInt32LE(0) !== 0x04034b50 || head.readUInt16LE(8) !== 0) return null;
  const nameEnd = 30 + head.readUInt16LE(26);
  const isDescription = head.toString("latin1", 30, nameEnd).endsWith("/data.pkl");
  return isDescription ? nameEnd + head.readUInt16LE(28) : null;
}
