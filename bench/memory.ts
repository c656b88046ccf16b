/**
 * Tensors and memory of a long run of the tiny model (aim: the same number of tensors with the same number of bytes throughout, and
 * resident memory at the end within 2 % of that at step 500). Resident memory goes up and down by some MiB with what has just been
 * collected, so each of the two is the median of eleven looks at it, ten steps apart. Arguments: how many steps, 5000 if left away, and the
 * engine, wasm if left away, which may be `torch-bf16`, or `torch-blocks` for blocks that wait on the host.
 */
import { rmSync } from "node:fs";
import { project } from "../bin/testing/testing.ts";
import { train } from "../runtime/train.ts";
import { openProject } from "./open-project.ts";
import type { EngineName } from "../runtime/engine/engine.ts";
import { useTorch } from "./use-torch.ts";

const [asked = "5000", engineName = "wasm"] = process.argv.slice(2);
const steps = Number(asked);
const [name = "", how = ""] = engineName.split("-");
const settled = 500;
const shownEvery = 500;
/** Steps before a figure in which it is looked at, and how far apart. */
const [span, apart] = [100, 10];

interface Reading {
  readonly step: number;
  readonly tensors: number;
  readonly tensorBytes: number;
  readonly heap: number;
  readonly outside: number;
  readonly resident: number;
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function show({ step, tensors, tensorBytes, heap, outside, resident }: Reading): void {
  console.log(
    `  step ${String(step).padStart(4)}: ${tensors} tensors, ${mebibytes(tensorBytes)} in them, heap ${mebibytes(heap)},` +
      ` buffers ${mebibytes(outside)}, resident ${mebibytes(resident)}`,
  );
}

const folder = await project({ steps, interval: 1000 });
const readings: Reading[] = [];
try {
  const precision = how === "bf16" ? "bfloat16" : "float32";
  if (name === "torch") await useTorch();
  const { engine, run, close } = await openProject(folder, name as EngineName, precision);
  if (how === "blocks") engine.offload?.(true);
  console.log(`\nA run of ${steps} steps on ${engineName}, with a checkpoint every 1,000`);
  await train(run, {
    onEvent(event) {
      if (event.type !== "step" || event.globalStep % apart !== 0) return;
      globalThis.gc?.();
      const { tensors, bytes } = engine.memory();
      const { rss, heapUsed, external } = process.memoryUsage();
      const reading = {
        step: event.globalStep,
        tensors,
        tensorBytes: bytes,
        heap: heapUsed,
        outside: external,
        resident: rss,
      };
      readings.push(reading);
      if (event.globalStep === apart || event.globalStep % shownEvery === 0) show(reading);
    },
  });
  await close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Resident memory up to the step `end`, in bytes. */
function residentAt(end: number): number {
  const looks = readings.filter(({ step }) => step > end - span - apart && step <= end).map(({ resident }) => resident);
  return looks.toSorted((a, b) => a - b)[looks.length >> 1] ?? Number.NaN;
}

if (steps > settled) {
  const [before, after] = [residentAt(settled), residentAt(steps)];
  const growth = after / before - 1;
  console.log(
    `  resident memory from step ${settled} to the end: ${mebibytes(before)} to ${mebibytes(after)},` +
      ` ${(growth * 100).toFixed(2)} %, aim: at most 2 %`,
  );
  if (!(growth <= 0.02)) process.exitCode = 1;
}
for (const what of ["tensors", "tensorBytes"] as const) {
  if (new Set(readings.map((reading) => reading[what])).size === 1) continue;
  console.log(`  ${what} are not constant`);
  process.exitCode = 1;
}
