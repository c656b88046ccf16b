import { CommanderError } from "commander";
import { exitCode, UsageError } from "./shell/exit.ts";
import { guarded, type Io } from "./shell/io.ts";
import { missingPackage } from "./shell/missing-package.ts";
import { packageRoot } from "./shell/package-root.ts";
import { createProgram, type Slip } from "./program.ts";

/** Says where the fault is likely to be: in the strategy if the stack points into one, otherwise in ltxc. */
function blame(trace: string): string {
  const place = /[^\s(/\\]+\.strategy:\d+:\d+/.exec(trace)?.[0];
  const report = "Please report it with these lines:";
  if (place === undefined) return `ltxc failed in a way that is a bug of ltxc, not of your files. ${report}`;
  return `the strategy failed at ${place}. If its data fit together, this is a bug of ltxc. ${report}`;
}

/** Commander's message, and help where it is known what was meant. The words of other programs are loaded only now. */
async function saySlip(io: Io, { message, examples, program, args }: Slip): Promise<void> {
  const { helpFor } = await import("./command-line/slips.ts");
  const flag = /option '(--[\w-]+)/.exec(message)?.[1] ?? "";
  const example = examples.find(([line]) => line.includes(flag))?.[0];
  const help = helpFor(message, args, program) ?? (example === undefined ? null : `for example \`${example}\``);
  io.err(help === null ? message : `${message}help: ${help}\n`);
  io.err("`ltxc --help` and `ltxc <command> --help` show what there is, with examples.\n");
}

/** Prints what went wrong, and returns the exit code. */
async function reportFailure(io: Io, error: unknown, slip: Slip | null): Promise<number> {
  // Commander has printed the help that was asked for already.
  if (error instanceof CommanderError) {
    if (slip !== null) await saySlip(io, slip);
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  }
  if (error instanceof UsageError) {
    const help = typeof error.help === "function" ? await error.help() : error.help;
    io.err(`error: ${error.message}\n${help === null ? "" : `help: ${help}\n`}`);
    return exitCode.usage;
  }
  const missing = missingPackage(error);
  if (missing !== null) {
    io.err(
      `error: this needs the package ${missing}, which is not there: the ltxc in ${packageRoot} is not complete\n`,
    );
    io.err("help: install ltxc in the project; the one that comes with an editor's extension only serves the editor\n");
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
  let slip: Slip | null = null;
  try {
    const program = createProgram(io, args, { done: (result) => (code = result), slipped: (made) => (slip = made) });
    // Without a command there is nothing to do: show what can be done, on stderr, as a usage error.
    if (args.length === 0) program.help({ error: true });
    // `ltxc help run`, as in other programs.
    const [first, ...rest] = args;
    await program.parseAsync(first === "help" ? [...rest.slice(0, 1), "--help"] : args, { from: "user" });
    return code;
  } catch (error) {
    return await reportFailure(io, error, slip);
  }
}
