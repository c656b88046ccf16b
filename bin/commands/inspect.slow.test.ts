import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Inspection } from "../inspect/inspection.ts";
import { inFolder, strategy, withoutLevels } from "../testing/looked-at.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("ltxc inspect, many draws");

test("the same seed draws the same, another one something else", async () => {
  await inFolder(async (cwd) => {
    const run = (seed: string) => ltxc(["inspect", "looked_at.strategy", "--json", "--seed", seed], { cwd });
    const [first, again] = [await run("1"), await run("1")];
    assert.is(first.code, 0);
    assert.is(first.out, again.out);
    await writeFile(join(cwd, "looked_at.strategy"), withoutLevels);
    assert.is.not((await run("1")).out, (await run("2")).out);
  });
});

test("noise levels are the sampler's, or those that the strategy makes of it at this number of tokens", async () => {
  await inFolder(async (cwd) => {
    const levelsOf = async (sigma: string) => {
      await writeFile(
        join(cwd, "looked_at.strategy"),
        strategy.replace("  sigma: sampled() per frame\n", sigma === "" ? "" : `  sigma: ${sigma}\n`),
      );
      const { out } = await ltxc(["inspect", "--json"], { cwd });
      return (JSON.parse(out) as Inspection).modalities[0]?.levels;
    };
    const ofStrategy = await levelsOf("0.5 + 0.5 * sampled()");
    assert.equal([ofStrategy?.isWritten, ofStrategy?.tokens, ofStrategy?.draws], [true, 480, 256 * 16]);
    assert.ok(ofStrategy?.bins.slice(0, 20).every((share) => share === 0));
    const perFrame = await levelsOf("sampled() per frame");
    assert.is(perFrame?.draws, 256 * 16 * 5);
    const ofSampler = await levelsOf("");
    assert.is(ofSampler?.isWritten, false);
    // Half of the noise levels lie below the median: the same for both, within the accuracy that this number of draws allows.
    const below = (bins: readonly number[] = []) => bins.slice(0, 24).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(below(perFrame?.bins) - below(ofSampler?.bins)) < 0.02);
  });
});

test.run();
