import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { readGpuUse, watchGpu, type GpuWatch } from "./gpu-watch.ts";

const test = suite("watching the GPU");
const newFolder = temporaryFolders(test, "ltxc-gpu");

/** A tool of the driver that prints this and keeps its arguments in a file. */
async function toolThat(prints: string): Promise<{ tool: string; asked: string }> {
  const folder = await newFolder();
  const [tool, asked] = [join(folder, "nvidia-smi"), join(folder, "asked")];
  await writeFile(tool, `#!/bin/sh\necho "$@" >> "${asked}"\n${prints}\n`);
  await chmod(tool, 0o755);
  return { tool, asked };
}

/** Waits until the tool was asked and has answered. */
async function seen(watch: GpuWatch, asked: string): Promise<void> {
  const isDone = async () => watch.latest() !== null || (await readFile(asked, "utf8").catch(() => "")) !== "";
  while (!(await isDone())) await sleep(5);
}

test("memory and utilisation are those that the driver's tool prints", async () => {
  const { tool, asked } = await toolThat('echo "NVIDIA H100 80GB HBM3, 49152, 81559, 97"');
  const watch = watchGpu(tool);
  while (watch.latest() === null) await sleep(5);
  watch.end();
  const { name, ...use } = watch.latest() ?? { name: "" };
  assert.is(name, "NVIDIA H100 80GB HBM3");
  assert.equal(use, { memoryBytes: 49152 * 2 ** 20, memoryTotalBytes: 81559 * 2 ** 20, utilization: 0.97 });
  assert.match(await readFile(asked, "utf8"), /--id=\S+ --query-gpu=name,memory.used,memory.total,utilization.gpu/);
});

test("a tool that fails or is missing is nothing to see", async () => {
  const { tool, asked } = await toolThat("exit 9");
  const watch = watchGpu(tool);
  await seen(watch, asked);
  assert.is(watch.latest(), null);
  watch.end();
  const missing = watchGpu(join(await newFolder(), "nvidia-smi"));
  assert.is(missing.latest(), null);
  missing.end();
});

test("text that is something else is not taken for numbers", () => {
  for (const text of ["", "No devices were found", "NVIDIA H100, [N/A], 81559, 97", "x, 1, 0, 2"])
    assert.is(readGpuUse(text), null, text);
  assert.is(readGpuUse("NVIDIA T4, 1, 2, [N/A]")?.utilization, 0);
});

test.run();
