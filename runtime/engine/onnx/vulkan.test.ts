import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { hasDriver } from "./vulkan.ts";

const test = suite("vulkan");
const newFolder = temporaryFolders(test, "vulkan");

test("a driver is found by its description in the folders that the environment names", async () => {
  const home = await newFolder();
  const empty = { HOME: home, XDG_DATA_DIRS: join(home, "share"), XDG_CONFIG_DIRS: join(home, "xdg") };
  const described = join(home, "share/vulkan/icd.d");
  mkdirSync(described, { recursive: true });
  writeFileSync(join(described, "README"), "");
  const before = hasDriver(empty);
  writeFileSync(join(described, "some_icd.json"), "{}");
  assert.is(hasDriver(empty), true);
  // Those in /etc count for every environment.
  assert.is(hasDriver({ ...empty, XDG_DATA_DIRS: home }), before);
  assert.is(hasDriver({ ...empty, XDG_DATA_DIRS: home, VK_ICD_FILENAMES: join(described, "some_icd.json") }), true);
});

test.run();
