/** All commands. `command-line/` has their arguments, options and examples; what a command does is in `commands/`, loaded when it is called. */
import { Command, Option } from "commander";
import type { Declaring, Example } from "./command-line/declaring.ts";
import { declareParity, declarePlan, declareRun, declareReport } from "./command-line/runs.ts";
import {
  declareInit,
  declareCheck,
  declareFmt,
  declareCompile,
  declareTest,
  declareInspect,
  declareEject,
  declareSchema,
} from "./command-line/strategies.ts";
import {
  declareConvert,
  declareDecode,
  declareEncode,
  declareVerify,
  declareExplain,
  declareDoctor,
  declareInstall,
  declareLsp,
  declareTrust,
} from "./command-line/tools.ts";
import { wantsColor, type ColorChoice } from "./shell/color.ts";
import type { Io } from "./shell/io.ts";
import { packageVersion } from "./shell/package-root.ts";
import type { Session } from "./shell/session.ts";

interface GlobalOptions {
  readonly json?: true;
  readonly quiet?: true;
  readonly color: ColorChoice;
}

function sessionOf(io: Io, options: GlobalOptions): Session {
  const colored = (columns: number | null) => wantsColor(options.color, io.env, columns !== null);
  return {
    io,
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    color: { out: colored(io.columns.out), err: colored(io.columns.err) },
  };
}

function exampleText(examples: readonly Example[]): string {
  const width = Math.max(...examples.map(([command]) => command.length));
  return ["", "Examples:", ...examples.map(([command, purpose]) => `  ${command.padEnd(width)}  ${purpose}`)].join(
    "\n",
  );
}

/** A command line that commander refuses. */
export interface Slip {
  /** Commander's, with a line end. */
  readonly message: string;
  readonly args: readonly string[];
  readonly program: Command;
  /** Of the command that was called. */
  readonly examples: readonly Example[];
}

/** Who is told what becomes of a command line. */
interface Listener {
  /** Gets the exit code of the command that ran. */
  done(code: number): void;
  /** Gets what is wrong with the command line, before commander throws. */
  slipped(slip: Slip): void;
}

function rootCommand(io: Io, args: readonly string[], slipped: Listener["slipped"]): Command {
  const program: Command = new Command("ltxc")
    .description("Write, check and run training strategies for the LTX-2 audio-video diffusion transformer.")
    .version(packageVersion(), "-V, --version", "print the version")
    .option("--json", "print results as JSON")
    .option("--quiet", "print findings and results only, no progress and no advice")
    .addOption(new Option("--color <when>", "colour the output").choices(["auto", "always", "never"]).default("auto"))
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      getOutHelpWidth: () => io.columns.out ?? 100,
      getErrHelpWidth: () => io.columns.err ?? 100,
      outputError: (message) => slipped({ message, args, program, examples: [] }),
    })
    .showSuggestionAfterError(false)
    .exitOverride()
    .addHelpText(
      "after",
      exampleText([
        ["ltxc init my-lora", "make a small project that trains as it is"],
        ["ltxc compile && ltxc run", "compile its strategy and train (in that folder)"],
        ["ltxc check", "every mistake in the strategies and in train.yaml, at once"],
        ["ltxc explain LTX3001", "what a finding means, with a bad and a good example"],
        ["ltxc run --help", "more about one command"],
      ]),
    );
  return program;
}

/** The parser of the command line `args`. Throws commander's errors instead of ending the process. */
export function createProgram(io: Io, args: readonly string[], { done, slipped }: Listener): Command {
  const program = rootCommand(io, args, slipped);
  /** A command's line in the list is the first sentence of its description. */
  const command: Declaring["command"] = (name, description, examples) =>
    program
      .command(name)
      .summary(description.split(/[.:] /)[0]?.replace(/\.$/, "") ?? "")
      .description(description)
      .helpOption("-h, --help", "print this help")
      .configureOutput({ outputError: (message) => slipped({ message, args, program, examples }) })
      .addHelpText("after", exampleText(examples));
  const session = () => sessionOf(io, program.opts<GlobalOptions>());
  for (const declare of [
    declareInit,
    declareCheck,
    declareFmt,
    declareCompile,
    declareTest,
    declareInspect,
    declarePlan,
    declareRun,
    declareParity,
    declareEject,
    declareReport,
    declareConvert,
    declareDecode,
    declareEncode,
    declareVerify,
    declareSchema,
    declareExplain,
    declareDoctor,
    declareInstall,
    declareLsp,
    declareTrust,
  ]) {
    declare({ command, session, done });
  }
  return program;
}
