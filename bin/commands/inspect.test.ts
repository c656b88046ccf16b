import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Inspection } from "../inspect/inspection.ts";
import { inFolder, strategy, withoutLevels } from "../testing/looked-at.ts";
import { ltxc, project } from "../testing/testing.ts";

const test = suite("ltxc inspect");

test("values, shares, masks frame by frame, attention and noise levels, within the terminal's width", async () => {
  await inFolder(async (cwd) => {
    const { code, out, err } = await ltxc(["inspect", "--seed", "2"], { cwd });
    assert.is(err, "");
    assert.is(code, 0);
    assert.not.match(out, "\u001b");
    assert.match(out, /^video\.keep +bool +batch, token:video +1 x 480 +true 80 %$/m);
    assert.match(out, "video: 5 x 8 x 12 latent cells, 480 tokens: 80 % kept, 20 % noised, loss v on 20 %");
    assert.match(out, "in front of them: depth 5 x 8 x 12 latent cells");
    assert.match(out, "audio: 32 steps, 32 tokens: frozen: all clean");
    const hole = `${"·".repeat(24)}  ······${"█".repeat(12)}······`;
    assert.match(out, hole);
    assert.match(out, /^video\.sigma {2}· 0 {2}░▒▓ {2}█ 1, a column for each frame$/m);
    assert.match(out, /^depth +100 % +100 %\nlatents +80 % +100 %$/m);
    assert.match(out, "expect video.timesteps < 1: true\nexpect hole > 0.5: false somewhere");
    await writeFile(join(cwd, "looked_at.strategy"), withoutLevels);
    const narrow = await ltxc(["inspect"], { cwd, columns: 60, env: { NO_COLOR: "1" } });
    const maps = narrow.out.split("\n").filter((line) => /[·█]{6}/.test(line));
    assert.ok(maps.length > 20 && maps.every((line) => line.length <= 60));
  });
});

