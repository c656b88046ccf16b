import { execFile } from "node:child_process";
import { systemProgram } from "../files/system-program.ts";

/** What an NVIDIA GPU does, as its driver tells. */
export interface GpuUse {
  readonly name: string;
  /** In use by all programs together, and what there is. */
  readonly memoryBytes: number;
  readonly memoryTotalBytes: number;
  /** Share of the last moment in which it computed anything, 0 to 1. */
  readonly utilization: number;
}

/** Looks at a GPU every few seconds, without making anybody wait. */
export interface GpuWatch {
  /** What was seen last; null before the first look, and where there is nothing to see. */
  latest(): GpuUse | null;
  end(): void;
}

/** The time from one look to the next. A look takes the driver's tool some ten milliseconds, on another core. */
const INTERVAL_MS = 5000;
const TIMEOUT_MS = 10_000;
const fields = ["name", "memory.used", "memory.total", "utilization.gpu"];

/** A run without an NVIDIA GPU. */
export const noGpu: GpuWatch = { latest: () => null, end: () => {} };

/**
 * Watches the GPU that CUDA takes first. Where the driver's tool is missing or fails nothing is seen, and it is not asked again.
 * @param tool the driver's tool; null if there is none
 */
export function watchGpu(tool = systemProgram("nvidia-smi", process.env["PATH"] ?? "")): GpuWatch {
  if (tool === null) return noGpu;
  let latest: GpuUse | null = null;
  const args = [`--id=${firstGpu()}`, `--query-gpu=${fields.join()}`, "--format=csv,noheader,nounits"];
  const look = () => {
    const child = execFile(tool, args, { timeout: TIMEOUT_MS }, (error, stdout) => {
      latest = error === null ? readGpuUse(stdout) : null;
      if (latest === null) clearInterval(timer);
    });
    // A run that has ended waits for nothing.
    child.unref();
  };
  const timer = setInterval(look, INTERVAL_MS).unref();
  look();
  return { latest: () => latest, end: () => clearInterval(timer) };
}

/** By its index or its UUID; the driver's tool takes both. */
function firstGpu(): string {
  const [first = ""] = (process.env["CUDA_VISIBLE_DEVICES"] ?? "").split(",");
  return first.trim() === "" ? "0" : first.trim();
}

/** A line of the tool: `NVIDIA H100 80GB HBM3, 49152, 81559, 97`, in MiB and percent. Null for any other text. */
export function readGpuUse(line: string): GpuUse | null {
  const [name = "", ...numbers] = (line.split("\n")[0] ?? "").split(",").map((cell) => cell.trim());
  const [used = NaN, total = NaN, percent = NaN] = numbers.map(Number);
  if (name === "" || !(total > 0) || !(used >= 0)) return null;
  const utilization = Number.isNaN(percent) ? 0 : percent / 100;
  return { name, memoryBytes: used * 2 ** 20, memoryTotalBytes: total * 2 ** 20, utilization };
}
