import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../../findings.ts";
import { byteEdits, edited, fuzzRuns } from "../../testing/byte-edits.ts";
import { toFloat32 } from "./contiguous.ts";
import { legacySample } from "../../testing/legacy-sample.ts";
import { readLegacy } from "./legacy.ts";
import { isTensor, refuseFile, type PtValue } from "./value.ts";

const test = suite("legacy");

/** Tensors as `storage [shape] values`, containers as they are. */
function shown(value: PtValue): unknown {
  if (isTensor(value)) return [value.storage, value.shape, [...toFloat32(value)]];
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, entry]) => [String(key), shown(entry)]));
  return Array.isArray(value) ? value.map((entry: PtValue) => shown(entry)) : value;
}

const read = (file: Buffer) => shown(readLegacy(file, refuseFile("x.pt")));

/** The code of the finding that refuses a file. */
function refusal(file: Buffer): string {
  try {
    read(file);
    return "accepted";
  } catch (error) {
    if (error instanceof FindingsError) return error.findings[0]?.code ?? "";
    throw error;
  }
}

test("every type of storage, views of a shared one, and containers are read", () => {
  assert.equal(read(legacySample), {
    base: ["float32", [3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    view: ["float32", [2, 2], [5, 6, 9, 10]],
    t: ["float32", [4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
    half: ["float16", [2], [1.5, -2.25]],
    bf: ["bfloat16", [2, 2], [1, 3, 2, 4]],
    long: ["int64", [2], [-5, 2 ** 40]],
    int: ["int32", [1], [7]],
    short: ["int16", [1], [-3]],
    char: ["int8", [1], [-1]],
    byte: ["uint8", [1], [255]],
    bool: ["bool", [2], [1, 0]],
    double: ["float64", [1], [Math.fround(0.1)]],
    empty: ["float32", [0, 3], []],
    scalar: ["float32", [], [2.5]],
    n: 3,
    f: 24.5,
    s: "caf\u00e9",
    none: null,
    list: [1, [2, 3]],
    od: { a: 1 },
  });
});

test("a file that is cut anywhere is refused", () => {
  for (let length = 0; length < legacySample.length; length++) {
    assert.is(refusal(legacySample.subarray(0, length)), "LTX6111", `cut at ${length}`);
  }
});

test("whatever is changed in a file, it is read or refused with a finding", () => {
  fc.assert(
    fc.property(byteEdits(legacySample), (edits) => {
      assert.match(refusal(edited(legacySample, edits)), /^(accepted|LTX611[1-4])$/);
    }),
    { numRuns: fuzzRuns },
  );
});

/** A stream like PyTorch's, put together of pickles that the caller writes. */
interface Parts {
  readonly magic?: string;
  readonly version?: string;
  readonly system?: string;
  readonly value?: string;
  readonly keys?: string;
  readonly storages?: string;
}

const pickle = (text: string) => `\x80\x02${text}.`;
const storage = "(X\x07\0\0\0storagectorch\nByteStorage\nX\x01\0\0\0aX\x03\0\0\0cpuK\x02NtQ";
const tensor = `ctorch._utils\n_rebuild_tensor_v2\n(${storage}K\0K\x02\x85K\x01\x85\x89}tR`;

function stream({
  magic = "\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19",
  version = "M\xe9\x03",
  system = "}X\r\0\0\0little_endian\x88s",
  value = tensor,
  keys = "]X\x01\0\0\0aa",
  storages = "\x02\0\0\0\0\0\0\0\x05\x06",
}: Parts): Buffer {
  return Buffer.from([magic, version, system, value, keys].map(pickle).join("") + storages, "latin1");
}

test("each part of the stream must be what it should be", () => {
  assert.equal(read(stream({})), ["uint8", [2], [5, 6]]);
  const refused: readonly Parts[] = [
    { magic: "\x8a\nl\xfc\x9cF\xf9 j\xa8P\x18" },
    { version: "M\xea\x03" },
    { system: "}X\r\0\0\0little_endian\x89s" },
    { keys: "]" },
    { keys: "N" },
    { keys: "]K\x01a" },
    { keys: "]X\x01\0\0\0ba" },
    { keys: "](X\x01\0\0\0aX\x01\0\0\0ae", storages: "\x02\0\0\0\0\0\0\0\x05\x06\x02\0\0\0\0\0\0\0\x05\x06" },
    { storages: "\x03\0\0\0\0\0\0\0\x05\x06\x07" },
    { storages: "\x02\0\0\0\0\0\0\0\x05" },
    { storages: "\x02\0\0\0" },
    { storages: "" },
  ];
  for (const parts of refused) assert.is(refusal(stream(parts)), "LTX6111", JSON.stringify(parts));
});

test.run();
