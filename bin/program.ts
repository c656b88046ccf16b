/** All commands with their arguments, options and examples. What a command does is in `commands/`, loaded when it is called. */
import { Argument, Command, Option } from "commander";
import { wantsColor, type ColorChoice } from "./shell/color.ts";
import type { CheckOptions } from "./commands/check.ts";
import type { ConvertOptions } from "./commands/convert.ts";
import type { CompileOptions } from "./commands/compile.ts";
import type { EjectOptions } from "./commands/eject.ts";
import type { FmtOptions } from "./commands/fmt.ts";
import type { RunOptions } from "./commands/run.ts";
import type { InitOptions } from "./commands/init.ts";
import type { Installable } from "./commands/install.ts";
import type { InspectOptions } from "./commands/inspect.ts";
import type { PlanOptions } from "./commands/plan.ts";
import type { ReportOptions } from "./commands/report.ts";
import type { TestOptions } from "./commands/test.ts";
import type { TrustOptions } from "./commands/trust.ts";
import { setOption, typescriptOption, wholeNumber } from "./options.ts";
import type { Io } from "./shell/io.ts";
import { packageVersion } from "./shell/package-root.ts";
import type { Session } from "./shell/session.ts";

interface GlobalOptions {
  readonly json?: true;
  readonly quiet?: true;
  readonly color: ColorChoice;
}

type Example = readonly [command: string, purpose: string];

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

function rootCommand(io: Io): Command {
  return new Command("ltxc")
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
    })
    .showHelpAfterError("`ltxc --help` and `ltxc <command> --help` show what there is, with examples.")
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
}

/** What a command needs: a way to declare itself, the session it runs in, and where its exit code goes. */
interface Declaring {
  readonly command: (name: string, description: string, examples: readonly Example[]) => Command;
  readonly session: () => Session;
  readonly done: (code: number) => void;
}

/** The parser; `done` gets the exit code of the command that ran. Throws commander's errors instead of ending the process. */
export function createProgram(io: Io, done: (code: number) => void): Command {
  const program = rootCommand(io);
  /** A command's line in the list is the first sentence of its description. */
  const command: Declaring["command"] = (name, description, examples) =>
    program
      .command(name)
      .summary(description.split(/[.:] /)[0]?.replace(/\.$/, "") ?? "")
      .description(description)
      .helpOption("-h, --help", "print this help")
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
    declareEject,
    declareReport,
    declareConvert,
    declareVerify,
    declareSchema,
    declareExplain,
    declareDoctor,
    declareInstall,
    declareTrust,
  ]) {
    declare({ command, session, done });
  }
  return program;
}

function declareInit({ command, session, done }: Declaring): void {
  command(
    "init",
    "Make a small project that trains as it is: strategy, run config, sample data, a tiny random model.",
    [
      ["ltxc init", "inpainting, in this folder"],
      ["ltxc init my-lora", "the same in a new folder"],
      ["ltxc init my-lora --from text_to_video", "start from another example"],
      ["ltxc init --list", "what there is to start from"],
    ],
  )
    .argument("[dir]", "where; made if missing", ".")
    .option("--from <example>", "the example to start from", "inpainting")
    .option("--list", "list the examples and make nothing")
    .option("--force", "replace files that are already there")
    .action(async (directory: string, options: InitOptions) => {
      const { init } = await import("./commands/init.ts");
      done(await init(session(), directory, options));
    });
}

function declareCheck({ command, session, done }: Declaring): void {
  command(
    "check",
    "Report every mistake in strategies and run configs. Writes nothing, except with --fix, and runs nothing of the project.",
    [
      ["ltxc check", "all *.strategy files of this folder, and train.yaml"],
      ["ltxc check inpainting.strategy", "one file"],
      ["ltxc check --fix", "correct what is certain, report the rest"],
      ["ltxc check --types", "imported TypeScript functions, too"],
      ["ltxc check --format sarif > findings.sarif", "for code scanning"],
    ],
  )
    .argument(
      "[files...]",
      "strategies, also built-in ones by name, and run configs (default: *.strategy and train.yaml)",
    )
    .addOption(
      new Option("--format <format>", "how findings are printed (--json is short for json)").choices([
        "terminal",
        "json",
        "sarif",
      ]),
    )
    .option("--fix", "correct every mistake whose correction is certain, then report what is left")
    .addOption(setOption())
    .option("--types", "let TypeScript check imported functions against the types that strategies declare, too")
    .addOption(typescriptOption())
    .action(async (files: string[], options: CheckOptions) => {
      const { check } = await import("./commands/check.ts");
      done(await check(session(), files, options));
    });
}

