import type { FileHandle } from "node:fs/promises";
import { readBytes } from "./bytes.ts";
import { MAX_PICKLE_BYTES, unpickle } from "./pickle.ts";
import { storageBytes, type PtValue, type Refuse } from "./value.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** The older format: magic number, version, system, the object and its storages' keys as five pickles, then the storages. */
export async function readLegacy(file: FileHandle, fileSize: number, refuse: Refuse): Promise<PtValue> {
  const head = await readBytes(file, 0, Math.min(fileSize, 2 * MAX_PICKLE_BYTES));
  // The magic number's own pickle: a bare pickle, or any other file, is refused before it is read on.
  if (head.length < 13 || head[0] !== 0x80 || head[2] !== 0x8a) refuse("LTX6111", "it is not a file of torch.save");
  const magic = unpickle(head, refuse);
  if (magic.value !== MAGIC) refuse("LTX6111", "it is not a file of torch.save");
  const version = unpickle(head, refuse, magic.end);
  if (version.value !== VERSION) refuse("LTX6111", "its format version is unknown");
  const system = unpickle(head, refuse, version.end);
  if (system.value instanceof Map && (system.value as ReadonlyMap<PtValue, PtValue>).get("little_endian") === false) {
    refuse("LTX6111", "its numbers are big-endian", "write the file on a little-endian machine");
  }
  const { value, storages, end } = unpickle(head, refuse, system.end);
  const keys = unpickle(head, refuse, end);
  let at = keys.end;
  const seen = new Set<PtValue>();
  for (const key of Array.isArray(keys.value) ? (keys.value as readonly PtValue[]) : []) {
    if (typeof key !== "string") return refuse("LTX6111", "a storage has no name");
    const storage = storages.get(key) ?? refuse("LTX6111", `storage ${key} belongs to no tensor`);
    const header = await readBytes(file, at, 8);
    const size = storage.length * storageBytes[storage.type];
    if (seen.has(key) || at + 8 + size > fileSize || header.readBigInt64LE() !== BigInt(storage.length)) {
      refuse("LTX6111", `storage ${key} is cut off or has another size than described`);
    }
    seen.add(key);
    storage.bytes = await readBytes(file, at + 8, size);
    at += 8 + size;
  }
  if (seen.size !== storages.size) refuse("LTX6111", "it lacks storages that its tensors need");
  return value;
}
