// Every example holds on all batches that `ltxc test` makes: no value is lost to a single frame or an empty mask.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packageRoot } from "../shell/package-root.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("examples on trial");
const folder = join(packageRoot, "examples");

test("no example fails a check", async () => {
  const entries = await readdir(folder, { recursive: true });
  const strategies = entries.filter((name) => name.endsWith(".strategy")).toSorted();
  assert.ok(strategies.length > 20);
  const { code, out, err } = await ltxc(["test", ...strategies, "--json"], { cwd: folder });
  assert.is(err, "");
  const { diagnostics, files } = JSON.parse(out) as {
    diagnostics: { path: string; message: string }[];
    files: { batches: number }[];
  };
  assert.equal(
    diagnostics.map(({ path, message }) => `${path}: ${message}`),
    [],
  );
  assert.is(code, 0);
  assert.ok(files.every(({ batches }) => batches >= 36));
});

test.run();
