/**
 * Kills runs with SIGKILL at random moments, resumes them until they are done, and compares their weights with those of a run that
 * was left alone (aim: the same bytes, and never a file that can not be read). The first argument is how many runs: 8 if left away.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { watch } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { project } from "../bin/testing/testing.ts";
import { readTensorFile } from "../runtime/checkpoints/tensor-file.ts";

const steps = 30;
const killsPerRun = 4;
const runs = Number(process.argv[2] || 8);
const ltxc = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));
const settings = ["checkpoints.interval=1", "checkpoints.keep_last_n=2", "checkpoints.save_training_state=full"];
const last = `lora_weights_step_${String(steps).padStart(5, "0")}.safetensors`;
const checkpointsOf = (folder: string) => join(folder, "outputs/checkpoints");

/** Ends the process at once, some milliseconds after it began to train or as soon as it writes the `n`-th file from then on. */
type Kill = { readonly afterMs: number } | { readonly atFile: number };

interface Ended {
  readonly code: number | null;
  readonly seconds: number;
  readonly err: string;
}

async function ltxcRun(folder: string, resume: boolean, kill: Kill | null): Promise<Ended> {
  // Without a checkpoint only metrics are there, which a run that begins anew must be told to delete.
  const how = resume ? "--resume" : "--overwrite";
  const args = [ltxc, "run", "--json", ...settings.flatMap((text) => ["--set", text]), how];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let [began, err] = [Number.NaN, ""];
  child.stderr.on("data", (part: Buffer) => (err += part.toString()));
  let stopWatching = () => {};
  child.stdout.on("data", () => {
    if (!Number.isNaN(began)) return;
    began = performance.now();
    if (kill !== null) stopWatching = arm(child, folder, kill);
  });
  const code = await new Promise<number | null>((done) => child.on("close", done));
  stopWatching();
  return { code, seconds: (performance.now() - began) / 1000, err };
}

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
  const names = await readdir(checkpointsOf(folder)).catch((): string[] => []);
  const whole = names.filter((name) => /\.(safetensors|state)$/.test(name));
  for (const name of whole) await readTensorFile(join(checkpointsOf(folder), name));
  return { files: whole.length, halves: names.filter((name) => name.endsWith(".tmp")).length };
}

const hashOf = async (folder: string) =>
  createHash("sha256")
    .update(await readFile(join(checkpointsOf(folder), last)))
    .digest("hex");

/** By turns at any moment of the training and while one of the three files of a checkpoint is written. */
function killAt(turn: number, seconds: number): Kill {
  return turn % 2 === 0
    ? { afterMs: Math.random() * seconds * 1000 }
    : { atFile: 1 + Math.floor(Math.random() * steps) };
}

async function killedRun(folder: string, seconds: number, number: number) {
  let [kills, files, duringWriting] = [0, 0, 0];
  for (;;) {
    const names = await readdir(checkpointsOf(folder)).catch((): string[] => []);
    const resume = names.some((name) => name.endsWith(".safetensors"));
    const kill = kills === killsPerRun ? null : killAt(kills + number, seconds);
    const { code, err } = await ltxcRun(folder, resume, kill);
    if (code !== null && code !== 0) throw new Error(`a resumed run ended with ${code}:\n${err}`);
    if (code === 0) return { kills, files, duringWriting };
    kills++;
    const found = await inspect(folder);
    files += found.files;
    duringWriting += found.halves > 0 ? 1 : 0;
  }
}

const original = await project({ steps, interval: "null" });
const parent = await mkdtemp(join(tmpdir(), "ltxc-kill-"));
try {
  const alone = join(parent, "alone");
  await cp(original, alone, { recursive: true });
  const { code, seconds, err } = await ltxcRun(alone, false, null);
  if (code !== 0) throw new Error(err);
  const wanted = await hashOf(alone);
  console.log(`\n${runs} runs of ${steps} steps, killed and resumed; left alone one trains ${seconds.toFixed(1)} s`);
  const sum = { kills: 0, files: 0, duringWriting: 0, equal: 0 };
  for (let i = 0; i < runs; i++) {
    const folder = join(parent, String(i));
    await cp(original, folder, { recursive: true });
    await mkdir(checkpointsOf(folder), { recursive: true });
    const { kills, files, duringWriting } = await killedRun(folder, seconds, i);
    const isEqual = (await hashOf(folder)) === wanted;
    if (!isEqual) console.log(`  ${basename(folder)}: other weights after ${kills} kills`);
    sum.kills += kills;
    sum.files += files;
    sum.duringWriting += duringWriting;
    sum.equal += Number(isEqual);
    await rm(folder, { recursive: true });
  }
  console.log(`  ${sum.kills} kills, ${sum.duringWriting} of them while a file was being written`);
  console.log(`  ${sum.files} files looked at after them, all of them whole`);
  console.log(`  ${sum.equal} of ${runs} runs ended with the weights of the run that was left alone, byte for byte`);
  if (sum.equal < runs) process.exitCode = 1;
} finally {
  await rm(parent, { recursive: true, force: true });
  await rm(original, { recursive: true, force: true });
}
