// What the language server says that depends on folders: those of the data and of data sets, and those that are gone.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RenameRequest, type WorkspaceEdit } from "vscode-languageserver-protocol";
import { edited, startClient, uriOf, type LanguageClient } from "../testing/language-client.ts";

interface Context {
  folder: string;
  client: LanguageClient;
}

const test = suite<Context>("ltxc lsp and folders");

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "ltxc-lsp-"));
  context.client = await startClient(context.folder);
});

test.after(async ({ client, folder }) => {
  await client.close();
  await rm(folder, { recursive: true });
});

/** What is offered behind a piece of an open file. */
async function labels(client: LanguageClient, path: string, piece: string): Promise<readonly string[]> {
  const at = client.text(path).indexOf(piece) + piece.length;
  return (await client.complete(path, at)).map(({ label }) => label);
}

test("files whose folder is gone are judged by their texts", async ({ client, folder }) => {
  const at = (name: string) => join(folder, "gone", name);
  const found = await client.open(at("train.yaml"), "training_strategy:\n  name: nothing\n");
  assert.ok(
    found.some(({ code }) => code === "LTX6010"),
    JSON.stringify(found),
  );
  await client.open(at("a.strategy"), "strategy: a\nextends: \n");
  assert.ok((await labels(client, at("a.strategy"), "extends: ")).includes("inpainting"));
});

test("`directory:` completes the folders of the data that train.yaml names", async ({ client, folder }) => {
  const path = join(folder, "a.strategy");
  await mkdir(join(folder, "clips/.precomputed/depth/near"), { recursive: true });
  await client.open(join(folder, "train.yaml"), "data:\n  preprocessed_data_root: clips\n");
  await client.open(path, 'strategy: a\nsources:\n  a: {directory: }\n  b: {directory: "depth/"}\n');
  assert.equal(await labels(client, path, "a: {directory: "), ["depth"]);
  assert.equal(await labels(client, path, 'directory: "depth/'), ["depth/near"]);
});

test("run configs name the data sets of their strategy", async ({ client, folder }) => {
  const [path, config] = [join(folder, "mixed.strategy"), join(folder, "train.yaml")];
  const strategy = "strategy: mixed\ndatasets:\n  own: {}\n  prior: {share: 0.5}\nexpect:\n  - in(prior)\n";
  const start = "training_strategy:\n  name: mixed\nruntime:\n  datasets:\n    ";
  await writeFile(path, strategy);
  await writeFile(config, `${start}prior: more\n`);
  await client.open(path, strategy);
  await client.open(config, start);
  assert.equal(await labels(client, config, "datasets:\n    "), ["own", "prior"]);
  await client.open(config, `${start}prior: more\n`);
  assert.match(await client.hover(config, "pri|or"), "data set");
  assert.equal(
    (await client.definition(config, "pri|or")).map(({ uri, range }) => [uri, range.start.line]),
    [[uriOf(path), 3]],
  );
  for (const [file, piece] of [
    [path, "in(pri|or"],
    [config, "pri|or"],
  ] as const) {
    const asked = { ...client.at(file, piece), newName: "class_clips" };
    const { changes = {} } = await client.ask<object, WorkspaceEdit>(RenameRequest.type, asked);
    assert.match(edited(client.text(config), changes[uriOf(config)] ?? []), "    class_clips: more");
    assert.match(edited(strategy, changes[uriOf(path)] ?? []), "in(class_clips)");
  }
});

test.run();
