/** Calls the command line inside the test's own process. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Io } from "../shell/io.ts";
import { main } from "../main.ts";

export interface Call {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface CallOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The text of stdin. */
  readonly input?: string;
  /** What is answered to questions, as on a terminal; without it there is none. */
  readonly answer?: string;
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
    readInput: async () => options.input ?? "",
    ...(options.answer === undefined ? {} : { ask: answered(write, options.answer) }),
    out: (part) => write("out", part),
    data: (part) => write("out", part),
    err: (part) => write("err", part),
    columns: { out: columns, err: columns },
    onOutputLost() {},
    isBehind: () => false,
    onInterrupt(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return { code: await main(args, io), ...text };
}

/** Prints each question as a terminal does, and gives always the same answer. */
function answered(write: (to: "err", part: string) => void, answer: string): (question: string) => Promise<string> {
  return async (question) => {
    write("err", `${question}\n`);
    return answer;
  };
}

/** Makes a project in a new temporary folder and compiles it; `settings` replaces top-level values of train.yaml, e.g. `steps: 4`. */
export async function project(
  settings: Readonly<Record<string, string | number>> = {},
  from = "inpainting",
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-project-"));
  await expectSuccess(["init", ".", "--from", from], folder);
  await expectSuccess(["compile"], folder);
  // A tiny model is trained sooner than a faster engine has started.
  await configure(folder, { engine: "wasm", ...settings });
  return folder;
}

async function expectSuccess(args: readonly string[], cwd: string): Promise<void> {
  const { code, err } = await ltxc(args, { cwd });
  if (code !== 0) throw new Error(`ltxc ${args.join(" ")} exited with ${code}:\n${err}`);
}

/** Changes settings of the project's train.yaml, in any section. */
export async function configure(folder: string, settings: Readonly<Record<string, string | number>>): Promise<void> {
  const path = join(folder, "train.yaml");
  let text = await readFile(path, "utf8");
  for (const [key, value] of Object.entries(settings)) {
    const line = new RegExp(`^( *${key}:).*$`, "m");
    if (!line.test(text)) throw new Error(`train.yaml has no ${key}`);
    text = text.replace(line, `$1 ${value}`);
  }
  await writeFile(path, text);
}
