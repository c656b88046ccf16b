import { crc32 } from "./crc32.ts";

interface MemberToWrite {
  readonly name: string;
  readonly data: Uint8Array;
}

/** PyTorch aligns storages, so that they can be mapped into memory. */
const ALIGNMENT = 64;

/** The chunks of a zip archive of stored members, without zip64: up to 4 GB. */
export function zipStored(members: readonly MemberToWrite[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, data } of members) {
    const fields = common(name, data);
    const unpadded = at + 30 + name.length + 4;
    const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT;
    directory.push(centralHeader(fields, name, at));
    chunks.push(localHeader(fields, name, padding), data);
    at = unpadded + padding + data.byteLength;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  if (at + size > 0xffffffff) throw new RangeError("an archive of more than 4 GB");
  return [...chunks, ...directory, endRecord(members.length, size, at)];
}

/** Version, flags, method, time, date (1980-01-01), checksum, sizes and the name's length: shared by both headers. */
function common(name: string, data: Uint8Array): Buffer {
  const fields = Buffer.alloc(24);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(33, 8);
  fields.writeUInt32LE(crc32(data), 10);
  fields.writeUInt32LE(data.byteLength, 14);
  fields.writeUInt32LE(data.byteLength, 18);
  fields.writeUInt16LE(name.length, 22);
  return fields;
}

function localHeader(fields: Buffer, name: string, padding: number): Buffer {
  const extra = Buffer.alloc(2 + 4 + padding);
  extra.writeUInt16LE(4 + padding, 0);
  // An extra field of PyTorch's own id, whose content is padding.
  extra.write("FB", 2, "latin1");
  extra.writeUInt16LE(padding, 4);
  const [length, field] = [extra.subarray(0, 2), extra.subarray(2)];
  return Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), fields, length, Buffer.from(name, "latin1"), field]);
}

function centralHeader(fields: Buffer, name: string, at: number): Buffer {
  const rest = Buffer.alloc(16);
  rest.writeUInt32LE(at, 12);
  const version = Buffer.from([20, 0]);
  return Buffer.concat([Buffer.from("PK\x01\x02", "latin1"), version, fields, rest, Buffer.from(name, "latin1")]);
}

function endRecord(count: number, size: number, at: number): Buffer {
  const record = Buffer.alloc(22);
  record.write("PK\x05\x06", 0, "latin1");
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(at, 16);
  return record;
}
