import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../../findings.ts";
import { bitFlips, byteEdits, edited, fuzzRuns } from "../../testing/byte-edits.ts";
import { toFloat32 } from "./contiguous.ts";
import { isTensor, refuseFile, type PtValue } from "./value.ts";
import { writePt } from "./write.ts";
import { readArchive } from "./zip.ts";

const test = suite("zip");

async function archive(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "zip-"));
  const path = join(folder, "clip.pt");
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  await writePt(path, {
    latents: { shape: [2, 3], storage: "bfloat16", values },
    mask: { shape: [6], storage: "int64", values },
    fps: { float: 24 },
    name: "clip",
  });
  const file = await readFile(path);
  await rm(folder, { recursive: true });
  return file;
}

/** Reads all numbers; the code of the finding that refuses a file. */
function outcome(file: Buffer): string {
  try {
    const value: PtValue = readArchive(file, refuseFile("x.pt"));
    if (value instanceof Map) [...value.values()].filter(isTensor).forEach((tensor) => toFloat32(tensor));
    return "accepted";
  } catch (error) {
    if (error instanceof FindingsError) return error.findings[0]?.code ?? "";
    throw error;
  }
}

/** The archive as PyTorch writes it when it is told to compute no checksums: changes get past them. */
function withoutChecksums(file: Buffer): Buffer {
  const copy = Buffer.from(file);
  for (let at = copy.indexOf("PK\x01\x02"); at >= 0; at = copy.indexOf("PK\x01\x02", at + 1))
    copy.writeUInt32LE(0, at + 16);
  return copy;
}

test("a changed member is refused by its checksum, unless the archive has none", async () => {
  const file = await archive();
  const at = file.indexOf("archive/data/0");
  const changed = Buffer.from(file);
  changed[at + 80] = (changed[at + 80] ?? 0) ^ 1;
  assert.is(outcome(changed), "LTX6151");
  assert.is(outcome(withoutChecksums(changed)), "accepted");
});

test("a single bit that flips is noticed, or changes nothing that is read", async () => {
  const file = await archive();
  const content = (bytes: Buffer) => {
    const value = readArchive(bytes, refuseFile("x.pt"));
    assert.instance(value, Map);
    const entries = [...(value as ReadonlyMap<PtValue, PtValue>)];
    return entries.map(([key, entry]) => [key, isTensor(entry) ? [entry.shape, [...toFloat32(entry)]] : entry]);
  };
  const whole = content(file);
  let noticed = 0;
  for (const flipped of bitFlips(file, 1000)) {
    if (outcome(flipped) === "accepted") assert.equal(content(flipped), whole);
    else noticed++;
  }
  assert.ok(noticed > 200, String(noticed));
});

test("whatever is changed in an archive, it is read or refused with a finding", async () => {
  const file = withoutChecksums(await archive());
  assert.is(outcome(file), "accepted");
  fc.assert(
    fc.property(byteEdits(file), (edits) => {
      assert.match(outcome(edited(file, edits)), /^(accepted|LTX611[1-4]|LTX6151)$/);
    }),
    { numRuns: fuzzRuns },
  );
});

test.run();
