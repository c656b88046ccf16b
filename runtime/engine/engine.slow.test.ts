import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("engines in a process of their own");

test("opening an engine and computing prints nothing", () => {
  const index = fileURLToPath(new URL("./index.ts", import.meta.url));
  const script = `
    const { openEngine, probeEngines } = await import(${JSON.stringify(index)});
    await probeEngines();
    for (const name of ["wasm", "cpu"]) (await openEngine(name)).engine.ops.fill([2], 1);`;
  const options = ["--import", "tsx", "--input-type=module", "--eval", script];
  // Without Vulkan drivers, which print in words of their own: Mesa's for the CPU does.
  const env = { ...process.env, XDG_DATA_DIRS: fileURLToPath(new URL("./none", import.meta.url)) };
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: "utf8", env });
  assert.equal([status, stdout, stderr], [0, "", ""]);
});

test.run();
