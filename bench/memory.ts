/** Tensors and memory of a run of 300 steps (aim: the same number of tensors at step 10 and at step 300). */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sourceFile } from "../compiler/source/source-file.ts";
import { processIo } from "../bin/io.ts";
import { examineRunConfig } from "../bin/run-config.ts";
import { findBuild } from "../bin/builds.ts";
import { project } from "../bin/testing.ts";
import type { StrategyConfig } from "../runtime/config/index.ts";
import { openEngine } from "../runtime/engine/index.ts";
import { train } from "../runtime/train.ts";
import { openRun } from "../runtime/training/open-run.ts";

const folder = await project({ steps: 300, interval: "null" });
try {
  const path = join(folder, "train.yaml");
  const find = (section: StrategyConfig) => findBuild(section, join(folder, "build"), folder);
  const { ready } = await examineRunConfig(processIo(), sourceFile(path, readFileSync(path, "utf8")), find, {
    withFiles: false,
  });
  if (ready === null) throw new Error("the project's own run config is refused");
  const { engine } = await openEngine("wasm");
  const opened = await openRun(engine, ready.config, ready.step);
  console.log("\nA run of 300 steps on wasm");
  await train(opened.run, {
    onEvent(event) {
      if (event.type !== "step" || ![10, 100, 200, 300].includes(event.globalStep)) return;
      globalThis.gc?.();
      const { tensors, bytes } = engine.memory();
      const megabytes = (count: number) => `${(count / 2 ** 20).toFixed(1)} MiB`;
      const { rss, heapUsed } = process.memoryUsage();
      console.log(
        `  step ${String(event.globalStep).padStart(3)}: ${tensors} tensors, ${megabytes(bytes)} in them, heap ${megabytes(heapUsed)}, resident ${megabytes(rss)}`,
      );
    },
  });
  await opened.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
