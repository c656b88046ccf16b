/** How much of a run's time is spent waiting for data (aim: less than 2 % where batches are read ahead). */
import { rm } from "node:fs/promises";
import { project } from "../bin/testing/testing.ts";
import { train } from "../runtime/train.ts";
import { openProject } from "./open-project.ts";

const steps = 60;

/** The share of the steps' time, without the first one, which warms everything up. */
async function shareOfWaiting(workers: number): Promise<number> {
  const folder = await project({ steps, interval: "null", num_dataloader_workers: workers });
  try {
    const { run, close } = await openProject(folder);
    let [waited, all] = [0, 0];
    await train(run, {
      onEvent(event) {
        if (event.type !== "step" || event.globalStep === 1) return;
        waited += event.waitSeconds;
        all += event.secondsPerStep;
      },
    });
    await close();
    return waited / all;
  } finally {
    await rm(folder, { recursive: true });
  }
}

console.log(`\nWaiting for data in a run of ${steps} steps on wasm`);
for (const workers of [0, 1, 2, 4]) {
  const share = await shareOfWaiting(workers);
  const aim = workers === 0 ? "" : ", aim: less than 2 %";
  console.log(`  num_dataloader_workers ${workers}: ${(share * 100).toFixed(2)} % of the steps' time${aim}`);
  if (workers > 0 && share >= 0.02) process.exitCode = 1;
}
