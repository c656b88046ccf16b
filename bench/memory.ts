/** Tensors and memory of a run of 300 steps (aim: the same number of tensors at step 10 and at step 300). */
import { rmSync } from "node:fs";
import { project } from "../bin/testing.ts";
import { train } from "../runtime/train.ts";
import { openProject } from "./open-project.ts";

const folder = await project({ steps: 300, interval: "null" });
try {
  const { engine, run, close } = await openProject(folder);
  console.log("\nA run of 300 steps on wasm");
  await train(run, {
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
  await close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
