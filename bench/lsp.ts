/**
 * How fast `ltxc lsp` answers: key strokes in a strategy of 200 lines, alone and among 1,000 others. npm run bench -- lsp, or lsp=1500 for as many
 * strokes. Times are those that an editor sees: from the change to the answer of the completion that follows it, over pipes.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startClient } from "../bin/testing/language-client.ts";

const program = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));
const strokes = Number(process.argv[2] ?? 500);

/** A strategy of 200 lines, most of them values that use one another. */
function strategy(name: string, lines: number): string {
  const head = readFileSync(fileURLToPath(new URL("../compiler/builtin/inpainting.strategy", import.meta.url)), "utf8");
  const values = Array.from({ length: lines - head.split("\n").length }, (_, i) =>
    i === 0 ? "  v0: float(video.row > 1)" : `  v${i}: clamp(v${i - 1} + float(video.column > ${i}), 0, 1)`,
  );
  return head.replace("strategy: inpainting", `strategy: ${name}`).replace("let:\n", `let:\n${values.join("\n")}\n`);
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

function memoryOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** Time on the processor so far, ms: unlike that on the wall, hardly longer on a busy machine. */
function processorTime(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  // In hundredths of a second: user and system.
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Types, deletes and asks for completions in the middle of the file. */
async function measure(folder: string, title: string): Promise<void> {
  const started = performance.now();
  const client = await startClient(folder, {}, [program, "lsp"]);
  const path = join(folder, "typed.strategy");
  const text = strategy("typed", 200);
  await client.open(path, text);
  const ready = performance.now() - started;
  const typed = "  keep_more: not inpaint and video.frame_index > 1 or video.row < video.height / 2\n";
  const begin = text.indexOf("\nvideo:") + 1;
  const times: number[] = [];
  const used = processorTime(client.process.pid);
  for (let i = 0; i < strokes; i++) {
    const at = begin + (i % typed.length);
    if (i % typed.length === 0 && i > 0) await client.edit(path, typed, "");
    const before = performance.now();
    await client.type(path, at, typed.charAt(i % typed.length));
    await client.complete(path, at + 1);
    times.push(performance.now() - before);
  }
  const each = (processorTime(client.process.pid) - used) / strokes;
  const memory = memoryOf(client.process.pid);
  await client.close();
  const sorted = times.toSorted((a, b) => a - b);
  const shown = [percentile(sorted, 0.5), percentile(sorted, 0.99)].map((ms) => `${ms.toFixed(1)} ms`).join(", ");
  console.log(
    `${title}: from start to first findings ${ready.toFixed(0)} ms; ${strokes} strokes: median, 99th percentile ${shown}, on the processor ${each.toFixed(1)} ms each, findings included; memory at most ${memory.toFixed(0)} MiB`,
  );
}

const folder = mkdtempSync(join(tmpdir(), "ltxc-bench-lsp-"));
await measure(folder, "one strategy of 200 lines");
for (let i = 0; i < 1000; i++) writeFileSync(join(folder, `s${i}.strategy`), strategy(`s${i}`, 60));
await measure(folder, "the same among 1,000");
rmSync(folder, { recursive: true });
