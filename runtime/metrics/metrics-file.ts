import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
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
        file ??= openAtNewLine(path);
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

/** A machine that stopped may have left half a line, which must not swallow the first one of the resumed run. */
function openAtNewLine(path: string): number {
  const file = openSync(path, "a+");
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  if (size > 0) readSync(file, last, 0, 1, size - 1);
  if (size > 0 && last.toString() !== "\n") writeSync(file, "\n");
  return file;
}
