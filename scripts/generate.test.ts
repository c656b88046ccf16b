import { existsSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { generated } from "./generate.ts";

const test = suite("generated files");

test("are those that `npm run generate` writes", async () => {
  const files = await generated();
  assert.ok(files.size >= 2);
  for (const [path, text] of files) {
    const present = readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
    assert.ok(present === text, `${path} is out of date: run \`npm run generate\``);
  }
});

test("name the file to edit, which exists", async () => {
  const files = await generated();
  const schema = JSON.parse(files.get("schemas/strategy.schema.json") ?? "") as { $comment: string };
  const source = /compiler\S+\.ts/.exec(schema.$comment)?.[0];
  assert.ok(source !== undefined && existsSync(new URL(`../${source}`, import.meta.url)), schema.$comment);
});

test.run();
