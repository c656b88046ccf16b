import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../../findings.ts";
import { refuseFile } from "./value.ts";
import { listMembers, type Member } from "./zip-directory.ts";
import { zipStored } from "./zip-writer.ts";

const test = suite("zip-directory");

const text = (members: ReadonlyMap<string, Member>) =>
  Object.fromEntries([...members].map(([name, { bytes }]) => [name, bytes.toString("latin1")]));

const two = () =>
  Buffer.concat(
    zipStored([
      { name: "a/data.pkl", data: Buffer.from("first") },
      { name: "a/data/0", data: Buffer.from("second") },
    ]),
  );

function refusal(file: Buffer): string {
  try {
    listMembers(file, refuseFile("x.pt"));
    return "accepted";
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    const [finding] = error.findings;
    return `${finding?.code} ${finding?.message}`;
  }
}

/** The same archive with its sizes and places in zip64 fields, as PyTorch writes files of 4 GiB and more. */
function asZip64(file: Buffer): Buffer {
  const end = file.lastIndexOf("PK\x05\x06", undefined, "latin1");
  const start = file.readUInt32LE(end + 16);
  const entries: Buffer[] = [];
  for (let at = start; at < end;) {
    const nameLength = file.readUInt16LE(at + 28);
    const extraLength = file.readUInt16LE(at + 30);
    const header = Buffer.from(file.subarray(at, at + 46 + nameLength));
    const other = Buffer.from([0xfe, 0xca, 2, 0, 7, 7]);
    const wide = Buffer.alloc(28);
    wide.writeUInt16LE(1, 0);
    wide.writeUInt16LE(24, 2);
    for (const [i, field] of [24, 20, 42].entries()) {
      wide.writeBigUInt64LE(BigInt(header.readUInt32LE(field)), 4 + 8 * i);
      header.writeUInt32LE(0xffffffff, field);
    }
    header.writeUInt16LE(other.length + wide.length, 30);
    entries.push(header, other, wide);
    at += 46 + nameLength + extraLength;
  }
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(2n, 32);
  end64.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + entries.reduce((sum, { length }) => sum + length, 0)), 8);
  const last = Buffer.from(file.subarray(end));
  last.writeUInt16LE(0xffff, 10);
  last.writeUInt32LE(0xffffffff, 16);
  return Buffer.concat([file.subarray(0, start), ...entries, end64, locator, last]);
}

test("members are listed by name, whatever stands behind the directory as its comment", () => {
  const expected = { "a/data.pkl": "first", "a/data/0": "second" };
  assert.equal(text(listMembers(two(), refuseFile("x.pt"))), expected);
  const commented = Buffer.concat([two(), Buffer.from("PK\x05\x06 is no end", "latin1")]);
  commented.writeUInt16LE(14, two().length - 2);
  assert.equal(text(listMembers(commented, refuseFile("x.pt"))), expected);
});

test("entries may have comments", () => {
  const file = two();
  const [first, end] = ["PK\x01\x02", "PK\x05\x06"].map((mark) => file.indexOf(mark, 0, "latin1"));
  if (first === undefined || end === undefined) return assert.unreachable();
  const next = first + 46 + file.readUInt16LE(first + 28) + file.readUInt16LE(first + 30);
  file.writeUInt16LE(3, first + 32);
  const commented = Buffer.concat([file.subarray(0, next), Buffer.from("abc"), file.subarray(next)]);
  assert.equal(text(listMembers(commented, refuseFile("x.pt"))), { "a/data.pkl": "first", "a/data/0": "second" });
});

test("zip64 fields count where the plain ones are full", () => {
  assert.equal(text(listMembers(asZip64(two()), refuseFile("x.pt"))), { "a/data.pkl": "first", "a/data/0": "second" });
  const beyond = asZip64(two());
  beyond.writeBigUInt64LE(2n ** 60n, beyond.indexOf("PK\x06\x06", 0, "latin1") + 48);
  assert.match(refusal(beyond), /^LTX6111 .*a size is beyond every file/);
  const lost = asZip64(two());
  lost.writeBigUInt64LE(7n, lost.indexOf("PK\x06\x07", 0, "latin1") + 8);
  assert.match(refusal(lost), /^LTX6111 .*no header where one should be, at byte 7/);
});

test("what does not lie where it should is refused", () => {
  const central = two().indexOf("PK\x01\x02", 0, "latin1");
  const change = (at: number, value: number) => {
    const file = two();
    file.writeUInt32LE(value, at);
    return refusal(file);
  };
  assert.match(change(central + 42, 3), /no header where one should be, at byte 3/);
  assert.match(change(central + 42, 0xfffffff), /a header ends beyond the file/);
  assert.match(refusal(Buffer.alloc(100)), /^LTX6111 .*it has no directory/);
  assert.match(refusal(Buffer.alloc(3)), /^LTX6111 .*it has no directory/);
});

test("members overlap neither each other nor the directory", () => {
  const file = two();
  const central = file.indexOf("PK\x01\x02", 0, "latin1");
  for (const field of [20, 24]) file.writeUInt32LE(60, central + field);
  assert.match(refusal(file), /^LTX6111 .*overlaps another/);
  const second = file.lastIndexOf("PK\x01\x02", undefined, "latin1");
  const other = two();
  for (const field of [20, 24]) other.writeUInt32LE(1000, second + field);
  assert.match(refusal(other), /^LTX6111 .*a\/data\/0 ends beyond the data/);
  const twice = Buffer.concat(
    zipStored([
      { name: "a/x", data: Buffer.from("1") },
      { name: "a/x", data: Buffer.from("2") },
    ]),
  );
  assert.match(refusal(twice), /^LTX6111 .*two entries a\/x/);
});

test("encrypted members and endless lists are refused", () => {
  const file = two();
  file.writeUInt16LE(1, file.indexOf("PK\x01\x02", 0, "latin1") + 8);
  assert.match(refusal(file), /^LTX6113 .*a\/data.pkl is compressed/);
  const long = two();
  long.writeUInt16LE(60_000, long.lastIndexOf("PK\x05\x06", undefined, "latin1") + 10);
  assert.match(refusal(long), /^LTX6113 .*has 60000 entries/);
});

test.run();
