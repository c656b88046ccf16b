import { spawnSync } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sealed } from "../../runtime/engine/recording/recording-file.ts";
import { writePt, writeSafetensors } from "../../runtime/files/index.ts";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("verify");
const newFolder = temporaryFolders(test, "ltxc-verify");

const x = (...values: number[]) => ({
  name: "x",
  shape: [values.length],
  dtype: "F32" as const,
  data: Float32Array.from(values),
});
const latents = (...values: number[]) => ({
  latents: { shape: [values.length], storage: "float16" as const, values: Float32Array.from(values) },
});

/** A folder with a file of every kind, all of them whole. */
async function wholeFolder(): Promise<string> {
  const folder = await newFolder();
  await mkdir(join(folder, "data"));
  await writePt(join(folder, "data/clip.pt"), latents(1, 2, 3));
  await writeSafetensors(join(folder, "lora_weights_step_00001.safetensors"), [x(1, 2)]);
  await writeSafetensors(join(folder, "training_state_step_00001.state"), [x(1, 2)]);
  await writeFile(join(folder, "metrics.jsonl"), '{"type":"started"}\n{"type":"step"}\n');
  await writeFile(join(folder, "one.calls.recording"), sealed({ calls: [] }).text, { mode: 0o600 });
  await writeFile(join(folder, "notes.txt"), "mine");
  return folder;
}

async function change(path: string, edit: (bytes: Buffer) => Buffer | void): Promise<void> {
  const bytes = await readFile(path);
  await writeFile(path, edit(bytes) ?? bytes);
}

const flip = (bytes: Buffer) => void bytes.writeUInt8((bytes.at(-2) ?? 0) ^ 16, bytes.length - 2);

test("files that are whole: a line for each folder, and exit code 0", async () => {
  const cwd = await wholeFolder();
  const { code, out } = await ltxc(["verify", "."], { cwd });
  assert.is(code, 0);
  assert.match(out, /^data +1 file +\d+ B +whole\n\. +4 files +.* +whole\nskipped 1 file of other kinds\n$/);
  assert.is((await ltxc(["verify", "data/clip.pt"], { cwd })).code, 0);
});

test("each damaged file is one finding, and exit code 1", async () => {
  const cwd = await wholeFolder();
  const at = (name: string) => join(cwd, name);
  await change(at("training_state_step_00001.state"), flip);
  await change(at("lora_weights_step_00001.safetensors"), (bytes) => bytes.subarray(0, -1));
  await change(at("one.calls.recording"), flip);
  await change(at("metrics.jsonl"), (bytes) => Buffer.concat([bytes, Buffer.from("x\n{}\n")]));
  await change(at("data/clip.pt"), (bytes) => void bytes.writeUInt8(9, bytes.indexOf(Uint8Array.of(0, 0x3c, 0, 0x40))));
  const { code, out } = await ltxc(["verify", ".", "--json"], { cwd });
  assert.is(code, 1);
  const { diagnostics, files, summary } = JSON.parse(out) as {
    diagnostics: { code: string; path: string }[];
    files: { path: string; status: string }[];
    summary: unknown;
  };
  assert.equal(
    diagnostics.map((found) => `${found.code} ${found.path}`),
    [
      "LTX6151 data/clip.pt",
      "LTX6181 lora_weights_step_00001.safetensors",
      "LTX6153 metrics.jsonl",
      "LTX6154 one.calls.recording",
      "LTX6150 training_state_step_00001.state",
    ],
  );
  assert.equal(summary, { errors: 5, warnings: 0 });
  assert.ok(files.length === 5 && files.every(({ status }) => status === "damaged"));
  assert.match((await ltxc(["verify", "."], { cwd })).out, /\n\. +4 files .* 4 damaged, 0 whole\n/);
});

test("numbers that are NaN or infinite are errors in data and warnings in weights; so is a last line that is cut off", async () => {
  const cwd = await newFolder();
  await writePt(join(cwd, "a.pt"), latents(1, Infinity, 3));
  assert.match(
    (await ltxc(["verify", "."], { cwd })).out,
    /error\[LTX6152\]: .*a\.pt: `latents` holds 1 number that is NaN/,
  );
  const many = new Float32Array(1_100_000).fill(1);
  many[1_090_000] = NaN;
  await writeSafetensors(join(cwd, "b.safetensors"), [
    x(1),
    { ...x(...many.subarray(0, 1)), name: "y", shape: [many.length], data: many },
  ]);
  await writeFile(join(cwd, "metrics.jsonl"), '{"type":"started"}\n{"type":"st');
  const { code, out } = await ltxc(["verify", "b.safetensors", "metrics.jsonl"], { cwd });
  assert.is(code, 0);
  assert.match(out, /warning\[LTX6155\]: .*`y` holds 1 number that is/);
  assert.match(out, /warning\[LTX6153\]: .*its last line is cut off/);
});

test("links are not followed, what is no file is not opened, and a path that is not there is a wrong command line", async () => {
  const cwd = await newFolder();
  await symlink("/dev/zero", join(cwd, "a.pt"));
  assert.is(spawnSync("mkfifo", [join(cwd, "b.pt")]).status, 0);
  await writeFile(join(cwd, "._c.pt"), "of macOS");
  const { code, out } = await ltxc(["verify", "."], { cwd });
  assert.is(code, 1);
  assert.match(
    out,
    /^error\[LTX6195\]: .*b\.pt is a named pipe, not a file\n[^]*skipped 1 file of other kinds\nskipped 1 link: /,
  );
  for (const [name, what] of [
    ["a.pt", /a\.pt is a device, not a file/],
    ["b.pt", /b\.pt is a named pipe, not a file/],
    ["._c.pt", /there is nothing to verify in \._c\.pt/],
  ] as const) {
    const named = await ltxc(["verify", name], { cwd });
    assert.is(named.code, 1);
    assert.match(named.out, what);
  }
  const missing = await ltxc(["verify", "outputs"], { cwd });
  assert.is(missing.code, 2);
  assert.match(missing.err, /outputs does not exist/);
});

test("a path with nothing that can be verified is an error for each such path, also as JSON", async () => {
  const cwd = await newFolder();
  await mkdir(join(cwd, "empty"));
  await mkdir(join(cwd, "pipes"));
  assert.is(spawnSync("mkfifo", [join(cwd, "pipes/one"), join(cwd, "pipes/two")]).status, 0);
  await writePt(join(cwd, "clip.pt"), latents(1, 2));
  const { code, out } = await ltxc(["verify", "clip.pt", "empty", "pipes", "--json"], { cwd });
  assert.is(code, 1);
  const { diagnostics } = JSON.parse(out) as { diagnostics: { code: string; path: string }[] };
  assert.equal(
    diagnostics.map((found) => `${found.code} ${found.path}`),
    ["LTX6195 empty", "LTX6195 pipes"],
  );
});

test("a terminal shows how far it is while it reads", async () => {
  const cwd = await newFolder();
  await writeSafetensors(join(cwd, "a.safetensors"), [x(1, 2)]);
  const { code, err, out } = await ltxc(["verify", "."], { cwd, columns: 100 });
  assert.is(code, 0);
  const drawn = err.replaceAll("\x1b[K", "|").split("\x1b[G");
  assert.match(drawn[1] ?? "", /^0 of 1 files, \d+ B of \d+ B, 0\.\d s left\|$/);
  assert.is(drawn.at(-1), "|");
  assert.match(out, /whole\n$/);
});

test.run();