function declareFmt({ command, session, done }: Declaring): void {
  command("fmt", "Format strategies: indentation, spaces and blank lines. Order, comments and meaning stay.", [
    ["ltxc fmt", "all *.strategy files of this folder"],
    ["ltxc fmt --check", "say which are not formatted, for continuous integration"],
    ["ltxc fmt - < my.strategy", "from stdin to stdout, for editors"],
  ])
    .argument("[files...]", "strategies (default: *.strategy), or `-` for stdin")
    .option("--check", "write nothing; exit with 1 if a file is not formatted")
    .option("--stdin-filepath <path>", "how findings name stdin", "stdin.strategy")
    .action(async (files: string[], options: FmtOptions) => {
      const { fmt } = await import("./commands/fmt.ts");
      done(await fmt(session(), files, options));
    });
}

function declareCompile({ command, session, done }: Declaring): void {
  command(
    "compile",
    "Compile strategies. Each gives readable TypeScript, a bundle that `ltxc run` loads, and a schema of its params.",
    [
      ["ltxc compile", "all *.strategy files of this folder, into build/"],
      ["ltxc compile inpainting.strategy --out dist", "one file, elsewhere"],
      ["ltxc compile inpainting.strategy --emit ir", "print the typed program instead"],
    ],
  )
    .argument("[files...]", "strategies, also built-in ones by name (default: *.strategy)")
    .option("--out <dir>", "where the results go", "build")
    .addOption(new Option("--emit <what>", "print an inner form to stdout and write nothing").choices(["ir"]))
    .option("--types", "let TypeScript check the results first; what it refuses is not written")
    .addOption(typescriptOption())
    .action(async (files: string[], options: CompileOptions) => {
      const { compile } = await import("./commands/compile.ts");
      done(await compile(session(), files, options));
    });
}

function declareTest({ command, session, done }: Declaring): void {
  command(
    "test",
    "Try strategies on small batches made for them: what they expect, and what every step owes to the model.",
    [
      ["ltxc test", "all *.strategy files of this folder"],
      ["ltxc test inpainting.strategy --seed 7", "one file, other batches"],
    ],
  )
    .argument("[files...]", "strategies, also built-in ones by name (default: *.strategy)")
    .addOption(new Option("--seed <n>", "of the first batch; the others follow").argParser(wholeNumber).default(0))
    .action(async (files: string[], options: TestOptions) => {
      const { test } = await import("./commands/test.ts");
      done(await test(session(), files, options));
    });
}

function declareInspect({ command, session, done }: Declaring): void {
  command(
    "inspect",
    "Look at one sample in a strategy's step: every value with its shape and range, masks on the token grid, noise levels.",
    [
      ["ltxc inspect", "the strategy of this folder, on a made-up sample"],
      ["ltxc inspect --config train.yaml", "the strategy of a run config, on the first sample of its data"],
      ["ltxc inspect --config train.yaml --sample clip_003", "on that one"],
      ["ltxc inspect inpainting.strategy --html look.html", "as a page with pictures"],
    ],
  )
    .argument(
      "[strategy]",
      "one, also a built-in by its name (default: that of `--config`, else the only *.strategy file of this folder)",
    )
    .option("--config <file>", "a run config: its strategy, data, params and sampler of noise levels")
    .option("--sample <name>", "a sample of the run's data, as its files are named")
    .addOption(new Option("--seed <n>", "of the draws, and of the made-up sample").argParser(wholeNumber).default(0))
    .option("--html <file>", "write a page that needs nothing else")
    .action(async (strategy: string | undefined, options: InspectOptions) => {
      const { inspect } = await import("./commands/inspect.ts");
      done(await inspect(session(), strategy, options));
    });
}

