import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { ltxc, project } from "../testing/testing.ts";

const test = suite("check: files that are not what they should be");
const folder = temporaryFolders(test, "check-files");
const strategy = "strategy: own\nextends: text_to_video\n";

test("weights are said to be weights, in one finding and without their bytes", async () => {
  const cwd = await folder();
  const header = Buffer.from(
    '{"diffusion_model.a.lora_A.weight": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}',
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(join(cwd, "model.safetensors"), Buffer.concat([length, header, Buffer.from([0xff, 0x1b])]));
  const { code, out, err } = await ltxc(["check", "model.safetensors"], { cwd });
  assert.is(code, 2);
  assert.match(err, /^error: model\.safetensors is a safetensors file: a LoRA\nhelp: name a strategy or a run config/);
  // eslint-disable-next-line no-control-regex
  assert.not.match(out + err, /[\x00\x1b\ufffd]/);
  const run = await ltxc(["run", "model.safetensors"], { cwd });
  assert.is(run.code, 2);
  assert.match(run.err, "model.safetensors is a safetensors file: a LoRA");
});

test("files that can not be read do not hide what is said of others, and --json lists every file", async () => {
  const cwd = await folder();
  await writeFile(join(cwd, "good.strategy"), strategy);
  await writeFile(join(cwd, "bad.strategy"), strategy.replace("extends", "extnds"));
  await writeFile(join(cwd, "._bad.strategy"), Buffer.from("\x00\x05\x16\x07\0", "latin1"));
  await writeFile(join(cwd, "weights.gguf"), Buffer.from("GGUF\x03\0\0\0"));
  const names = ["good.strategy", "bad.strategy", "gone.yaml", ".", "weights.gguf"];
  const { code, out } = await ltxc(["check", ...names, "--json"], { cwd });
  assert.is(code, 1);
  const report = JSON.parse(out) as {
    named: { path: string; isRead: boolean }[];
    diagnostics: { path: string; code: string; message: string }[];
  };
  assert.equal(
    report.named.map(({ path, isRead }) => `${path} ${isRead}`),
    ["good.strategy true", "bad.strategy true", "gone.yaml false", ". false", "weights.gguf false"],
  );
  const found = (path: string) => report.diagnostics.filter((each) => each.path === path).map((each) => each.code);
  assert.equal(found("good.strategy"), []);
  assert.ok(found("bad.strategy").length > 0);
  assert.equal([found("gone.yaml"), found("."), found("weights.gguf")], [["LTX6172"], ["LTX6172"], ["LTX6231"]]);
  const alone = await ltxc(["check", "gone.yaml", "--json"], { cwd });
  assert.is(alone.code, 2);
  assert.match(alone.out, /"code": "LTX6172"/);
  assert.not.match((await ltxc(["check"], { cwd })).out, "._bad");
});

test("texts in UTF-16 are read, with and without a byte order mark", async () => {
  const cwd = await folder();
  const little = Buffer.from(strategy, "utf16le");
  const big = Buffer.from(little).swap16();
  const marks = { "a.strategy": [0xff, 0xfe], "b.strategy": [0xfe, 0xff], "c.strategy": [], "d.strategy": [] };
  for (const [i, [name, mark]] of Object.entries(marks).entries())
    await writeFile(join(cwd, name), Buffer.concat([Buffer.from(mark), i % 2 === 0 ? little : big]));
  for (const name of Object.keys(marks)) {
    const { code, out } = await ltxc(["check", name], { cwd });
    assert.is(code, 0, `${name}: ${out}`);
  }
});

test("a strategy with errors, an unknown key and older settings hide nothing of each other", async () => {
  const cwd = await project();
  const strategy = await readFile(join(cwd, "inpainting.strategy"), "utf8");
  await writeFile(join(cwd, "inpainting.strategy"), strategy.replace("keep: not inpaint", "keep: not inpiant"));
  const written = await readFile(join(cwd, "train.yaml"), "utf8");
  const wrong = written
    .replace(/^runtime:\n(  .*\n?)*/m, "runtime: {engine: onnx, provider: cuda}\n")
    .replace(/learning_rate: .*/, "learning_rate: 1\n  colour: red")
    .replace(/mask_threshold: .*/, "mask_threshold: 7")
    .replace(/^seed:.*/m, "acceleration: {compile_with_inductor: true}");
  await writeFile(join(cwd, "train.yaml"), wrong);
  const { out } = await ltxc(["check", "--json"], { cwd });
  const { diagnostics } = JSON.parse(out) as { diagnostics: { code: string }[] };
  const codes = new Set(diagnostics.map(({ code }) => code));
  for (const code of ["LTX3001", "LTX6001", "LTX6251", "LTX6011", "LTX6003", "LTX6221"])
    assert.ok(codes.has(code), `${code} is missing in ${[...codes].join()}`);
});

test.run();
