// With yaml-language-server in the same editor, as in VS Code with both extensions: no finding twice, and nothing formats against `ltxc fmt`.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startEditor } from "../testing/editor.ts";
import { startClient } from "../testing/language-client.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("next to yaml-language-server");

test("a new project keeps the YAML extension from formatting, and no finding about a run config is said twice", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "ltxc-both-"));
  assert.is((await ltxc(["init"], { cwd })).code, 0);
  const read = async (name: string) =>
    JSON.parse(await readFile(join(cwd, ".vscode", name), "utf8")) as Record<string, unknown>;
  assert.is((await read("settings.json"))["yaml.format.enable"], false);
  assert.equal((await read("extensions.json"))["recommendations"], ["ltxc.ltxc-strategy", "redhat.vscode-yaml"]);
  const path = join(cwd, "train.yaml");
  const text = (await readFile(path, "utf8"))
    .replace("training_mode: lora", "training_mode: lorra")
    .replace("mask_threshold: 0.5", "mask_threshold: much")
    .replace("name: inpainting", "name: inpanting");
  const [yaml, both, alone] = await Promise.all([
    startEditor(cwd),
    startClient(cwd, { yamlServer: true }),
    startClient(cwd),
  ]);
  const ofSchema = await yaml.open(path, text);
  const ofBoth = await both.open(path, text);
  const ofAlone = await alone.open(path, text);
  const lines = (found: readonly { readonly range: { readonly start: { readonly line: number } } }[]) =>
    found.map(({ range }) => range.start.line);
  assert.ok(ofSchema.length >= 2, JSON.stringify(ofSchema));
  assert.ok(ofAlone.length >= 2, JSON.stringify(ofAlone));
  assert.equal(
    lines(ofBoth).filter((line) => lines(ofSchema).includes(line)),
    [],
  );
  await Promise.all([yaml.close(), both.close(), alone.close()]);
  await rm(cwd, { recursive: true });
});

test.run();
