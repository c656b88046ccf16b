/** Commands about strategies and projects: their arguments, options and examples. */
import { Option } from "commander";
import type { CheckOptions } from "../commands/check.ts";
import type { CompileOptions } from "../commands/compile.ts";
import type { EjectOptions } from "../commands/eject.ts";
import type { FmtOptions } from "../commands/fmt.ts";
import type { InitOptions } from "../commands/init.ts";
import type { InspectOptions } from "../commands/inspect.ts";
import type { TestOptions } from "../commands/test.ts";
import type { Declaring } from "./declaring.ts";
import { onceOrWatching, setOption, typescriptOption, watchOption, wholeNumber, type Watched } from "./options.ts";

export function declareInit({ command, session, done }: Declaring): void {
  command(
    "init",
    "Make a small project that trains as it is: strategy, run config, sample data, a tiny random model.",
    [
      ["ltxc init", "inpainting, in this folder"],
      ["ltxc init my-lora", "the same in a new folder"],
      ["ltxc init my-lora --from text_to_video", "start from another example"],
      ["ltxc init my-lora --target ltx-trainer", "for the official trainer"],
      ["ltxc init --list", "what there is to start from"],
    ],
  )
    .argument("[dir]", "where; made if missing", ".")
    .option("--from <example>", "the example to start from", "inpainting")
    .addOption(
      new Option(
        "--target <trainer>",
        "also write what the official trainer needs: a text encoder's folder, settings",
      ).choices(["ltx-trainer"]),
    )
    .option("--list", "list the examples and make nothing")
    .option("--force", "replace files that are already there")
    .action(async (directory: string, options: InitOptions) => {
      const { init } = await import("../commands/init.ts");
      done(await init(session(), directory, options));
    });
}

