import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { missingPackage } from "./missing-package.ts";
import { packageRoot } from "./package-root.ts";

const test = suite("packages that are not there");

/** The error that Node.js throws. */
const notFound = (name: string, from: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from ${from}`), { code: "ERR_MODULE_NOT_FOUND" });

test("a package of this program is named; what a project imports, and other errors, are not", async () => {
  const own = join(packageRoot, "dist/ltxc.mjs");
  assert.is(missingPackage(notFound("esbuild", own)), "esbuild");
  assert.is(missingPackage(notFound("left-pad", "/home/me/project/edges.mjs")), null);
  assert.is(missingPackage(new Error(`Cannot find package 'esbuild' imported from ${own}`)), null);
  const thrown = await import("a-package-that-nobody-has" as string).catch((error: unknown) => error);
  assert.is(missingPackage(thrown), "a-package-that-nobody-has");
});

test.run();
