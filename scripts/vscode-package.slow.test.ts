// The extension as VS Code installs it: packed, unpacked, and its server started from there, without anything of this repository.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startClient } from "../bin/testing/language-client.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const test = suite<{ folder: string }>("packed extension of VS Code");

/** Writes the members of a zip archive that stores them as they are. */
function unpack(archive: Buffer, folder: string): void {
  for (let at = 0; archive.readUInt32LE(at) === 0x04034b50;) {
    const [size, nameLength, extra] = [
      archive.readUInt32LE(at + 18),
      archive.readUInt16LE(at + 26),
      archive.readUInt16LE(at + 28),
    ];
    const name = archive.toString("utf8", at + 30, at + 30 + nameLength);
    const begin = at + 30 + nameLength + extra;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), archive.subarray(begin, begin + size));
    at = begin + size;
  }
}

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "ltxc-vsix-"));
  const { folder } = context;
  const done = spawnSync(process.execPath, ["--import", "tsx", "scripts/build-vscode.ts", "--out", folder], {
    cwd: root,
    encoding: "utf8",
  });
  assert.is(done.status, 0, done.stderr);
  const [name = ""] = readdirSync(folder);
  assert.match(name, /^ltxc-strategy-.*\.vsix$/);
  unpack(readFileSync(join(folder, name)), folder);
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

test("it has what its manifest names", ({ folder }) => {
  const manifest = JSON.parse(readFileSync(join(folder, "extension/package.json"), "utf8"));
  const { languages, grammars, snippets } = manifest.contributes;
  const named = [
    manifest.main,
    languages[0].configuration,
    ...Object.values(languages[0].icon),
    grammars[0].path,
    snippets[0].path,
  ];
  for (const path of named) assert.ok(readFileSync(join(folder, "extension", String(path))).length > 0, String(path));
  for (const path of [languages[0].configuration, grammars[0].path, snippets[0].path])
    JSON.parse(readFileSync(join(folder, "extension", path), "utf8"));
  assert.match(readFileSync(join(folder, "extension.vsixmanifest"), "utf8"), `Version="${manifest.version}"`);
  const code = readFileSync(join(folder, "extension/dist/extension.js"), "utf8");
  for (const { command } of manifest.contributes.commands) assert.ok(code.includes(`"${command}"`), command);
});

test("its server answers, with built-in strategies and the schema, and does not need esbuild", async ({ folder }) => {
  const project = join(folder, "project");
  mkdirSync(project);
  const client = await startClient(project, {}, [join(folder, "extension/server/dist/ltxc.mjs"), "lsp"]);
  const path = join(project, "a.strategy");
  const text = "strategy: a\nextends: inpainting\nexpect:\n  - not video.\n";
  const found = await client.open(path, text);
  assert.ok(found.length > 0);
  const labels = (await client.complete(path, text.length - 1)).map(({ label }) => label);
  assert.ok(labels.includes("keep"), labels.join());
  const train = join(project, "train.yaml");
  const config = "training_strategy:\n  name: inpainting\n  mask_threshold: 0.4\n";
  writeFileSync(train, config);
  const wrong = config.replace("0.4", "much") + "data:\n  preprocessed_data_root: data\n";
  const messages = (await client.open(train, wrong)).map(({ message }) => message).join("\n");
  assert.match(messages, "`training_strategy.mask_threshold` must be a number");
  assert.match(messages, "data and model are not looked at here");
  assert.match(await client.hover(train, "mask_thresh|old"), "Mask latents above it");
  await client.close();
});

test("what needs more than it has is said without a stack", ({ folder }) => {
  const program = join(folder, "extension/server/dist/ltxc.mjs");
  writeFileSync(join(folder, "b.strategy"), "strategy: b\nextends: inpainting\n");
  const done = spawnSync(process.execPath, [program, "inspect", "b.strategy"], { cwd: folder, encoding: "utf8" });
  assert.is(done.status, 2);
  assert.match(
    done.stderr,
    /^error: this needs the package esbuild, which is not there.*\nhelp: install ltxc in the project/,
  );
});

test.run();
