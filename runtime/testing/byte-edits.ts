import fc from "fast-check";

/** A change of a file's bytes: some are taken out at a place, others put there. */
interface ByteEdit {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** Instructions of pickles, sizes at their limits, names that are allowed and one that is not, and headers of archives. */
const pieces = [
  ..."().0Q RajqrhutseNK]}X\x85\x86\x87\x88\x89\x8a\x80\x94\x93",
  "\xff\xff\xff\xff",
  "\xff\xff\xff\x7f",
  "cos\nsystem\n",
  "ctorch\nIntStorage\n",
  "PK\x01\x02",
  "PK\x03\x04",
  "PK\x05\x06",
  "PK\x06\x06",
  "PK\x06\x07",
].map(latin1);

/** Up to four edits of `file`, pieces of the file itself included. */
export function byteEdits(file: Buffer): fc.Arbitrary<readonly ByteEdit[]> {
  const copied = fc.nat(file.length - 1).map((from) => file.subarray(from, from + 40));
  const insert = fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.constantFrom(...pieces), copied);
  const edit = fc.record({ at: fc.nat(file.length), remove: fc.constantFrom(0, 1, 1, 2, 4, 8, 40), insert });
  return fc.array(edit, { minLength: 1, maxLength: 4 });
}

export const edited = (file: Buffer, edits: readonly ByteEdit[]): Buffer =>
  edits.reduce((bytes, { at, remove, insert }) => {
    return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
  }, file);

/** Copies of `file` with one bit flipped, spread over all of it. */
export function* bitFlips(file: Buffer, count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) {
    const bit = Math.floor((i * 8 * file.length) / count) + (i % 8);
    const copy = Buffer.from(file);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield copy;
  }
}

/** How often a test changes a file: `FUZZ_RUNS` where it is set. */
export const fuzzRuns = Number(process.env["FUZZ_RUNS"] ?? 2000);
