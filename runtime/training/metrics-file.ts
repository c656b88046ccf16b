import { closeSync, openSync, writeSync } from "node:fs";
import type { TrainEvent } from "./events.ts";

export interface MetricsFile {
  /** Appends a line. Returns why it could not, the first time that it could not; metrics never end a run. */
  write(event: TrainEvent): string | null;
  close(): void;
}

/** JSON lines, one per event. A resumed run goes on below what an earlier one wrote; each `started` line says at which step. */
export function openMetricsFile(path: string): MetricsFile {
  let file: number | null = null;
  let isClosed = false;
  const close = () => {
    if (file !== null) closeSync(file);
    file = null;
    isClosed = true;
  };
  return {
    write(event) {
      if (isClosed) return null;
      try {
        file ??= openSync(path, "a");
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
