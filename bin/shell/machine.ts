/** What the machine is, as far as training cares. */
import { execFile } from "node:child_process";
import { cpus, freemem, release, totalmem } from "node:os";
import { promisify } from "node:util";
import { systemProgram } from "../../runtime/files/index.ts";
import { findFfmpeg } from "../../runtime/index.ts";

export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly processor: { readonly model: string; readonly cores: number };
  /** Bytes. */
  readonly memory: { readonly total: number; readonly free: number };
  readonly gpus: readonly Gpu[];
}

interface Gpu {
  readonly name: string;
  /** As the driver prints it, e.g. `24564 MiB`. */
  readonly memory: string;
  readonly driver: string;
}

const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];

/** NVIDIA's GPUs as their driver's tool lists them; none where that tool is missing or fails. */
async function gpus(): Promise<readonly Gpu[]> {
  const program = systemProgram("nvidia-smi", process.env["PATH"] ?? "");
  if (program === null) return [];
  try {
    const { stdout } = await promisify(execFile)(program, query, { timeout: 10_000 });
    return stdout
      .trim()
      .split("\n")
      .map((line) => {
        const [name = "", memory = "", driver = ""] = line.split(",").map((cell) => cell.trim());
        return { name, memory, driver };
      });
  } catch {
    return [];
  }
}

/** The version of the program that writes videos; null where there is none, or none that says its version. */
export async function ffmpegVersion(): Promise<string | null> {
  const path = findFfmpeg();
  if (path === null) return null;
  try {
    const { stdout } = await promisify(execFile)(path, ["-version"], { timeout: 10_000 });
    return /^ffmpeg version ([\w.+~:-]+)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Bytes that programs here may use: those of the machine, or fewer where a container limits them. */
export function usableMemory(): number {
  // Node says 0, or more than there is, where nothing limits it.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Bytes of the NVIDIA GPU with the most memory; null where none is known. */
export async function gpuMemory(): Promise<number | null> {
  const sizes = (await gpus()).map(({ memory }) => Number.parseInt(memory, 10) * 2 ** 20).filter((bytes) => bytes > 0);
  return sizes.length === 0 ? null : Math.max(...sizes);
}

export async function inspectMachine(): Promise<Machine> {
  const processors = cpus();
  return {
    node: process.version,
    platform: `${process.platform} ${release()} ${process.arch}`,
    processor: { model: processors[0]?.model.trim() ?? "unknown", cores: processors.length },
    memory: { total: usableMemory(), free: Math.min(freemem(), usableMemory()) },
    gpus: await gpus(),
  };
}
