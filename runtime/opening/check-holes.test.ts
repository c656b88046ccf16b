import { open, rm } from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openSafetensors, writeSafetensors } from "../files/safetensors/index.ts";
import { checkHoles } from "./check-holes.ts";

const test = suite("holes in checkpoints");
const folder = mkdtempSync(join(tmpdir(), "ltxc-holes-"));
test.after(() => rm(folder, { recursive: true }));

const COUNT = 600;
const name = (i: number): string => `blocks.${String(i).padStart(3, "0")}.weight`;

/** A file of 600 weights, those of `holes` overwritten with zeros. */
async function codesOf(holes: readonly number[]) {
  const path = join(folder, "model.safetensors");
  const data = new Float32Array(16 * 32).fill(0.5);
  const tensors = Array.from(
    { length: COUNT },
    (_, i) => ({ name: name(i), dtype: "F32", shape: [16, 32], data }) as const,
  );
  await writeSafetensors(path, tensors);
  const file = await openSafetensors(path);
  await file.close();
  const handle = await open(path, "r+");
  for (const i of holes) await handle.write(Buffer.alloc(4 * data.length), 0, null, file.tensors.get(name(i))?.start);
  await handle.close();
  return checkHoles(path);
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test("a half that was never written, a piece in the middle, the last weights", async () => {
  for (const holes of [range(300, COUNT), range(200, 220), range(COUNT - 12, COUNT)]) {
    const [found, ...others] = await codesOf(holes);
    assert.is(found?.code, "LTX6255");
    assert.is(found?.severity, "warning");
    assert.match(found?.message ?? "", /`blocks\.\d+\.weight` is the first/);
    assert.equal(others, []);
  }
});

test("whole files, single weights of zeros and files of zeros alone say nothing", async () => {
  for (const holes of [[], [7], range(0, COUNT)]) assert.equal(await codesOf(holes), []);
});

test.run();