test("the page needs nothing else and shows text as text", async () => {
  await inFolder(async (cwd) => {
    const { code, out } = await ltxc(["inspect", "--html", "look.html"], { cwd });
    assert.is(code, 0);
    assert.is(out, "wrote look.html\n");
    const page = await readFile(join(cwd, "look.html"), "utf8");
    assert.match(page, "&lt;b&gt;Bold&lt;/b&gt; &amp; &quot;quoted&quot;");
    assert.match(page, "<code>hole &gt; 0.5</code>");
    assert.not.match(page, /<b>Bold|<script|<link|https?:|\bsrc=|url\(|undefined|NaN|Infinity/);
    assert.match(page, 'aria-label="video.keep, frames 1–4"');
    assert.match(page, 'aria-label="attention, queries by keys"');
    assert.match(page, 'aria-label="noise levels drawn for 480 tokens"');
    await writeFile(join(cwd, "looked_at.strategy"), withoutLevels);
    const wrong = await ltxc(["inspect", "--html", "look.html/below.html"], { cwd });
    assert.is(wrong.code, 2);
    assert.match(wrong.err, "look.html/below.html cannot be written");
  });
});

test("--json has the same numbers for programs", async () => {
  await inFolder(async (cwd) => {
    const { out } = await ltxc(["inspect", "looked_at.strategy", "--json", "--seed", "1"], { cwd });
    const { modalities, values, expectations, version } = JSON.parse(out) as Inspection & { version: number };
    assert.is(version, 1);
    const [video, audio] = modalities;
    assert.equal(video?.shares.losses, [{ name: "v", share: 0.2 }]);
    assert.is(audio?.levels, null);
    assert.is(video?.attention?.sequence, 960);
    // A row of a query in the hole sees the target alone: 240 of 960 queries lack half of the keys.
    const blocks = video?.attention?.betweenParts ?? [];
    assert.equal(
      blocks.map((share) => Number(share.toFixed(6))),
      [1, 1, 0.8, 1],
    );
    const bins = video?.levels?.bins ?? [];
    assert.ok(Math.abs(bins.reduce((a, b) => a + b, 0) - 1) < 1e-9);
    const weight = video?.maps.find(({ key }) => key === "weight.v");
    assert.equal([weight?.min, weight?.max], [0, 2]);
    const sigma = video?.maps.find(({ key }) => key === "video.sigma");
    assert.equal([sigma?.columns, sigma?.grid], ["frames", { frames: 1, height: 1, width: 5 }]);
    const noisy = values.find(({ key }) => key === "video.noisy");
    assert.ok(noisy !== undefined && noisy.min < noisy.mean && noisy.mean < noisy.max && noisy.notFinite === 0);
    assert.equal(
      expectations.map(({ holds }) => holds),
      [true, false],
    );
  });
});

test("with a run config it shows a sample of the run's data, under the run's params and sampler", async () => {
  const cwd = await project();
  try {
    const first = await ltxc(["inspect", "--config", "train.yaml"], { cwd });
    assert.is(first.code, 0);
    assert.match(first.out, `on clip_1.pt of ${join(cwd, "data")}`);
    const third = await ltxc(["inspect", "--config", "train.yaml", "--sample", "clip_3"], { cwd });
    assert.match(third.out, "on clip_3.pt");
    assert.is.not(third.out, first.out);
    const unknown = await ltxc(["inspect", "--config", "train.yaml", "--sample", "clip_33"], { cwd });
    assert.is(unknown.code, 2);
    assert.match(unknown.err, /there is no sample `clip_33` in .*\nhelp: did you mean `clip_3`\?/);

    await writeFile(join(cwd, "other.strategy"), strategy.replace("looked_at", "other"));
    const several = await ltxc(["inspect"], { cwd });
    assert.is(several.code, 2);
    assert.match(several.err, "there are several strategies in this folder");
    const ofConfig = await ltxc(["inspect", "--config", "train.yaml"], { cwd });
    assert.equal([ofConfig.code, ofConfig.out], [0, first.out]);
    const foreign = await ltxc(["inspect", "other.strategy", "--config", "train.yaml"], { cwd });
    assert.is(foreign.code, 2);
    assert.match(foreign.err, "train.yaml trains with `inpainting`, this strategy is `other`");

    await rm(join(cwd, "data/mask_latents"), { recursive: true });
    const broken = await ltxc(["inspect", "inpainting.strategy", "--config", "train.yaml"], { cwd });
    assert.is(broken.code, 1);
    assert.match(broken.err, /error\[LTX612\d\]/);
    assert.is(broken.out, "");
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test("with a run config it takes the strategy that the config names, built-in or not", async () => {
  const cwd = await project({}, "text_to_video");
  try {
    const config = join(cwd, "train.yaml");
    await rm(join(cwd, "text_to_video.strategy"));
    const builtIn = await ltxc(["inspect", "--config", "train.yaml"], { cwd });
    assert.equal([builtIn.code, builtIn.err], [0, ""]);
    assert.match(builtIn.out, /^text_to_video\n/);
    const text = await readFile(config, "utf8");
    await writeFile(config, text.replace("name: text_to_video", "name: text_to_vidoe"));
    const unknown = await ltxc(["inspect", "--config", "train.yaml"], { cwd });
    assert.is(unknown.code, 1);
    assert.match(unknown.err, "error[LTX6010]");
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test("a sample without a run's data, and a strategy with a mistake", async () => {
  await inFolder(async (cwd) => {
    const { code, err } = await ltxc(["inspect", "--sample", "clip_1"], { cwd });
    assert.is(code, 2);
    assert.match(err, "--config train.yaml");
    await writeFile(join(cwd, "looked_at.strategy"), strategy.replace("hole < 0.5", "hole"));
    const wrong = await ltxc(["inspect"], { cwd });
    assert.is(wrong.code, 1);
    assert.match(wrong.err, "LTX4001");
    assert.is(wrong.out, "");
  });
});

test.run();
