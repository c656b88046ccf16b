import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Sample } from "../data/dataset.ts";
import { writePt } from "../files/pt/index.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { brokenSamples } from "./broken-samples.ts";

const test = suite("broken samples");
const folder = temporaryFolders(test, "broken");

test("every broken file is found, of many samples, and a file of two roles once", async () => {
  const root = await folder();
  const whole = join(root, "whole.pt");
  await writePt(whole, { n: 1 });
  const cut = join(root, "cut.pt");
  await writeFile(cut, (await readFile(whole)).subarray(0, -30));
  const samples: Sample[] = Array.from({ length: 150 }, (_, i) => ({ name: `${i}.pt`, files: { latents: whole } }));
  samples.push({ name: "x.pt", files: { latents: cut, same: cut, gone: join(root, "gone.pt") } });
  const broken = await brokenSamples(samples);
  assert.equal(
    [...broken.keys()].map(({ name }) => name),
    ["x.pt"],
  );
  assert.equal([...broken.values()].flatMap(({ findings }) => findings.map(({ code }) => code)).toSorted(), [
    "LTX6110",
    "LTX6111",
  ]);
});

test.run();