function declareRun({ command, session, done }: Declaring): void {
  command(
    "run",
    "Train a LoRA, or all weights, as a run config says. Ctrl-C, SIGTERM or a closed terminal finish the step, save and tell how to go on; Ctrl-C twice stops at once.",
    [
      ["ltxc run", "train.yaml of this folder"],
      ["ltxc run --resume", "go on where it was stopped"],
      ["ltxc run --new", "keep what an earlier run left: train in outputs-2, outputs-3, …"],
      ["ltxc run configs/long.yaml", "another run config"],
      ["ltxc run --set seed=7 --set lora.rank=16", "other settings than it has"],
      ["ltxc run --json > metrics.jsonl", "events as JSON lines"],
    ],
  )
    .argument("[config]", "the run config", "train.yaml")
    .option("--resume", "go on from the newest checkpoint in the run's output folder")
    .option("--resume-anyway", "the same with other settings, data or strategy than were trained with so far")
    .option("--new", "begin in a new folder next to the output folder, if that one holds the work of an earlier run")
    .option("--overwrite", "begin anew: delete what ltxc wrote into the output folder, and say what")
    .addOption(setOption())
    .option("--build <dir>", "the folder of the compiled strategies", "build")
    .action(async (config: string, options: RunOptions) => {
      const { run } = await import("./commands/run.ts");
      done(await run(session(), config, options));
    });
}

function declarePlan({ command, session, done }: Declaring): void {
  command("plan", "Estimate the memory and time that a run takes, and what would make it fit.", [
    ["ltxc plan", "of train.yaml, on this machine"],
    ["ltxc plan --set optimization.batch_size=4", "with a setting other than the run config's"],
    ["ltxc plan --run-imports", "with what imported functions take, which run for that"],
    ["ltxc plan --emit graph > step.txt", "every operation of a training step, forward and backward"],
  ])
    .argument("[config]", "the run config", "train.yaml")
    .addOption(setOption())
    .option(
      "--build <dir>",
      "the folder of the compiled strategies: where to look for a strategy that is not here",
      "build",
    )
    .option(
      "--run-imports",
      "run imported functions, which are left out otherwise; nothing of the project runs without it",
    )
    .addOption(
      new Option(
        "--emit <what>",
        "print the optimized graphs that one step runs, in place of the plan; nothing is computed",
      ).choices(["graph"]),
    )
    .action(async (config: string, options: PlanOptions) => {
      const { plan } = await import("./commands/plan.ts");
      done(await plan(session(), config, options));
    });
}

function declareEject({ command, session, done }: Declaring): void {
  command("eject", "Write the built-in strategy of a run config as a .strategy file that can be changed.", [
    ["ltxc eject", "what train.yaml trains, as my_<name>.strategy"],
    ["ltxc eject configs/official.yaml --out depth.strategy", "the official trainer's run config, elsewhere"],
  ])
    .argument("[config]", "the run config", "train.yaml")
    .option("--out <file>", "the file to write; the strategy is named like it")
    .option("--force", "replace a file that is already there")
    .action(async (config: string, options: EjectOptions) => {
      const { eject } = await import("./commands/eject.ts");
      done(await eject(session(), config, options));
    });
}

function declareReport({ command, session, done }: Declaring): void {
  command(
    "report",
    "Make one HTML page of a run: curves, evaluation, samples, checkpoints, config, strategy, machine.",
    [
      ["ltxc report", "of the run of train.yaml, as report.html in its output folder"],
      ["ltxc report outputs/long --out long.html", "of another run, elsewhere"],
    ],
  )
    .argument("[run]", "the run's `output_dir` (default: that of train.yaml, or else outputs)")
    .option("--out <file>", "where the page goes (default: report.html in the run's folder)")
    .action(async (run: string | undefined, options: ReportOptions) => {
      const { report } = await import("./commands/report.ts");
      done(await report(session(), run, options));
    });
}

function declareConvert({ command, session, done }: Declaring): void {
  command("convert", "Write a LoRA in another program's format, with the same strength there.", [
    ["ltxc convert lora.safetensors comfy.safetensors --to comfyui", "names and alphas as ComfyUI reads them"],
    ["ltxc convert lora.safetensors adapter --to peft", "a folder with adapter_model and adapter_config"],
    ["ltxc convert their.safetensors ours.safetensors --to official", "for ltxc and the official trainer"],
  ])
    .argument("<in>", "a LoRA of LTX-2, or a folder of PEFT or diffusers with one")
    .argument("<out>", "the file to write; for peft, a folder gets its config, too")
    .addOption(
      new Option(
        "--to <format>",
        "the program that is to load it; the names of layers are official, except for diffusers",
      )
        .choices(["official", "comfyui", "diffusers", "peft", "kohya"])
        .makeOptionMandatory(),
    )
    .addOption(new Option("--dtype <type>", "of the numbers (default: as they are)").choices(["bf16", "f16", "f32"]))
    .option("--force", "replace a file that is already there")
    .action(async (from: string, out: string, options: ConvertOptions) => {
      const { convert } = await import("./commands/convert.ts");
      done(await convert(session(), from, out, options));
    });
}

