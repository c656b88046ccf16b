import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Inspection } from "../inspect/inspection.ts";
import { writeTinyVae } from "../../runtime/testing/tiny-vae.ts";
import { inFolder, strategy, withoutLevels } from "../testing/looked-at.ts";
import { ltxc, project } from "../testing/testing.ts";

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

test("the frames of the sample's video lie under its maps, where a video VAE is named", async () => {
  const cwd = await project({ steps: 2 });
  await writeTinyVae(join(cwd, "vae.safetensors"));
  const page = ["inspect", "--config", "train.yaml", "--html", "look.html"];
  const { code, err } = await ltxc([...page, "--vae", "vae.safetensors"], { cwd });
  assert.is(code, 0, err);
  const html = await readFile(join(cwd, "look.html"), "utf8");
  const pictures = [...html.matchAll(/<image id="still-(\d)"[^>]*base64,([^"]+)"/g)];
  assert.equal(
    pictures.map(([, frame]) => frame),
    ["0", "1", "2"],
  );
  for (const [, , png = ""] of pictures) {
    const bytes = Buffer.from(png, "base64");
    assert.equal([bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[25]], [192, 192, 2]);
  }
  assert.match(html, /aria-label="video\.keep, frame 2">\n<rect[^>]*><use href="#still-2"/);
  assert.match((await ltxc(["inspect", "--vae", "vae.safetensors"], { cwd })).err, /name both, too: `--config/);
  const wrong = await ltxc([...page, "--vae", "models/tiny-ltx2.safetensors"], { cwd });
  assert.is(wrong.code, 1);
  assert.match(wrong.err, /LTX6803.*holds no video VAE/);
  await rm(cwd, { recursive: true });
});

test.run();
