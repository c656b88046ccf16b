/** Short runs of `ltxc run` for benches that end them early: 30 steps of the inpainting project, with a checkpoint after every step. */
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { project } from "../bin/testing/testing.ts";
import { useTorch } from "./use-torch.ts";

export const steps = 30;
const ltxc = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));
export const checkpointsOf = (folder: string): string => join(folder, "outputs/checkpoints");
const settings = ["checkpoints.interval=1", "checkpoints.keep_last_n=2", "checkpoints.save_training_state=full"];

/** The arguments of Node.js for such a run. */
export const runArguments = (how: "--resume" | "--overwrite"): readonly string[] => [
  ltxc,
  "run",
  "--json",
  ...settings.flatMap((text) => ["--set", text]),
  how,
];

/** Goes on from the last checkpoint. Where there is none, only metrics are there, which a run that begins anew must be told to delete. */
export async function nextArguments(folder: string): Promise<readonly string[]> {
  const names = await readdir(checkpointsOf(folder)).catch((): string[] => []);
  return runArguments(names.some((name) => name.endsWith(".safetensors")) ? "--resume" : "--overwrite");
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From its first output, the beginning of the training, to its end. */
  readonly seconds: number;
  /** From the start of the process to its end. */
  readonly allSeconds: number;
  readonly out: string;
  readonly err: string;
}

/** Runs to the end; `onStart` gets the process at once, `onBegun` when it trains. */
export async function runToEnd(
  folder: string,
  args: readonly string[],
  { onStart, onBegun }: { onStart?: (child: ChildProcess) => void; onBegun?: (child: ChildProcess) => void } = {},
): Promise<Ended> {
  const started = performance.now();
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let [began, out, err] = [Number.NaN, "", ""];
  child.stderr.on("data", (part: Buffer) => (err += part.toString()));
  child.stdout.on("data", (part: Buffer) => {
    out += part.toString();
    if (!Number.isNaN(began)) return;
    began = performance.now();
    onBegun?.(child);
  });
  onStart?.(child);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done) =>
    child.on("close", (...ended) => done(ended)),
  );
  const ended = performance.now();
  return { code, signal, seconds: (ended - began) / 1000, allSeconds: (ended - started) / 1000, out, err };
}

/** The SHA-256 of every file in the folder of checkpoints, by name. */
export async function hashesOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  for (const name of (await readdir(checkpointsOf(folder))).toSorted()) {
    const bytes = await readFile(join(checkpointsOf(folder), name));
    hashes.set(name, createHash("sha256").update(bytes).digest("hex"));
  }
  return hashes;
}

/** What a run that is left alone takes and writes. */
export interface Undisturbed {
  readonly seconds: number;
  readonly allSeconds: number;
  readonly hashes: ReadonlyMap<string, string>;
}

/**
 * Makes a project, lets a copy of it train undisturbed, and gives `f` a way to further copies; removes all of them afterwards.
 * @param engine what the runs compute with; `torch` with the PyTorch that the project's tests use
 */
export async function withCopies(
  f: (alone: Undisturbed, copied: (name: string) => Promise<string>) => Promise<void>,
  engine = "wasm",
): Promise<void> {
  if (engine === "torch") await useTorch();
  const original = await project({ steps, interval: "null", engine });
  const parent = await mkdtemp(join(tmpdir(), "ltxc-short-runs-"));
  const copied = async (name: string) => {
    const folder = join(parent, name);
    await cp(original, folder, { recursive: true });
    await mkdir(checkpointsOf(folder), { recursive: true });
    return folder;
  };
  try {
    const alone = await copied("alone");
    const { code, seconds, allSeconds, err } = await runToEnd(alone, runArguments("--overwrite"));
    if (code !== 0) throw new Error(err);
    await f({ seconds, allSeconds, hashes: await hashesOf(alone) }, copied);
  } finally {
    await rm(parent, { recursive: true, force: true });
    await rm(original, { recursive: true, force: true });
  }
}

/** The files that differ, as text; empty if none does. */
export function differences(found: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): string {
  const names = new Set([...found.keys(), ...wanted.keys()]);
  return [...names].filter((name) => found.get(name) !== wanted.get(name)).join(", ");
}