function declareVerify({ command, session, done }: Declaring): void {
  command(
    "verify",
    "Read files of checkpoints, data, runs and caches as a whole, and say which are damaged. Changes nothing.",
    [
      ["ltxc verify outputs", "a run: weights, heads, training states, metrics"],
      ["ltxc verify data", "all data files, before a long run or after a copy"],
      ["ltxc verify models/ltx-2.safetensors", "a download"],
      ["ltxc verify ~/.cache/ltxc", "saved recordings"],
      [
        "ltxc verify outputs --json",
        "for scripts: each file with `whole` or `damaged`; the exit code is 1 if one is damaged",
      ],
    ],
  )
    .argument("<paths...>", "files and folders; folders with all that is below them, links not followed")
    .action(async (paths: string[]) => {
      const { verify } = await import("./commands/verify.ts");
      done(await verify(session(), paths));
    });
}

function declareSchema({ command, session, done }: Declaring): void {
  command(
    "schema",
    "Write the JSON Schemas with which editors complete and check strategies and run configs, and know this folder's strategies.",
    [
      ["ltxc schema", "into schemas/, as the first lines of a project's files name them"],
      ["ltxc schema .vscode", "elsewhere"],
    ],
  )
    .argument("[dir]", "where they go; made if missing", "schemas")
    .action(async (directory: string) => {
      const { schema } = await import("./commands/schema.ts");
      done(await schema(session(), directory));
    });
}

function declareExplain({ command, session, done }: Declaring): void {
  command("explain", "Explain a finding's code; without one, list all codes.", [
    ["ltxc explain LTX3001", "what it means, a bad and a good example"],
    ["ltxc explain", "all codes with their titles"],
  ])
    .argument("[code]", "as printed with the finding, e.g. LTX3001")
    .action(async (code: string | undefined) => {
      const { explain } = await import("./commands/explain.ts");
      done(await explain(session(), code ?? null));
    });
}

function declareDoctor({ command, session, done }: Declaring): void {
  command("doctor", "Show what this machine offers: Node, the engines found and why others are not, GPU, memory.", [
    ["ltxc doctor", "a report to read"],
    ["ltxc doctor --json", "the same for an issue or a script"],
  ]).action(async () => {
    const { doctor } = await import("./commands/doctor.ts");
    done(await doctor(session()));
  });
}

function declareInstall({ command, session, done }: Declaring): void {
  command("install", "Fetch what npm does not bring: ONNX Runtime's provider for NVIDIA GPUs. Linux on x64.", [
    ["ltxc install cuda", "once; `ltxc doctor` then shows how fast it is"],
  ])
    .addArgument(new Argument("<what>", "what to fetch").choices(["cuda"]))
    .action(async (what: Installable) => {
      const { install } = await import("./commands/install.ts");
      done(await install(session(), what));
    });
}

function declareTrust({ command, session, done }: Declaring): void {
  command(
    "trust",
    "Let code of a project run that belongs to another user, as in a container, or a build without its .strategy file. Strategies without imports never need it.",
    [
      ["ltxc trust", "the project of this folder, and all that lies in it"],
      ["ltxc trust build/my.mjs", "a build, as it is now"],
      ["ltxc trust --list", "what is trusted"],
      ["LTXC_TRUST=/workspace ltxc run", "for one command; separated as in PATH, `*` is everything"],
    ],
  )
    .argument("[paths...]", "folders and builds (default: this folder)")
    .option("--list", "print what is trusted")
    .option("--remove", "trust them no longer")
    .action(async (paths: string[], options: TrustOptions) => {
      const { trust } = await import("./commands/trust.ts");
      done(await trust(session(), paths, options));
    });
}
