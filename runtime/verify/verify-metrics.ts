import { createReadStream } from "node:fs";
import type { Finding } from "../findings.ts";

/** Longer lines are no events. */
const MOST_LINE_BYTES = 2 ** 20;
const NEWLINE = 0x0a;
const empty: Buffer = Buffer.alloc(0);

/** Whether each line of a metrics file is an event. A last line without an end was being written when the run was stopped. */
export async function verifyMetrics(path: string, onBytes: (count: number) => void): Promise<readonly Finding[]> {
  const lines = new Lines();
  for await (const chunk of createReadStream(path)) {
    onBytes((chunk as Buffer).length);
    lines.add(chunk as Buffer);
  }
  const isUnfinished = lines.finish();
  const { count, damaged, first } = lines;
  if (damaged === 0) return [];
  const isCutOff = isUnfinished && damaged === 1;
  const message = isCutOff
    ? `${path}: its last line is cut off, as by a run that was stopped while it wrote`
    : `${path}: ${damaged} of ${count} lines are no events, line ${first} is the first`;
  const help = "`ltxc report` shows what the other lines say";
  return [{ code: "LTX6153", severity: isCutOff ? "warning" : "error", path: [], message, help }];
}

/** Counts lines, and those that are no events, in chunks of a file. */
class Lines {
  count = 0;
  damaged = 0;
  /** The first damaged one, from 1. */
  first = 0;
  /** The beginning of a line whose end is yet to come. */
  #begun: Buffer = empty;

  add(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const rest = chunk.subarray(start, end);
      this.#line(this.#begun.length === 0 ? rest : Buffer.concat([this.#begun, rest]));
      this.#begun = empty;
      start = end + 1;
    }
    // Of a line that is too long, only that it is so is kept.
    const most = MOST_LINE_BYTES + 1 - this.#begun.length;
    this.#begun = Buffer.concat([this.#begun, chunk.subarray(start, start + most)]);
  }

  /** Takes what is left as a line; whether that was no event. */
  finish(): boolean {
    const before = this.damaged;
    if (this.#begun.length > 0) this.#line(this.#begun);
    return this.damaged > before;
  }

  #line(bytes: Buffer): void {
    this.count++;
    if (bytes.length <= MOST_LINE_BYTES && isEvent(bytes.toString("utf8"))) return;
    this.damaged++;
    if (this.damaged === 1) this.first = this.count;
  }
}

function isEvent(line: string): boolean {
  if (line.trim() === "") return true;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) && "type" in value;
  } catch {
    return false;
  }
}
