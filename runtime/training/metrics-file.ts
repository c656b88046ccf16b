import { closeSync, openSync, writeSync } from "node:fs";
import type { TrainEvent } from "./events.ts";

export interface MetricsFile {
  /** Appends a line. Returns why it could not, the first time that it could not; metrics never end a run. */
  write(event: TrainEvent): string | null;
  close(): void;
}

/** JSON lines, one per event. A resumed run goes on below what an earlier one wrote; each `started` line says at which step. */
export function openMetricsFile(path: string): MetricsFile {
  let file: number | null = openSync(path, "a");
  const close = () => {
    if (file !== null) closeSync(file);
    file = null;
  };
  return {
    write(event) {
      if (file === null) return null;
      try {
        writeSync(file, `${JSON.stringify(event)}\n`);
        return null;
      } catch (error) {
        close();
        return String(error);
      }
    },
    close,
  };
}
