import { MAX_PICKLE_BYTES, unpickle } from "./pickle.ts";
import { crc32 } from "./crc32.ts";
import { storageBytes, type PtValue, type Refuse } from "./value.ts";
import { listMembers } from "./zip-directory.ts";

/**
 * The zip format: `<top>/data.pkl` describes, `<top>/data/<key>` hold the storages, uncompressed. Storages are views of `file`. What is
 * read is compared with its checksum.
 */
export function readArchive(file: Buffer, refuse: Refuse): PtValue {
  const members = listMembers(file, refuse);
  const name = [...members.keys()].find((key) => /^[^/]+\/data\.pkl$/.test(key)) ?? "";
  const top = name.slice(0, -"data.pkl".length);
  const read = (key: string): Buffer => {
    const { bytes, crc } = members.get(key) ?? refuse("LTX6111", `the archive has no ${key || "data.pkl"}`);
    if (crc !== 0 && crc32(bytes) !== crc) refuse("LTX6151", `it is damaged: the checksum of ${key} is wrong`);
    return bytes;
  };
  if (members.has(`${top}byteorder`) && read(`${top}byteorder`).toString("latin1") !== "little") {
    refuse("LTX6111", "its numbers are big-endian", "write the file on a little-endian machine");
  }
  const description = read(name);
  if (description.length > MAX_PICKLE_BYTES) {
    refuse("LTX6113", `${name} has ${description.length} bytes, at most ${MAX_PICKLE_BYTES} are accepted`);
  }
  const { value, storages } = unpickle(description, refuse);
  for (const storage of storages.values()) {
    const key = `${top}data/${storage.key}`;
    const needed = storage.length * storageBytes[storage.type];
    storage.bytes = read(key);
    const size = storage.bytes.byteLength;
    if (size < needed) refuse("LTX6114", `${key} has ${size} bytes, ${needed} are needed`);
  }
  return value;
}
