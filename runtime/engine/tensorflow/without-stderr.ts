import { createRequire } from "node:module";
import { koffiOf, type Koffi } from "../koffi.ts";

/** Of fcntl.h and unistd.h on Linux. */
const writeOnly = 1;
const standardError = 2;

/**
 * Calls a function while standard error leads nowhere. A library that writes notes there as it is loaded, before any setting reaches it,
 * would otherwise write into the display of a run. On systems other than Linux, and where koffi is not installed, nothing is kept back.
 */
export function withoutStderr<T>(call: () => T): T {
  const system = systemLibrary();
  if (system === null) return call();
  const open = system.func("int open(const char *path, int flags)") as (path: string, flags: number) => number;
  const dup = system.func("int dup(int file)") as (file: number) => number;
  const dup2 = system.func("int dup2(int from, int to)") as (from: number, to: number) => number;
  const close = system.func("int close(int file)") as (file: number) => number;
  const kept = dup(standardError);
  const nowhere = open("/dev/null", writeOnly);
  try {
    if (kept >= 0 && nowhere >= 0) dup2(nowhere, standardError);
    return call();
  } finally {
    if (kept >= 0) dup2(kept, standardError);
    for (const file of [kept, nowhere]) if (file >= 0) close(file);
  }
}

/** The functions of the process itself; null where they cannot be called. */
function systemLibrary(): ReturnType<Koffi["load"]> | null {
  if (process.platform !== "linux") return null;
  try {
    return koffiOf(createRequire(import.meta.url)).load(null);
  } catch {
    return null;
  }
}
