import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { newestRun } from "../run-folder/newest.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { resolveConfig } from "./index.ts";

const test = suite("placeholders of output_dir");
const newFolder = temporaryFolders(test, "placeholders");

const now = new Date(2026, 10, 27, 9, 5, 7);

function resolve(output_dir: string, configDirectory = "/project", strategy: object = {}) {
  const raw = {
    model: { model_path: "ltx.safetensors" },
    lora: { rank: 8 },
    data: { preprocessed_data_root: "data" },
    training_strategy: { name: "inpainting", ...strategy },
    output_dir,
  };
  return resolveConfig(raw, { configDirectory, now });
}

const folderOf = (output_dir: string, strategy: object = {}) =>
  resolve(output_dir, "/project", strategy).config?.output_dir;

test("they are filled in with the strategy, the time, the seed, params and settings", () => {
  assert.is(folderOf("outputs/{strategy}-{date}"), "/project/outputs/inpainting-2026-11-27");
  assert.is(folderOf("{date}/{time}-{seed}"), "/project/2026-11-27/09-05-07-42");
  assert.is(folderOf("r{lora.rank}-{optimization.learning_rate}-{seed}-{seed}"), "/project/r8-0.0005-42-42");
  assert.is(folderOf("{mask_threshold}", { mask_threshold: 0.5 }), "/project/0.5");
  assert.is(folderOf("a{{b}}-{{seed}}"), "/project/a{b}-{seed}");
  assert.is(resolve("outputs", "/home/{me}").config?.output_dir, "/home/{me}/outputs");
});

test("a value stays a part of a name, whatever it is", () => {
  assert.is(folderOf("outputs/{kind}", { kind: "../../etc" }), "/project/outputs/-..-etc");
  assert.is(folderOf("outputs/{kind}", { kind: "a b/c" }), "/project/outputs/a-b-c");
});

test("an unknown one is a finding with what was meant", () => {
  for (const [written, help] of [
    ["outputs/{stratgy}", "did you mean `strategy`?"],
    ["outputs/{lora.rnk}", "did you mean `lora.rank`?"],
    [
      "${x}/outputs".slice(1),
      "write `{strategy}`, `{date}`, `{time}`, `{seed}`, a param that `training_strategy` sets",
    ],
    ["outputs/{}", "write `{strategy}`"],
  ] as const) {
    const { config, findings } = resolve(written);
    assert.is(config, null);
    assert.equal(
      findings.map(({ code, path }) => `${code} ${path.join(".")}`),
      ["LTX6343 output_dir"],
    );
    assert.ok(findings[0]?.help?.startsWith(help), findings[0]?.help);
  }
});

test("the newest folder is found by the times in the names; those of other runs and empty ones do not count", async () => {
  const root = join(await newFolder(), "{runs}");
  const hold = async (name: string) => {
    await mkdir(join(root, name), { recursive: true });
    await writeFile(join(root, name, "metrics.jsonl"), '{"type": "step", "globalStep": 1}\n');
  };
  for (const name of [
    "inpainting-2026-11-27-2",
    "inpainting-2026-11-26-10",
    "other-2026-11-28",
    "inpainting-2026-11-x",
  ])
    await hold(name);
  await hold("inpainting-2026-11-27");
  await mkdir(join(root, "inpainting-2027-01-01"));
  const found = async (written: string) => {
    const { outputs } = resolve(written, root);
    return outputs === null ? "no pattern" : await newestRun(outputs);
  };
  assert.is(await found("{strategy}-{date}"), join(root, "inpainting-2026-11-27-2"));
  await hold("inpainting-2026-11-27-10");
  assert.is(await found("{strategy}-{date}"), join(root, "inpainting-2026-11-27-10"));
  assert.is(await found("nothing/{date}/{time}"), null);
  assert.is(await found("{strategy}"), "no pattern");
  await hold("2026-11-27/09-00-00");
  await hold("2026-11-27/10-00-00");
  await hold("2026-11-26/11-00-00");
  assert.is(await found("{date}/{time}"), join(root, "2026-11-27/10-00-00"));
});

test("what is no folder of this machine is one finding, with what to write", () => {
  for (const [written, code, said, help] of [
    ["s3://bucket/run", "LTX6380", "is an address, not a folder: s3://bucket/run", "copy it there after the run"],
    ["gs://bucket/{date}", "LTX6380", "is an address", "such as `output_dir: outputs`"],
    ["hf://datasets/me/x", "LTX6380", "is an address", "mount the storage"],
    ["https:/x.y/z", "LTX6380", "is an address", "mount the storage"],
    ["file:///data/outputs", "LTX6380", "is an address", "write it as a path: `output_dir: /data/outputs`"],
    ["C:\\runs\\a", "LTX6380", "is a path of Windows", "below WSL"],
    ["$HOME/outputs", "LTX6381", "has `$HOME`, which only a shell replaces", "write the path itself"],
    ["/data/${USER}/a", "LTX6381", "has `${USER}`", "`~/` is your home folder"],
    ["%USERPROFILE%\\runs", "LTX6381", "has `%USERPROFILE%`", "write the path itself"],
    ["~root/outputs", "LTX6381", "has `~root`", "`~/` is your home folder"],
    ["", "LTX6382", "is empty", "`output_dir: outputs`"],
    ["  ", "LTX6382", "is empty", "leave the line out"],
    ["a\nb", "LTX6382", "has a control character", "write the name of a folder"],
    ["a\0b", "LTX6382", "has a control character", "write the name of a folder"],
  ] as const) {
    const { config, findings } = resolve(written);
    assert.is(config, null, written);
    assert.equal(
      findings.map(({ code, path }) => [code, ...path]),
      [[code, "output_dir"]],
      written,
    );
    assert.ok(findings[0]?.message.includes(said), findings[0]?.message);
    assert.ok(findings[0]?.help?.includes(help), findings[0]?.help);
  }
  for (const written of ["~/outputs", "a$1", "ab:c", "100%", "out~1", ".", "/data/x y"])
    assert.equal(resolve(written).findings, [], written);
});

test("braces and `~` that YAML reads as something else", () => {
  const helpOf = (output_dir: unknown) =>
    resolve(output_dir as string).findings.map(({ code, help }) => `${code} ${help}`);
  assert.match(helpOf({ date: null })[0] ?? "", /^LTX6002 put it in quotes: `"\{date\}"`/);
  assert.match(helpOf(null)[0] ?? "", /^LTX6002 write a text, or leave the line out; YAML reads `~` alone/);
  assert.equal(helpOf({ date: 1 }), ["LTX6002 undefined"]);
});

test.run();
