// Texts of files that could steer a terminal, end a tag or a comment, or hide in the prototype of an object.
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { ltxc, project } from "../testing/testing.ts";

const test = suite("hostile text");
const folder = temporaryFolders(test, "hostile");

const evil =
  "\u001b]0;pwned\u0007\u001b[31mred\u001b[2J\u007f\u009b\u202e\u200b\u2060\ufeff\u00ad\u3164\u{e0041}\u{1d173}*/ </script><b> `${x}` \u2028\r";
const steering = /[^\P{Cc}\n]|[\p{Cf}\u2028\u2029\u3164]/u;

/** As YAML: raw, U+007F and U+FEFF could not stand in a file. */
const quoted = (text: string) => JSON.stringify(text).replaceAll("\u007f", "\\u007f").replaceAll("\ufeff", "\\ufeff");

const strategy = `strategy: hostile
description: ${quoted(evil)}
params:
  strength: {type: number, default: 1, description: ${quoted(evil)}}
  label: {type: string, default: ${quoted(evil)}}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
  fps: 24
loss:
  v: mse(video.prediction, video.target) * strength
  __proto__: 1000 * mse(video.prediction, video.target)
metadata:
  note: ${quoted(`${evil.replace("${x}", "")}\${strength}`)}
`;

test("no command prints what could steer a terminal, nor does what it generates hold it", async () => {
  const cwd = await folder();
  await writeFile(join(cwd, "a.strategy"), strategy);
  await writeFile(
    join(cwd, "b.strategy"),
    `strategy: b\n"key\\u001b[2J\\u202e\\n": 1\n# \u202e\u009b\nloss: {v: "\u202e + 1"}\n`,
  );
  const commands = [["check"], ["check", "--json"], ["check", "--format", "sarif"], ["compile"], ["test"], ["schema"]];
  for (const args of [...commands, ["compile", "a.strategy", "--emit", "ir"], ["inspect", "a.strategy"]]) {
    const { code, out, err } = await ltxc(args, { cwd });
    assert.ok(code < 2, `${args.join(" ")}: ${err}`);
    assert.not.match(out + err, steering, args.join(" "));
    if (args.includes("--json") || args.includes("sarif")) assert.ok(JSON.parse(out));
  }
  for (const name of ["hostile.ts", "hostile.mjs"])
    assert.not.match(await readFile(join(cwd, "build", name), "utf8"), steering);
  const { strategy: info, metadata } = (await import(join(cwd, "build/hostile.mjs"))) as {
    strategy: { description: string };
    metadata: (params: object) => Record<string, string>;
  };
  assert.is(info.description, evil);
  assert.is(metadata({ strength: 2 })["note"], `${evil.replace("${x}", "")}2`);
  assert.match((await ltxc(["inspect", "a.strategy"], { cwd })).out, "loss __proto__");
});

test("carets stay below what they point at, and colours are ours alone", async () => {
  const cwd = await folder();
  await writeFile(join(cwd, "a.strategy"), 'strategy: a\n"\u202ekey": 1\n');
  const plain = await ltxc(["check"], { cwd });
  const lines = plain.out.split("\n");
  const at = lines.findIndex((line) => line.includes('"\\u202ekey"'));
  assert.is(lines[at]?.indexOf('"'), lines[at + 1]?.indexOf("^"));
  assert.match(lines[at + 1] ?? "", `${"^".repeat(11)}`);
  const { out } = await ltxc(["check", "--color", "always"], { cwd });
  // eslint-disable-next-line no-control-regex -- these are looked for
  assert.match(out, /\x1b\[31m/);
  // eslint-disable-next-line no-control-regex -- these are removed
  assert.is(out.replaceAll(/\x1b\[\d+m/g, ""), plain.out);
});

test("names of files and pages are written out as well", async () => {
  const cwd = await project();
  const name = "\u001b[2J\nclip\u202e.pt";
  for (const part of ["latents", "conditions", "mask_latents"])
    await rename(join(cwd, "data", part, "clip_1.pt"), join(cwd, "data", part, name)).catch(() => undefined);
  await writeFile(join(cwd, "data/latents/clip_2.pt"), "broken");
  await mkdir(join(cwd, "outputs"));
  const event = { type: "warning", finding: { code: "LTX7003", message: evil } };
  const started = { type: "started", globalStep: 0, strategy: evil, engine: evil };
  await writeFile(join(cwd, "outputs/metrics.jsonl"), `${JSON.stringify(started)}\n${JSON.stringify(event)}\n`);
  for (const args of [["check"], ["check", "train\u001b.yaml"], ["report", "--out", "-"], ["inspect", "--html", "-"]]) {
    const { out, err } = await ltxc(args, { cwd });
    assert.not.match(out + err, steering, args.join(" "));
    assert.not.match(out, "<b> `");
  }
});

test("what a run writes holds nothing of it either, and is read as what was meant", async () => {
  const cwd = join(await folder(), "home\u202e\u009b\u001b[2J\u200b");
  await rename(await project({ steps: 1, interval: "null" }), cwd);
  const { code, out, err } = await ltxc(["run"], { cwd });
  assert.is(code, 0, err);
  assert.not.match(out + err, steering);
  const written = await readdir(join(cwd, "outputs"), { recursive: true, withFileTypes: true });
  const texts = written.filter(({ name }) => /\.(jsonl?|yaml)$/.test(name));
  assert.equal(texts.map(({ name }) => name).toSorted(), [".kept.json", "metrics.jsonl", "training_config.yaml"]);
  for (const { name, parentPath } of texts)
    assert.not.match(await readFile(join(parentPath, name), "utf8"), steering, name);
  const config = await readFile(join(cwd, "outputs/training_config.yaml"), "utf8");
  const line = /^output_dir: (".*")$/m.exec(config)?.[1] ?? '""';
  assert.is(JSON.parse(line), join(cwd, "outputs"));
});

test.run();
