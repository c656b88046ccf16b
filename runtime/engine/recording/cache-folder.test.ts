import { homedir } from "node:os";
import { isAbsolute } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cacheFolder } from "./cache-folder.ts";

const test = suite("cache folder");

test("the user's choice counts where it is an absolute path; others are as none", () => {
  assert.is(cacheFolder({ XDG_CACHE_HOME: "/data/cache" }), "/data/cache");
  const usual = cacheFolder({});
  assert.ok(usual !== null && isAbsolute(usual) && usual.startsWith(homedir()), String(usual));
  for (const odd of ["", ".", "cache", "../cache", "~/cache"])
    assert.is(cacheFolder({ XDG_CACHE_HOME: odd }), usual, odd);
});

test.run();
