/** Stdout and stderr of the process, which may go away while a command works. */
import { writeSync } from "node:fs";

/** Why nothing more can be printed. */
export interface OutputFailure {
  /** `stdout` or `stderr`. */
  readonly name: string;
  readonly reason: string;
}

interface Output {
  /** Prints text; does nothing once that has failed. */
  write(text: string): void;
  /**
   * From now on what goes wrong here is told to `listener`, at once if it has gone wrong already, and a reader that stops reading
   * counts as gone when it has left `MOST_UNREAD` bytes.
   */
  watch(listener: (failure: OutputFailure) => void): void;
}

/** Bytes that wait for a slow reader of a command that does not wait for it: a day of a run's events. */
const MOST_UNREAD = 2 ** 24;

/**
 * A reader that closes its end early (`ltxc explain | head`) and a terminal that was closed are no errors: nobody needs the rest, and
 * the command goes on to its end and to its own exit code. Other failures, such as a full disk, mean that results are lost: where
 * nobody watches they are told on stderr, and a process that would end with 0 ends with 1.
 */
export function openOutput(stream: NodeJS.WriteStream, name: string): Output {
  const listeners = new Set<(failure: OutputFailure) => void>();
  let failure: OutputFailure | null = null;
  const fail = (reason: string, isReaderGone: boolean) => {
    if (failure !== null) return;
    failure = { name, reason };
    if (listeners.size === 0 && !isReaderGone) loseResults(failure);
    for (const listener of listeners) listener(failure);
  };
  const onError = (error: unknown) => {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    fail(code, code === "EPIPE" || code === "ECONNRESET" || (code === "EIO" && stream.isTTY));
  };
  stream.on("error", onError);
  return {
    write(text) {
      if (failure !== null) return;
      try {
        stream.write(text);
      } catch (error) {
        onError(error);
      }
      if (listeners.size > 0 && stream.writableLength > MOST_UNREAD) fail("its reader has stopped reading", true);
    },
    watch(listener) {
      listeners.add(listener);
      if (failure !== null) listener(failure);
    },
  };
}

function loseResults({ name, reason }: OutputFailure): void {
  process.once("exit", (code) => {
    if (code === 0) process.exitCode = 1;
  });
  try {
    writeSync(2, `error: ${name} can not be written (${reason}), so results are missing there\n`);
  } catch {
    // Stderr is lost, too; the exit code tells it.
  }
}
