import { unpickle } from "./pickle.ts";
import { storageBytes, type PtValue, type Refuse } from "./value.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/**
 * The older format: magic number, version, system, the object and its storages' keys as five pickles, then the storages, each behind
 * its length. Storages are views of `file`.
 */
export function readLegacy(file: Buffer, refuse: Refuse): PtValue {
  const { value, storages, keys, end } = readFront(file, refuse);
  let at = end;
  const seen = new Set<PtValue>();
  for (const key of keys) {
    if (typeof key !== "string") return refuse("LTX6111", "a storage has no name");
    const storage = storages.get(key) ?? refuse("LTX6111", `storage ${key} belongs to no tensor`);
    const next = at + 8 + storage.length * storageBytes[storage.type];
    if (seen.has(key) || next > file.length || file.readBigInt64LE(at) !== BigInt(storage.length)) {
      refuse("LTX6111", `storage ${key} is cut off or has another size than described`);
    }
    seen.add(key);
    storage.bytes = file.subarray(at + 8, next);
    at = next;
  }
  if (seen.size !== storages.size) refuse("LTX6111", "it lacks storages that its tensors need");
  return value;
}

/** The bytes that a file has whose pickles are all in `head`. Errors: those of `readLegacy`; of a longer front, that it is cut off. */
export function legacySize(head: Buffer, refuse: Refuse): number {
  const { storages, end } = readFront(head, refuse);
  return [...storages.values()].reduce((at, { length, type }) => at + 8 + length * storageBytes[type], end);
}

/** The five pickles. */
function readFront(file: Buffer, refuse: Refuse) {
  // The magic number's own pickle: a bare pickle, or any other file, is refused before it is read on.
  if (file.length < 13 || file[0] !== 0x80 || file[2] !== 0x8a) refuse("LTX6111", "it is not a file of torch.save");
  const magic = unpickle(file, refuse);
  if (magic.value !== MAGIC) refuse("LTX6111", "it is not a file of torch.save");
  const version = unpickle(file, refuse, magic.end);
  if (version.value !== VERSION) refuse("LTX6111", "its format version is unknown");
  const system = unpickle(file, refuse, version.end);
  if (system.value instanceof Map && (system.value as ReadonlyMap<PtValue, PtValue>).get("little_endian") === false) {
    refuse("LTX6111", "its numbers are big-endian", "write the file on a little-endian machine");
  }
  const { value, storages, end } = unpickle(file, refuse, system.end);
  const keys = unpickle(file, refuse, end);
  return {
    value,
    storages,
    keys: Array.isArray(keys.value) ? (keys.value as readonly PtValue[]) : [],
    end: keys.end,
  };
}
