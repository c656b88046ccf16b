import { text as textOf } from "node:stream/consumers";
import { forTerminal } from "./color.ts";

/** What a command needs of the process: working folder, input, output, interrupts. Tests pass their own. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** All of stdin. */
  readInput(): Promise<string>;
  /** Results for people and programs. */
  out(text: string): void;
  /** A file's contents on stdout, to the byte: what `--out -` and `fmt -` print. */
  data(text: string): void;
  /** Findings, progress, errors. */
  err(text: string): void;
  /** Width of the terminal that shows `out` and `err`; null for a file or a pipe. */
  readonly columns: { readonly out: number | null; readonly err: number | null };
  /** Calls `listener` on each Ctrl-C, which then no longer ends the process; the returned function removes it. */
  onInterrupt(listener: () => void): () => void;
}

/** The same, except that text reaches the terminal by way of `forTerminal`; `data` stays as it is. */
export function guarded(io: Io): Io {
  const out = (text: string): void => io.out(forTerminal(text));
  const err = (text: string): void => io.err(forTerminal(text));
  // What is asked of the process is asked only when it is needed.
  return Object.assign(Object.create(io) as Io, { out, err });
}

function columnsOf(stream: NodeJS.WriteStream): number | null {
  return stream.isTTY ? stream.columns : null;
}

/** A reader that closes its end early (`ltxc explain | head`) is no error: nobody needs the rest. */
function endQuietlyWhenClosed(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
}

/** The running process as `Io`. */
export function processIo(): Io {
  endQuietlyWhenClosed(process.stdout);
  endQuietlyWhenClosed(process.stderr);
  return {
    cwd: process.cwd(),
    env: process.env,
    readInput: () => textOf(process.stdin),
    out: (text) => void process.stdout.write(text),
    data: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    columns: { out: columnsOf(process.stdout), err: columnsOf(process.stderr) },
    onInterrupt(listener) {
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
      return () => {
        process.off("SIGINT", listener);
        process.off("SIGTERM", listener);
      };
    },
  };
}