export function declareCheck({ command, session, done }: Declaring): void {
  command(
    "check",
    "Report every mistake in strategies and run configs. Writes nothing, except with --fix, and runs nothing of the project.",
    [
      ["ltxc check", "all *.strategy files of this folder, and train.yaml"],
      ["ltxc check inpainting.strategy", "one file"],
      ["ltxc check --fix", "correct what is certain, report the rest"],
      ["ltxc check --watch", "again after every change"],
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
    .addOption(watchOption())
    .action(async (files: string[], options: CheckOptions & Watched) => {
      const { check } = await import("../commands/check.ts");
      done(await onceOrWatching(session(), options, (own) => check(own, files, options)));
    });
}

export function declareFmt({ command, session, done }: Declaring): void {
  command("fmt", "Format strategies: indentation, spaces and blank lines. Order, comments and meaning stay.", [
    ["ltxc fmt", "all *.strategy files of this folder"],
    ["ltxc fmt --check", "say which are not formatted, for continuous integration"],
    ["ltxc fmt - < my.strategy", "from stdin to stdout, for editors"],
    [
      "ltxc fmt --upgrade",
      "for version 2 of the language, too: adds `language: 2` and writes what changed in its new form",
    ],
  ])
    .argument("[files...]", "strategies (default: *.strategy), or `-` for stdin")
    .option("--check", "write nothing; exit with 1 if a file is not formatted")
    .option("--upgrade", "rewrite files for the newest version of the language, with the same meaning")
    .option("--stdin-filepath <path>", "how findings name stdin", "stdin.strategy")
    .action(async (files: string[], options: FmtOptions) => {
      const { fmt } = await import("../commands/fmt.ts");
      done(await fmt(session(), files, options));
    });
}

export function declareCompile({ command, session, done }: Declaring): void {
  command(
    "compile",
    "Compile strategies. Each gives readable TypeScript, a bundle that `ltxc run` loads, and a schema of its params; or, with --target ltx-trainer, a Python module that the official trainer runs.",
    [
      ["ltxc compile", "all *.strategy files of this folder, into build/"],
      ["ltxc compile inpainting.strategy --out dist", "one file, elsewhere"],
      ["ltxc compile --target ltx-trainer", "for the official trainer: build/ltxc_<name>.py"],
      ["ltxc compile --target ltx-trainer train.yaml", "the strategy of that run config, also a built-in one"],
      ["ltxc compile inpainting.strategy --emit ir", "print the typed program instead"],
      ["ltxc compile --watch", "again after every change"],
    ],
  )
    .argument(
      "[files...]",
      "strategies, also built-in ones by name, or for the official trainer a run config (default: *.strategy)",
    )
    .option("--out <dir>", "where the results go, in place of older results only", "build")
    .option("--target <name>", "what runs the results: `ltxc`, or `ltx-trainer`, the official trainer", "ltxc")
    .addOption(new Option("--emit <what>", "print an inner form to stdout and write nothing").choices(["ir"]))
    .option("--types", "let TypeScript check the results first; what it refuses is not written")
    .addOption(typescriptOption())
    .addOption(watchOption())
    .action(async (files: string[], options: CompileOptions & Watched) => {
      const { compile } = await import("../commands/compile.ts");
      done(await onceOrWatching(session(), options, (own) => compile(own, files, options)));
    });
}

export function declareTest({ command, session, done }: Declaring): void {
  command(
    "test",
    "Try strategies on small batches made for them: what they expect, what every step owes to the model, and whether gradients lead where they should.",
    [
      ["ltxc test", "all *.strategy files of this folder"],
      ["ltxc test inpainting.strategy --seed 7", "one file, other batches"],
      ["ltxc test --watch", "again after every change"],
    ],
  )
    .argument("[files...]", "strategies, also built-in ones by name (default: *.strategy)")
    .addOption(new Option("--seed <n>", "of the first batch; the others follow").argParser(wholeNumber).default(0))
    .addOption(watchOption())
    .action(async (files: string[], options: TestOptions & Watched) => {
      const { test } = await import("../commands/test.ts");
      done(await onceOrWatching(session(), options, (own) => test(own, files, options)));
    });
}

export function declareInspect({ command, session, done }: Declaring): void {
  command(
    "inspect",
    "Look at one sample in a strategy's step: every value with its shape and range, masks on the token grid, noise levels.",
    [
      ["ltxc inspect", "the strategy of this folder, on a made-up sample"],
      ["ltxc inspect --config train.yaml", "the strategy of a run config, on the first sample of its data"],
      ["ltxc inspect --config train.yaml --sample clip_003", "on that one"],
      ["ltxc inspect inpainting.strategy --html look.html", "as a page with pictures"],
      [
        "ltxc inspect --config train.yaml --html look.html --vae vae-conv.safetensors",
        "the same over the frames of the sample's video, which the video VAE decodes",
      ],
    ],
  )
    .argument(
      "[strategy]",
      "one, also a built-in by its name (default: that of `--config`, else the only *.strategy file of this folder)",
    )
    .option("--config <file>", "a run config: its strategy, data, params and sampler of noise levels")
    .option("--sample <name>", "a sample of the run's data, as its files are named")
    .addOption(new Option("--seed <n>", "of the draws, and of the made-up sample").argParser(wholeNumber).default(0))
    .option("--html <file>", "write a page that needs nothing else, in place of an older page only; `-` is stdout")
    .option(
      "--vae <file>",
      "with --config and --html, a checkpoint or a video VAE, which decodes the sample's video to lie under the maps",
    )
    .action(async (strategy: string | undefined, options: InspectOptions) => {
      const { inspect } = await import("../commands/inspect.ts");
      done(await inspect(session(), strategy, options));
    });
}

export function declareEject({ command, session, done }: Declaring): void {
  command("eject", "Write the built-in strategy of a run config as a .strategy file that can be changed.", [
    ["ltxc eject", "what train.yaml trains, as my_<name>.strategy"],
    ["ltxc eject configs/official.yaml --out depth.strategy", "the official trainer's run config, elsewhere"],
  ])
    .argument("[config]", "the run config", "train.yaml")
    .option("--out <file>", "the file to write; the strategy is named like it; `-` is stdout")
    .option("--force", "replace a file that is already there")
    .action(async (config: string, options: EjectOptions) => {
      const { eject } = await import("../commands/eject.ts");
      done(await eject(session(), config, options));
    });
}

export function declareSchema({ command, session, done }: Declaring): void {
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
      const { schema } = await import("../commands/schema.ts");
      done(await schema(session(), directory));
    });
}
