/** Calls the command line inside the test's own process. */
import type { Io } from "./io.ts";
import { main } from "./main.ts";

export interface Call {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CallOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A terminal of this width instead of pipes. */
  readonly columns?: number;
  /** Called with all text so far whenever something is printed; `interrupt` is what Ctrl-C does. */
  readonly onText?: (text: string, interrupt: () => void) => void;
}

/** Runs `ltxc ...args` and resolves to its exit code and what it printed. */
export async function ltxc(args: readonly string[], options: CallOptions = {}): Promise<Call> {
  const text = { out: "", err: "" };
  const listeners = new Set<() => void>();
  const interrupt = () => listeners.forEach((listener) => listener());
  const write = (to: "out" | "err", part: string) => {
    text[to] += part;
    options.onText?.(text.out + text.err, interrupt);
  };
  const columns = options.columns ?? null;
  const io: Io = {
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? {},
    out: (part) => write("out", part),
    err: (part) => write("err", part),
    columns: { out: columns, err: columns },
    onInterrupt(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return { code: await main(args, io), ...text };
}
