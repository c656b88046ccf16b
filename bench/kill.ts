/**
 * Kills runs with SIGKILL at random moments, resumes them until they are done, and compares their weights with those of a run that
 * was left alone (aim: the same bytes, and never a file that can not be read). Arguments: how many runs, and their engine; 8 and wasm if left away.
 */
import type { ChildProcess } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { watch } from "node:fs";
import { basename, join } from "node:path";
import { readTensorFile } from "../runtime/checkpoints/tensor-file.ts";
import { checkpointsOf, differences, hashesOf, nextArguments, runToEnd, steps, withCopies } from "./short-runs.ts";

const killsPerRun = 4;
const runs = Number(process.argv[2] || 8);
const engine = process.argv[3] ?? "wasm";

/** Ends the process at once, some milliseconds after it began to train or as soon as it writes the `n`-th file from then on. */
type Kill = { readonly afterMs: number } | { readonly atFile: number };

function arm(child: ChildProcess, folder: string, kill: Kill): () => void {
  if ("afterMs" in kill) {
    const timer = setTimeout(() => child.kill("SIGKILL"), kill.afterMs);
    return () => clearTimeout(timer);
  }
  let seen = 0;
  const watcher = watch(checkpointsOf(folder), (_, file) => {
    if (file?.endsWith(".tmp") && ++seen === kill.atFile) child.kill("SIGKILL");
  });
  return () => watcher.close();
}

/** The files of a folder's checkpoints, all of which can be read; a file that was being written is counted and not read. */
async function inspect(folder: string): Promise<{ readonly files: number; readonly halves: number }> {
  const names = await readdir(checkpointsOf(folder));
  const whole = names.filter((name) => /\.(safetensors|state)$/.test(name));
  for (const name of whole) await readTensorFile(join(checkpointsOf(folder), name));
  return { files: whole.length, halves: names.filter((name) => name.endsWith(".tmp")).length };
}

/** With `--json`, findings are there. */
const lastLineOf = (out: string): string => out.trim().split("\n").at(-1) ?? "";

/** By turns at any moment of the training and while one of the three files of a checkpoint is written. */
function killAt(turn: number, seconds: number): Kill {
  return turn % 2 === 0
    ? { afterMs: Math.random() * seconds * 1000 }
    : { atFile: 1 + Math.floor(Math.random() * steps) };
}

async function killedRun(folder: string, seconds: number, number: number) {
  let [kills, files, duringWriting] = [0, 0, 0];
  for (;;) {
    const kill = kills === killsPerRun ? null : killAt(kills + number, seconds);
    let disarm = () => {};
    const { code, out, err } = await runToEnd(folder, await nextArguments(folder), {
      onBegun: (child) => {
        if (kill !== null) disarm = arm(child, folder, kill);
      },
    });
    disarm();
    if (code !== null && code !== 0) throw new Error(`a resumed run ended with ${code}:\n${err}${lastLineOf(out)}`);
    if (code === 0) return { kills, files, duringWriting };
    kills++;
    const found = await inspect(folder);
    files += found.files;
    duringWriting += found.halves > 0 ? 1 : 0;
  }
}

await withCopies(async ({ seconds, hashes }, copied) => {
  console.log(
    `\n${runs} runs of ${steps} steps on ${engine}, killed and resumed; left alone one trains ${seconds.toFixed(1)} s`,
  );
  const sum = { kills: 0, files: 0, duringWriting: 0, equal: 0 };
  for (let i = 0; i < runs; i++) {
    const folder = await copied(String(i));
    const { kills, files, duringWriting } = await killedRun(folder, seconds, i);
    const others = differences(await hashesOf(folder), hashes);
    if (others !== "") console.log(`  ${basename(folder)}: after ${kills} kills other contents of ${others}`);
    sum.kills += kills;
    sum.files += files;
    sum.duringWriting += duringWriting;
    sum.equal += Number(others === "");
    await rm(folder, { recursive: true });
  }
  console.log(`  ${sum.kills} kills, ${sum.duringWriting} of them while a file was being written`);
  console.log(`  ${sum.files} files looked at after them, all of them whole`);
  console.log(`  ${sum.equal} of ${runs} runs ended with the files of the run that was left alone, byte for byte`);
  if (sum.equal < runs) process.exitCode = 1;
}, engine);
