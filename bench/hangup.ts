/**
 * Runs whose terminal or reader goes away. Half of them are ended by SIGHUP at random moments, also while they start, and resumed until
 * they are done; every second of these loses its outputs as well, as with a closed terminal. The others lose stdout, or both outputs, at a
 * random moment, or are piped into `head -1`; they must train to their end. All must leave the files of a run that was left alone, byte
 * for byte, and end with the documented exit codes. The first argument is how many of each: 20 if left away.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  differences,
  hashesOf,
  nextArguments,
  runArguments,
  runToEnd,
  steps,
  withCopies,
  type Ended,
  type Undisturbed,
} from "./short-runs.ts";

const hangupsPerRun = 4;
const runs = Number(process.argv[2] || 20);

function closeOutputs(child: ChildProcess, which: "stdout" | "both"): void {
  child.stdout?.destroy();
  if (which === "both") child.stderr?.destroy();
}

/** Calls `f` with the process at a random moment of the time that a run takes. */
function atRandom({ allSeconds }: Undisturbed, f: (child: ChildProcess) => void) {
  return {
    onStart: (child: ChildProcess) => {
      const timer = setTimeout(() => f(child), Math.random() * allSeconds * 1000);
      child.on("close", () => clearTimeout(timer));
    },
  };
}

/** What is wrong with how a run ended that got SIGHUP: it has saved and ends with 130, or had not begun, or was done already. */
function faultOfEnd({ code, signal, out, err }: Ended, isSilent: boolean): string {
  if (code === 0 || code === 130) {
    const last = out.trim().split("\n").at(-1) ?? "";
    if (isSilent || last.includes(code === 0 ? `"type":"finished"` : `"type":"interrupted"`)) return "";
    return `ended with ${code} and last said ${last}`;
  }
  if (signal === "SIGHUP" && !out.includes(`"type":"step"`)) return "";
  return `ended with ${code ?? signal}:\n${out.slice(-500)}\n${err}`;
}

interface Outcome {
  readonly faults: readonly string[];
  /** How often it was stopped in the training, and before it. */
  readonly stopped: number;
  readonly early: number;
}

async function hungUp(folder: string, alone: Undisturbed, isSilent: boolean): Promise<Outcome> {
  const faults: string[] = [];
  let [stopped, early] = [0, 0];
  for (let hangups = 0; ; hangups++) {
    const hangUp = atRandom(alone, (child) => {
      if (isSilent) closeOutputs(child, "both");
      child.kill("SIGHUP");
    });
    const ended = await runToEnd(folder, await nextArguments(folder), hangups < hangupsPerRun ? hangUp : {});
    const fault = faultOfEnd(ended, isSilent);
    if (fault !== "") return { faults: [...faults, fault], stopped, early };
    if (ended.code === 0) return { faults, stopped, early };
    if (ended.code === 130) stopped++;
    else early++;
  }
}

/** By turns: stdout is closed, both outputs are, a shell pipes into `head -1`. Returns the exit code. */
async function withoutReader(folder: string, alone: Undisturbed, number: number): Promise<number | null> {
  const args = runArguments("--overwrite");
  const which = (["stdout", "both", "head"] as const)[number % 3] ?? "head";
  if (which !== "head") {
    const { code } = await runToEnd(
      folder,
      args,
      atRandom(alone, (child) => closeOutputs(child, which)),
    );
    return code;
  }
  const script = `("$0" "$@"; echo $? > code) | head -1 > first`;
  const shell = spawn("sh", ["-c", script, process.execPath, ...args], { cwd: folder, stdio: "ignore" });
  await new Promise((done) => shell.on("close", done));
  return Number(await readFile(join(folder, "code"), "utf8"));
}

async function main(alone: Undisturbed, copied: (name: string) => Promise<string>): Promise<void> {
  console.log(`\nruns of ${steps} steps; left alone one takes ${alone.allSeconds.toFixed(1)} s`);
  const sum = { stopped: 0, early: 0, hungUp: 0, unread: 0 };
  const isRight = async (folder: string, kind: string, faults: readonly string[]) => {
    const others = differences(await hashesOf(folder), alone.hashes);
    const all = [...faults, ...(others === "" ? [] : [`other contents of ${others}`])];
    for (const fault of all) console.log(`  ${kind}: ${fault}`);
    await rm(folder, { recursive: true });
    return Number(all.length === 0);
  };
  for (let i = 0; i < runs; i++) {
    const folder = await copied(`hangup-${i}`);
    const { faults, stopped, early } = await hungUp(folder, alone, i % 2 === 1);
    sum.stopped += stopped;
    sum.early += early;
    sum.hungUp += await isRight(folder, `hangup ${i}`, faults);
  }
  for (let i = 0; i < runs; i++) {
    const folder = await copied(`unread-${i}`);
    const code = await withoutReader(folder, alone, i);
    sum.unread += await isRight(folder, `closed pipe ${i}`, code === 1 ? [] : [`ended with ${code}`]);
  }
  console.log(
    `  ${sum.stopped} times SIGHUP stopped a training, which saved and ended with 130; ${sum.early} times it came earlier`,
  );
  console.log(`  ${sum.hungUp} of ${runs} resumed runs left the files of the run that was left alone, byte for byte`);
  console.log(`  ${sum.unread} of ${runs} runs with closed pipes trained to the same files and ended with 1`);
  if (sum.hungUp + sum.unread < 2 * runs) process.exitCode = 1;
}

await withCopies(main);
