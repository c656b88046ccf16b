import type { Refuse } from "./value.ts";

/**
 * Lists the members of an archive that is in memory as a whole, as PKWARE's APPNOTE 6.3.10 describes it. Only what PyTorch writes is
 * accepted: members that are stored, in one file, with zip64 sizes where it likes. Everything else is refused, nothing is guessed.
 */
const MAX_ENTRIES = 10_000;

/** Sections 4.3.7, 4.3.12, 4.3.14, 4.3.15 and 4.3.16. */
const signatures = {
  member: 0x04034b50,
  entry: 0x02014b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  end: 0x06054b50,
} as const;
const END_BYTES = 22;
const LOCATOR64_BYTES = 20;
const ENTRY_BYTES = 46;
const MEMBER_BYTES = 30;
const MAX_COMMENT_BYTES = 65535;
/** A field that is too small for its value says so by these, and a zip64 field has the value. */
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;

interface Entry {
  readonly name: string;
  /** Of the member's own header. */
  readonly offset: number;
  readonly size: number;
  readonly crc: number;
  /** Of the next entry. */
  readonly next: number;
}

/** A member's bytes, and what the archive says of them. */
export interface Member {
  readonly bytes: Buffer;
  /** CRC-32; 0 as well where PyTorch was told to compute none. */
  readonly crc: number;
}

/**
 * The members by name, each within the file and none over another.
 * Errors: FindingsError LTX6111 (broken or cut off), LTX6113 (compressed, or too many).
 */
export function listMembers(file: Buffer, refuse: Refuse): Map<string, Member> {
  const broken: Broken = (why) => refuse("LTX6111", `the archive is broken or cut off (${why})`);
  try {
    return new Directory(file, refuse, broken).members();
  } catch (error) {
    if (error instanceof RangeError) return broken("a header ends beyond the file");
    throw error;
  }
}

type Broken = (why: string) => never;

/** Reading beyond the file's end throws a RangeError. */
class Directory {
  readonly #file: Buffer;
  readonly #refuse: Refuse;
  readonly #broken: Broken;

  constructor(file: Buffer, refuse: Refuse, broken: Broken) {
    this.#file = file;
    this.#refuse = refuse;
    this.#broken = broken;
  }

  members(): Map<string, Member> {
    const { count, offset } = this.#end();
    if (count > MAX_ENTRIES) this.#refuse("LTX6113", `the archive has ${count} entries`);
    const members = new Map<string, Member>();
    const ranges: { readonly name: string; readonly from: number; readonly to: number }[] = [];
    let at = offset;
    for (let i = 0; i < count; i++) {
      const { name, offset: from, size, crc, next } = this.#entry(at);
      const start = this.#dataStart(from);
      if (members.has(name)) this.#broken(`it has two entries ${name}`);
      members.set(name, { bytes: this.#file.subarray(start, start + size), crc });
      ranges.push({ name, from, to: start + size });
      at = next;
    }
    this.#checkRanges(ranges, offset);
    return members;
  }

  /** Members lie before the directory. */
  #checkRanges(ranges: readonly { name: string; from: number; to: number }[], directory: number): void {
    let end = 0;
    for (const { name, from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
      if (from < end) this.#broken(`its entry ${name} overlaps another`);
      if (to > directory) this.#broken(`its entry ${name} ends beyond the data`);
      end = to;
    }
  }

  /** How many entries there are and where the first one is. */
  #end(): { readonly count: number; readonly offset: number } {
    const at = this.#findEnd();
    const [count, offset] = [this.#file.readUInt16LE(at + 10), this.#file.readUInt32LE(at + 16)];
    if (count !== FULL_16 && offset !== FULL_32) return { count, offset };
    const locator = at - LOCATOR64_BYTES;
    this.#expect(locator, signatures.locator64);
    const end64 = this.#long(locator + 8);
    this.#expect(end64, signatures.end64);
    return { count: this.#long(end64 + 32), offset: this.#long(end64 + 48) };
  }

  /** The record at the end, behind which there is only its comment. */
  #findEnd(): number {
    const last = this.#file.length - END_BYTES;
    for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
      const isEnd = this.#file.readUInt32LE(at) === signatures.end;
      if (isEnd && this.#file.readUInt16LE(at + 20) === last - at) return at;
    }
    return this.#broken("it has no directory");
  }

  #entry(at: number): Entry {
    this.#expect(at, signatures.entry);
    const file = this.#file;
    const nameEnd = at + ENTRY_BYTES + file.readUInt16LE(at + 28);
    const extraEnd = nameEnd + file.readUInt16LE(at + 30);
    const name = file.toString("utf8", at + ENTRY_BYTES, nameEnd);
    const wide = this.#wideFields(nameEnd, extraEnd);
    // In the order in which a zip64 field has what of them does not fit.
    const [size = 0, stored = 0, offset = 0] = [24, 20, 42].map((field) => {
      const value = file.readUInt32LE(at + field);
      return value === FULL_32 ? (wide.shift() ?? value) : value;
    });
    const isEncrypted = (file.readUInt16LE(at + 8) & 1) === 1;
    if (file.readUInt16LE(at + 10) !== 0 || isEncrypted || size !== stored) {
      const help = "save the file with PyTorch again";
      this.#refuse("LTX6113", `${name} is compressed; data files are not`, help);
    }
    return { name, offset, size, crc: file.readUInt32LE(at + 16), next: extraEnd + file.readUInt16LE(at + 32) };
  }

  /** The numbers of an entry's zip64 field, section 4.5.3; none where it has none. */
  #wideFields(start: number, end: number): number[] {
    for (let at = start; at + 4 <= end;) {
      const size = this.#file.readUInt16LE(at + 2);
      const isWide = this.#file.readUInt16LE(at) === 1;
      if (isWide) return Array.from({ length: Math.min(3, size >> 3) }, (_, i) => this.#long(at + 4 + 8 * i));
      at += 4 + size;
    }
    return [];
  }

  /** Padding in the member's own header moves its data, so the directory can not tell. */
  #dataStart(at: number): number {
    this.#expect(at, signatures.member);
    return at + MEMBER_BYTES + this.#file.readUInt16LE(at + 26) + this.#file.readUInt16LE(at + 28);
  }

  #expect(at: number, signature: number): void {
    if (this.#file.readUInt32LE(at) !== signature) this.#broken(`no header where one should be, at byte ${at}`);
  }

  #long(at: number): number {
    const value = Number(this.#file.readBigUInt64LE(at));
    return Number.isSafeInteger(value) ? value : this.#broken("a size is beyond every file");
  }
}
