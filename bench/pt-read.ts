import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isTensor, readPt, toFloat32, writePt } from "../runtime/data/pt/index.ts";

/** A clip of 121 frames at 768 x 512, thrice over to outweigh fixed costs: `[128, 48, 16, 24]`. */
const shape = [128, 48, 16, 24];
const ROUNDS = 12;

const folder = await mkdtemp(join(tmpdir(), "ltxc-bench-"));
try {
  for (const storage of ["bfloat16", "float32"] as const) {
    const path = join(folder, `${storage}.pt`);
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
    await writePt(path, { latents: { shape, storage, values } });
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      const content = await readPt(path);
      const latents = content instanceof Map ? content.get("latents") : null;
      if (!isTensor(latents) || toFloat32(latents).length !== values.length) throw new Error("read back wrongly");
      times.push(performance.now() - start);
    }
    const median = times.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? Infinity;
    const megabytes = (values.length * (storage === "bfloat16" ? 2 : 4)) / 1e6;
    console.log(`.pt reading, ${storage} to float32: ${((megabytes / median) * 1000).toFixed(0)} MB/s (warm cache)`);
  }
} finally {
  await rm(folder, { recursive: true });
}
