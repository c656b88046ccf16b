import type { FileHandle } from "node:fs/promises";
import { fromFd, type Entry, type ZipFile } from "yauzl";
import { readBytes } from "./bytes.ts";
import { MAX_PICKLE_BYTES, unpickle } from "./pickle.ts";
import { storageBytes, type PtValue, type Refuse } from "./value.ts";

const MAX_ENTRIES = 10_000;

interface Member {
  readonly start: number;
  readonly size: number;
}

/** The zip format: `<top>/data.pkl` describes, `<top>/data/<key>` hold the storages, uncompressed. */
export async function readArchive(file: FileHandle, fileSize: number, refuse: Refuse): Promise<PtValue> {
  const members = await listMembers(file, fileSize, refuse);
  const name = [...members.keys()].find((key) => /^[^/]+\/data\.pkl$/.test(key)) ?? "";
  const top = name.slice(0, -"data.pkl".length);
  const read = async (key: string, limit: number): Promise<Buffer> => {
    const member = members.get(key) ?? refuse("LTX6111", `the archive has no ${key || "data.pkl"}`);
    if (member.size > limit) refuse("LTX6113", `${key} has ${member.size} bytes, at most ${limit} are accepted`);
    return readBytes(file, member.start, member.size);
  };
  if (members.has(`${top}byteorder`) && (await read(`${top}byteorder`, 16)).toString("latin1") !== "little") {
    refuse("LTX6111", "its numbers are big-endian", "write the file on a little-endian machine");
  }
  const { value, storages } = unpickle(await read(name, MAX_PICKLE_BYTES), refuse);
  for (const storage of storages.values()) {
    const key = `${top}data/${storage.key}`;
    const needed = storage.length * storageBytes[storage.type];
    const size = members.get(key)?.size;
    if (size !== undefined && size < needed) refuse("LTX6114", `${key} has ${size} bytes, ${needed} are needed`);
    storage.bytes = await read(key, fileSize);
  }
  return value;
}

/** The members by name, each within the file and none over another. */
async function listMembers(file: FileHandle, fileSize: number, refuse: Refuse): Promise<Map<string, Member>> {
  const broken = (error: unknown): never =>
    refuse("LTX6111", `the archive is broken or cut off (${error instanceof Error ? error.message : "unknown"})`);
  const zip = await openZip(file).catch(broken);
  if (zip.entryCount > MAX_ENTRIES) refuse("LTX6113", `the archive has ${zip.entryCount} entries`);
  const members = new Map<string, Member>();
  for (const entry of await listEntries(zip).catch(broken)) {
    if (entry.compressionMethod !== 0 || entry.isEncrypted() || entry.compressedSize !== entry.uncompressedSize) {
      refuse("LTX6113", `${entry.fileName} is compressed; data files are not`, "save the file with PyTorch again");
    }
    if (members.has(entry.fileName)) refuse("LTX6111", `the archive has two entries ${entry.fileName}`);
    const start = await dataStart(zip, entry).catch(broken);
    members.set(entry.fileName, { start, size: entry.uncompressedSize });
  }
  let end = 0;
  for (const [name, { start, size }] of [...members].toSorted(([, a], [, b]) => a.start - b.start)) {
    if (start < end) refuse("LTX6111", `the archive's entry ${name} overlaps another`);
    end = start + size;
    if (end > fileSize) refuse("LTX6111", `the archive's entry ${name} ends beyond the file`);
  }
  return members;
}

function openZip(file: FileHandle): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    fromFd(file.fd, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(error) : resolve(zip)));
  });
}

function listEntries(zip: ZipFile): Promise<Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    zip.on("error", reject);
    zip.on("end", () => resolve(entries));
    zip.on("entry", (entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

/** Padding in the local header moves the data, so the central directory can not tell. */
function dataStart(zip: ZipFile, entry: Entry): Promise<number> {
  return new Promise((resolve, reject) => {
    zip.readLocalFileHeader(entry, { minimal: true }, (error, header) =>
      error ? reject(error) : resolve(header.fileDataStart),
    );
  });
}
