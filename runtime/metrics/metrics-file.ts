import { jsonText } from "../escape.ts";
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { MetricsSink } from "./sink.ts";

/** JSON lines, one per event. A resumed run appends to what the earlier one wrote; each `started` line says at which step. */
export function openMetricsFile(path: string): MetricsSink {
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
        writeSync(file, `${jsonText(event)}\n`);
        return null;
      } catch (error) {
        close();
        return String(error);
      }
    },
    close,
  };
}

/** As "a+", without waiting for a reader where somebody has put a named pipe there. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

/** A crash may have left half a line; the resumed run starts a new one, or its first event would be lost. */
function openAtNewLine(path: string): number {
  const file = openSync(path, FLAGS, 0o666);
  const stats = fstatSync(file);
  if (!stats.isFile()) {
    closeSync(file);
    throw new Error(`${path} is not a file`);
  }
  const { size } = stats;
  const last = Buffer.alloc(1);
  if (size > 0) readSync(file, last, 0, 1, size - 1);
  if (size > 0 && last.toString() !== "\n") writeSync(file, "\n");
  return file;
}
