import { readFileSync } from "node:fs";
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

test.run();
