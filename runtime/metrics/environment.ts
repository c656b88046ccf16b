import { cpus, release, totalmem } from "node:os";
import type { Environment } from "./events.ts";

/** The machine and the programs of this process. */
export function environmentOf(compilerVersion: string): Environment {
  const processors = cpus();
  return {
    ltxc: compilerVersion,
    node: process.version,
    platform: `${process.platform} ${release()} ${process.arch}`,
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryBytes: totalmem(),
  };
}
