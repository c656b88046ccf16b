/** Stdout and stderr of the process, which may go away while a command works. */
import { writeSync } from "node:fs";
import type { Writable } from "node:stream";

/** Why nothing more can be printed. */
export interface OutputFailure {
  /** `stdout` or `stderr`. */
  readonly name: string;
  readonly reason: string;
}

interface Output {
  readonly name: string;
  /** Prints text; does nothing once that has failed. */
  write(text: string): void;
  /**
   * From now on nobody waits for the reader: what it has not taken yet is kept, and it counts as gone when that is more than
   * `MOST_UNREAD` characters. What goes wrong is told to `listener`, at once if it has gone wrong already.
   */
  watch(listener: (failure: OutputFailure) => void): void;
  readonly isWatched: boolean;
  /** Whether the reader has left something unread. */
  readonly isBehind: boolean;
  /** Characters that were handed to the system: grows as long as the reader takes something. */
  readonly taken: number;
}

/** Characters that are kept for a slow reader of a command that does not wait for it: a day of a run's events. */
const MOST_UNREAD = 2 ** 24;
/** Characters that are given to the stream together. The stream keeps what it was given, even when nobody will ever read it. */
const PIECE = 2 ** 16;

/** What of `process.stdout` and `process.stderr` is used; files have no such handle. */
type OutputStream = Writable & {
  readonly isTTY?: boolean;
  readonly _handle?: { setBlocking?(isBlocking: boolean): unknown } | null;
};

/**
 * A reader that closes its end early (`ltxc explain | head`) and a terminal that was closed are no errors: nobody needs the rest, and
 * the command goes on to its end and to its own exit code. Other failures, such as a full disk, mean that results are lost: where
 * nobody watches they are told on stderr, and a process that would end with 0 ends with 1.
 */
export function openOutput(stream: OutputStream, name: string): Output {
  const listeners = new Set<(failure: OutputFailure) => void>();
  const queue = new TextQueue(stream);
  let failure: OutputFailure | null = null;
  const fail = (reason: string, isReaderGone: boolean) => {
    if (failure !== null) return;
    failure = { name, reason };
    queue.clear();
    if (listeners.size === 0 && !isReaderGone) loseResults(failure);
    for (const listener of listeners) listener(failure);
  };
  const onError = (error: unknown) => {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    fail(code, code === "EPIPE" || code === "ECONNRESET" || (code === "EIO" && stream.isTTY === true));
  };
  stream.on("error", onError);
  return {
    name,
    write(text) {
      if (failure !== null) return;
      try {
        queue.add(text);
      } catch (error) {
        onError(error);
      }
      if (listeners.size > 0 && queue.length > MOST_UNREAD) fail("its reader has stopped reading", true);
    },
    watch(listener) {
      if (listeners.size === 0) doNotWait(stream);
      listeners.add(listener);
      if (failure !== null) listener(failure);
    },
    get isWatched() {
      return listeners.size > 0;
    },
    get isBehind() {
      return queue.length > 0 || stream.writableLength > 0;
    },
    get taken() {
      return queue.taken;
    },
  };
}

/**
 * Node.js blocks while it writes to a terminal that is stopped (Ctrl-S, a connection that hangs) and, on Windows, to a full pipe: a training
 * would stand still. It has no public way to change that. The terminal may be shared, so it is as before when the process ends.
 */
function doNotWait({ _handle: handle, isTTY }: OutputStream): void {
  if (handle?.setBlocking === undefined || (isTTY !== true && process.platform !== "win32")) return;
  handle.setBlocking(false);
  process.once("exit", () => handle.setBlocking?.(true));
}

/** Text on its way to a stream, in order; what the stream can not take yet waits here, where it can be given up. */
class TextQueue {
  readonly #stream: OutputStream;
  #waiting: string[] = [];
  /** Characters that wait here. */
  length = 0;
  taken = 0;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  add(text: string): void {
    this.#waiting.push(text);
    this.length += text.length;
    this.#pass();
  }

  clear(): void {
    this.#waiting = [];
    this.length = 0;
  }

  /** A stream that can write at once has nothing left of what it was given before. */
  #pass(): void {
    if (this.#waiting.length === 0 || this.#stream.writableLength > 0) return;
    let size = 0;
    let count = 0;
    while (count < this.#waiting.length && size < PIECE) size += this.#waiting[count++]?.length ?? 0;
    const piece = this.#waiting.splice(0, count).join("");
    this.length -= piece.length;
    this.#stream.write(piece, (error) => {
      if (error != null) return;
      this.taken += piece.length;
      this.#pass();
    });
  }
}

/** How long the end of the process waits for a reader that takes nothing, in milliseconds: time to look at a page of `less`. */
const PATIENCE = 60_000;

/**
 * Called when all is printed: the process then ends when it has been read. But readers that a command did not wait for do not keep it:
 * once they have taken nothing for `patience` milliseconds, `end` is called, and what they did not read is lost.
 */
export function endWithoutReaders(
  outputs: readonly Output[],
  { patience = PATIENCE, end = tellAndExit }: { patience?: number; end?: (names: string) => void } = {},
): void {
  let before = -1;
  const timer = setInterval(() => {
    const behind = outputs.filter(({ isBehind }) => isBehind);
    const taken = behind.reduce((sum, output) => sum + output.taken, 0);
    const isStuck = taken === before && behind.every(({ isWatched }) => isWatched);
    before = taken;
    if (!isStuck || behind.length === 0) return;
    clearInterval(timer);
    end(behind.map(({ name }) => name).join(" and "));
  }, patience);
  timer.unref();
}

function tellAndExit(names: string): void {
  tell(`warning: the reader of ${names} has stopped reading and misses the end`);
  failAtExit();
  process.exit();
}

/** What nobody could read must not look like success. */
function failAtExit(): void {
  process.once("exit", (code) => {
    if (code === 0) process.exitCode = 1;
  });
}

function loseResults({ name, reason }: OutputFailure): void {
  failAtExit();
  tell(`error: ${name} can not be written (${reason}), so results are missing there`);
}

/** Prints a line on stderr at once, if that can be written. */
function tell(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Then nobody is there to read it.
  }
}
