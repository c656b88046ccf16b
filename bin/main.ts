import { CommanderError } from "commander";
import { exitCode, UsageError } from "./shell/exit.ts";
import { guarded, type Io } from "./shell/io.ts";
import { createProgram } from "./program.ts";

/** Says where the fault is likely to be: in the strategy if the stack points into one, otherwise in ltxc. */
function blame(trace: string): string {
  const place = /[^\s(/\\]+\.strategy:\d+:\d+/.exec(trace)?.[0];
  const report = "Please report it with these lines:";
  if (place === undefined) return `ltxc failed in a way that is a bug of ltxc, not of your files. ${report}`;
  return `the strategy failed at ${place}. If its data fit together, this is a bug of ltxc. ${report}`;
}

/** Prints what went wrong, and returns the exit code. */
function reportFailure(io: Io, error: unknown): number {
  // Commander has printed its message (or the help that was asked for) already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  if (error instanceof UsageError) {
    io.err(`error: ${error.message}\n${error.help === null ? "" : `help: ${error.help}\n`}`);
    return exitCode.usage;
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.err(`${blame(trace)}\n${trace}\n`);
  return exitCode.internal;
}

/** Runs one command line (without `node` and the script) and resolves to its exit code; never rejects. */
export async function main(args: readonly string[], bare: Io): Promise<number> {
  const io = guarded(bare);
  let code: number = exitCode.ok;
  try {
    const program = createProgram(io, args, (result) => (code = result));
    // Without a command there is nothing to do: show what can be done, on stderr, as a usage error.
    if (args.length === 0) program.help({ error: true });
    // `ltxc help run`, as in other programs.
    const [first, ...rest] = args;
    await program.parseAsync(first === "help" ? [...rest.slice(0, 1), "--help"] : args, { from: "user" });
    return code;
  } catch (error) {
    return reportFailure(io, error);
  }
}
