import { basename } from "node:path";
import { createInterface } from "node:readline/promises";
import { text as textOf } from "node:stream/consumers";
import { forTerminal } from "./color.ts";
import { endWithoutReaders, openOutput, type OutputFailure } from "./output.ts";

/** What a command needs of the process: working folder, input, output, interrupts. Tests pass their own. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** All of stdin. */
  readInput(): Promise<string>;
  /** Asks the user a question on the terminal and gives the answer, empty at the end of the input; absent where there is no terminal. */
  readonly ask?: (question: string) => Promise<string>;
  /** Results for people and programs. */
  out(text: string): void;
  /** A file's contents on stdout, to the byte: what `--out -` and `fmt -` print. */
  data(text: string): void;
  /** Findings, progress, errors. */
  err(text: string): void;
  /** Width of the terminal that shows `out` and `err`; null for a file or a pipe. */
  readonly columns: { readonly out: number | null; readonly err: number | null };
  /**
   * For commands that print on the side: calls `listener` once for each of `out` and `err` that can not be written any more, and does
   * not wait for slow readers.
   */
  onOutputLost(listener: (failure: OutputFailure) => void): void;
  /** Whether the reader of `err` is slow or stopped, so that what only shows the moment had better be left out. */
  isBehind(): boolean;
  /**
   * Calls `listener` whenever the process is asked to end: by Ctrl-C, by SIGTERM, or by SIGHUP when its terminal is closed. The process then
   * goes on; a second Ctrl-C ends it at once, whatever it does. The returned function removes the listener.
   */
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

async function askOnTerminal(question: string): Promise<string> {
  // Loaded here: most commands start without it.
  const { visible } = await import("../../compiler/diagnostics/index.ts");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-D and Ctrl-C close it without an answer.
  const closed = new Promise<string>((done) => lines.once("close", () => done("")));
  try {
    return await Promise.race([lines.question(question.split("\n").map(visible).join("\n")), closed]);
  } finally {
    lines.close();
  }
}

/** The running process as `Io`; `end` is called when the command has ended. */
export function processIo(): Io & { end(): void } {
  const isKept = outliveTerminal();
  const [out, err] = [openOutput(process.stdout, "stdout"), openOutput(process.stderr, "stderr")];
  return {
    cwd: process.cwd(),
    env: process.env,
    readInput: () => textOf(process.stdin),
    ...(process.stdin.isTTY && process.stderr.isTTY ? { ask: askOnTerminal } : {}),
    out: out.write,
    data: out.write,
    err: err.write,
    columns: { out: columnsOf(process.stdout), err: columnsOf(process.stderr) },
    onOutputLost(listener) {
      out.watch(listener);
      err.watch(listener);
    },
    isBehind: () => err.isBehind,
    end: () => endWithoutReaders([out, err]),
    onInterrupt: (listener) => listen(listener, isKept ? ["SIGTERM"] : ["SIGTERM", "SIGHUP"]),
  };
}

/**
 * `nohup` asks that a closed terminal does not matter. Node.js undoes that when it starts, so it is done again here; shells tell it by
 * the variable `_`. Returns whether it is so.
 */
function outliveTerminal(): boolean {
  if (basename(process.env["_"] ?? "") !== "nohup") return false;
  process.on("SIGHUP", () => {});
  return true;
}

/** npm passes Ctrl-C on to a process that the terminal has already told; both arrive within this time, in milliseconds. */
const SAME_PRESS = 50;

/**
 * After the first Ctrl-C the system's own handling is back: it ends the process even while JavaScript is busy, and a shell sees 130.
 * Other signals never end the process at once, since shells and schedulers send them more than once.
 */
function listen(listener: () => void, others: readonly ("SIGTERM" | "SIGHUP")[]): () => void {
  const onCtrlC = () => {
    // What arrives meanwhile waits for the event loop, where nobody listens any more.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SAME_PRESS);
    process.off("SIGINT", onCtrlC);
    listener();
  };
  process.on("SIGINT", onCtrlC);
  for (const signal of others) process.on(signal, listener);
  return () => {
    process.off("SIGINT", onCtrlC);
    for (const signal of others) process.off(signal, listener);
  };
}
