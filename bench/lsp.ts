/**
 * How fast `ltxc lsp` answers: key strokes in a strategy of 200 lines, alone and among 1,000 others. npm run bench -- lsp, or lsp=1500 for as many
 * strokes. Times are those that an editor sees: from the change to the answer of the completion that follows it, over pipes.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ClientCapabilities } from "vscode-languageserver-protocol";
import { startClient } from "../bin/testing/language-client.ts";

const program = process.argv[3] ?? fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));
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

/** What VS Code says of its completions; Neovim and Helix say nearly the same. */
const capabilities: ClientCapabilities = {
  textDocument: {
    completion: {
      completionItem: { snippetSupport: true, resolveSupport: { properties: ["documentation", "detail"] } },
      completionList: { itemDefaults: ["editRange"] },
    },
  },
};

/** The same of the thread that answers alone, from the scheduler: what a key stroke would take if nothing else ran. */
function threadTime(pid: number | undefined): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
}

const shares = (times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b);
  return [percentile(sorted, 0.5), percentile(sorted, 0.99), sorted.at(-1) ?? Number.NaN]
    .map((ms) => ms.toFixed(1))
    .join(", ");
};

const typed = "  keep_more: not inpaint and video.frame_index > 1 or video.row < video.height / 2\n";

/** Types, deletes and asks for completions in the middle of the file; `pause` is the time between two strokes, ms. */
async function measure(folder: string, title: string, pause: number): Promise<void> {
  const started = performance.now();
  const client = await startClient(folder, {}, [program, "lsp"], capabilities);
  const { pid } = client.process;
  const path = join(folder, "typed.strategy");
  const text = strategy("typed", 200);
  await client.open(path, text);
  const ready = performance.now() - started;
  // Nobody types in the moment in which a file opens.
  await setTimeout(1000);
  const begin = text.indexOf("\nvideo:") + 1;
  const [times, threads]: [number[], number[]] = [[], []];
  const used = processorTime(pid);
  for (let i = 0; i < strokes; i++) {
    const at = begin + (i % typed.length);
    if (i % typed.length === 0 && i > 0) await client.edit(path, typed, "");
    const [before, thread] = [performance.now(), threadTime(pid)];
    await client.type(path, at, typed.charAt(i % typed.length));
    await client.complete(path, at + 1);
    times.push(performance.now() - before);
    threads.push(threadTime(pid) - thread);
    if (pause > 0) await setTimeout(pause);
  }
  const each = (processorTime(pid) - used) / strokes;
  const memory = memoryOf(pid);
  await client.close();
  console.log(
    `${title}: from start to first findings ${ready.toFixed(0)} ms; ${strokes} strokes: median, 99th percentile, most ${shares(times)} ms, of the answering thread alone ${shares(threads)} ms; on the processor ${each.toFixed(1)} ms each, findings included; memory at most ${memory.toFixed(0)} MiB`,
  );
}

const folder = mkdtempSync(join(tmpdir(), "ltxc-bench-lsp-"));
await measure(folder, "one strategy of 200 lines", 0);
await measure(folder, "the same, 150 ms between strokes", 150);
for (let i = 0; i < 1000; i++) writeFileSync(join(folder, `s${i}.strategy`), strategy(`s${i}`, 60));
await measure(folder, "one strategy among 1,000", 0);
rmSync(folder, { recursive: true });
