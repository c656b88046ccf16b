/** What is meant by a command or an option that there is not: words of other programs, options at a wrong place, misspelt ones. */
import type { Command } from "commander";
import { settingOf } from "../../runtime/config/index.ts";
import { didYouMean } from "../../compiler/diagnostics/index.ts";
import { shellWord } from "../shell/text.ts";

const words = (list: string, help: string): Readonly<Record<string, string>> =>
  Object.fromEntries(list.split(" ").map((word) => [word, help]));

/** Commands of other programs. */
const commands: Readonly<Record<string, string>> = {
  ...words(
    "train fit start launch finetune fine-tune",
    "write `ltxc run`, or `ltxc run FILE` for another run config than train.yaml",
  ),
  ...words("resume continue", "write `ltxc run --resume`"),
  ...words("validate lint typecheck verify-config dry-run", "write `ltxc check`, or `ltxc check FILE`"),
  ...words("fix", "write `ltxc check --fix`"),
  ...words("new create scaffold setup start-project", "write `ltxc init DIR`, such as `ltxc init my-lora`"),
  ...words("list ls examples templates", "`ltxc init --list` shows what there is to start from"),
  ...words("format prettier", "write `ltxc fmt`"),
  ...words("build transpile make", "write `ltxc compile`"),
  ...words("show view visualize preview debug", "write `ltxc inspect`"),
  ...words("estimate memory profile", "write `ltxc plan`"),
  ...words(
    "status logs log metrics plot tensorboard",
    "write `ltxc report`; the numbers are in `metrics.jsonl` in `output_dir`",
  ),
  ...words("export merge", "`ltxc convert IN OUT --to comfyui` writes a LoRA for another program"),
  ...words(
    "eval evaluate",
    "a run evaluates on its own, with `evaluation.samples` in train.yaml; `ltxc report` shows the results",
  ),
  ...words(
    "generate sample infer inference predict",
    "a run draws `validation.samples`; load the LoRA in ComfyUI or diffusers for more",
  ),
  ...words(
    "preprocess prepare cache encode",
    "data are preprocessed by the official trainer's scripts; `preprocessed_data_root` in train.yaml names the result",
  ),
  ...words("version", "write `ltxc --version`"),
  ...words("upgrade update self-update", "install the newer package with npm"),
  ...words("info env bench benchmark", "write `ltxc doctor`"),
};

/** Options of other programs, by command; `*` is every command. `VALUE` stands for what follows. */
const options: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  run: {
    ...words("config c config-file config_path cfg", "name the run config without an option: `ltxc run VALUE`"),
    ...words(
      "resume-from-checkpoint resume_from_checkpoint resume-from continue r",
      "write `ltxc run --resume`: it finds the last checkpoint of `output_dir` itself",
    ),
    ...words(
      "force f yes y",
      "`--overwrite` deletes the work of an earlier run, `--new` keeps it and begins next to it",
    ),
    ...words(
      "dry-run n check validate",
      "`ltxc check train.yaml` says what a run would stop at, `ltxc plan` what it takes",
    ),
    ...words("gpu gpu-id gpu_ids cuda-device", "the variable chooses the GPU: `CUDA_VISIBLE_DEVICES=VALUE ltxc run`"),
    ...words(
      "gpus num-gpus num_gpus num-processes num_processes nproc",
      "several GPUs train through the official trainer: `ltxc run --on ltx-trainer --set runtime.processes=VALUE`",
    ),
    ...words("device", "`ltxc run --set runtime.provider=cuda` takes an NVIDIA GPU; by default it is found"),
    ...words("o d", "write `ltxc run --set output_dir=VALUE`"),
    ...words("target trainer backend", "`ltxc run --on ltx-trainer` trains with the official trainer"),
    ...words("cpu", "write `ltxc run --set runtime.provider=cpu`"),
    ...words("cuda", "write `ltxc run --set runtime.provider=cuda`"),
  },
  plan: {
    ...words("config c config-file", "name the run config without an option: `ltxc plan VALUE`"),
    ...words("device machine card vram", "write `ltxc plan --gpu VALUE`"),
  },
  eject: {
    ...words("config c", "name the run config without an option: `ltxc eject VALUE`"),
    ...words("o output", "write `--out VALUE`"),
  },
  check: {
    ...words("config c file f", "name the file without an option: `ltxc check VALUE`"),
    ...words(
      "strict all recursive r a",
      "every finding is always reported: leave it out; warnings do not change the exit code",
    ),
    ...words("write autofix apply", "write `ltxc check --fix`"),
  },
  compile: words("o output output-dir outdir out-dir d", "write `--out VALUE`"),
  report: words("o output html", "write `--out VALUE`"),
  fmt: words(
    "write w in-place inplace i fix",
    "leave it out: `ltxc fmt` writes the files, and `--check` only lists them",
  ),
  init: {
    ...words("name dir directory path output o n", "name the folder without an option: `ltxc init VALUE`"),
    ...words("template example t strategy kind type", "write `--from VALUE`; `ltxc init --list` shows the examples"),
  },
  convert: {
    ...words("format f target type output-format", "write `--to VALUE`"),
    ...words("output out o input in i", "name both files without options: `ltxc convert IN OUT --to comfyui`"),
  },
  decode: {
    ...words("model m video-vae vae-path checkpoint decoder video_vae_path", "write `--vae VALUE`"),
    ...words("o output output-dir d", "write `--out VALUE`"),
    ...words("overwrite y", "write `--force`"),
    ...words("vae-tiling tiling", "leave it out: what is large is always decoded in tiles"),
  },
  "*": {
    ...words(
      "verbose v debug vv log-level loglevel",
      "there is no more to show: leave it out; `--json` prints all for programs, `--quiet` less",
    ),
    ...words("silent q s", "write `--quiet`"),
    ...words("no-color no-colour colour", "write `--color never`, or `--color always`"),
    ...words("watch w", "leave it out: editors check while you write, by the schemas that `ltxc schema` writes"),
    ...words("fix", "only `ltxc check` has it: `ltxc check --fix`"),
    ...words(
      "strategy",
      "a strategy is named without an option, and for a run in train.yaml: `training_strategy: {name: VALUE}`",
    ),
  },
};

/** Help for commander's `message` about the arguments `args`; null where it needs none. */
export function helpFor(message: string, args: readonly string[], program: Command): string | null {
  const unknown = /unknown (command|option) '([^']*)'/.exec(message);
  const command = program.commands.find((each) => args.includes(each.name()));
  if (unknown?.[1] === "command") return ofCommand(unknown[2] ?? "", program);
  if (unknown?.[1] === "option") return ofOption(unknown[2] ?? "", args, command, program);
  if (/too many arguments/.test(message))
    return args.some((each) => /^[\w.]+=/.test(each) && args[args.indexOf(each) - 1] !== "--set")
      ? "a setting is given as `--set KEY=VALUE`"
      : "name only one; a call for each";
  return /required option/.test(message) ? ofRequired(args, command) : null;
}

/** An option that is missing may be there under another name. */
function ofRequired(args: readonly string[], command: Command | undefined): string | null {
  const own = options[command?.name() ?? ""] ?? {};
  const other = args.find((each) => each.startsWith("-") && Object.hasOwn(own, each.replace(/^-+|=.*$/g, "")));
  if (other === undefined) return null;
  const value = other.split("=", 2)[1] ?? args[args.indexOf(other) + 1] ?? "FILE";
  return (own[other.replace(/^-+|=.*$/g, "")] ?? "").replaceAll("VALUE", shellWord(value));
}

function ofCommand(word: string, program: Command): string | null {
  const plain = word.toLowerCase();
  if (Object.hasOwn(commands, plain)) return commands[plain] ?? null;
  if (/\.ya?ml$/.test(word)) return `a run config is named behind a command: \`ltxc run ${shellWord(word)}\``;
  if (word.endsWith(".strategy")) return `a strategy is named behind a command: \`ltxc check ${shellWord(word)}\``;
  return didYouMean(
    plain,
    program.commands.map((each) => each.name()),
  );
}

function ofOption(
  written: string,
  args: readonly string[],
  command: Command | undefined,
  program: Command,
): string | null {
  const [flag = "", own] = written.split("=", 2);
  const word = flag.replace(/^-+/, "");
  const at = args.findIndex((each) => each === written);
  const next = args[at + 1];
  const value = own ?? (next === undefined || next.startsWith("-") ? null : next);
  if (command === undefined && word === "v") return "write `ltxc --version`";
  const name = command?.name() ?? "*";
  for (const section of [name, "*"]) {
    const known = Object.hasOwn(options, section) ? options[section] : undefined;
    if (known !== undefined && Object.hasOwn(known, word))
      return (known[word] ?? "").replaceAll("VALUE", shellWord(value ?? "FILE"));
  }
  // What a run would take as a setting is none of the options that other commands have by chance.
  const isOwn = command?.options.some(({ long }) => long === flag) === true;
  const found = takesSettings(command) && !isOwn ? asSetting(word, value, command) : null;
  return (
    found ??
    elsewhere(flag, value, at, args, command, program) ??
    asSetting(word, value, command) ??
    nearest(flag, command ?? program)
  );
}

/** An option that stands before its command, or that another command has. */
function elsewhere(
  flag: string,
  value: string | null,
  at: number,
  args: readonly string[],
  command: Command | undefined,
  program: Command,
): string | null {
  const has = (each: Command) => each.options.find(({ long, short }) => long === flag || short === flag);
  const own = command === undefined ? undefined : has(command);
  const isBefore = command !== undefined && at < args.indexOf(command.name());
  if (own !== undefined && command !== undefined)
    return isBefore
      ? `it belongs behind the command: \`ltxc ${command.name()} ${flag}${own.required && value !== null ? ` ${shellWord(value)}` : ""}\``
      : `it takes no value: write \`${flag}\` alone`;
  const owners = program.commands.filter(has).map((each) => `\`ltxc ${each.name()}\``);
  return owners.length === 0 ? null : `it is an option of ${owners.join(", ")}`;
}

const takesSettings = (command: Command | undefined): boolean =>
  command?.options.some(({ long }) => long === "--set") === true;

/** A setting of the run config that was given as an option. */
function asSetting(word: string, value: string | null, command: Command | undefined): string | null {
  const setting = word.length < 2 ? null : settingOf(word);
  if (setting === null) return null;
  if (setting.to === null) return setting.say ?? null;
  const line = `${setting.to}=${value ?? "VALUE"}`;
  return takesSettings(command)
    ? `write \`--set ${shellWord(line)}\``
    : `it is the setting \`${setting.to}\` of train.yaml`;
}

function nearest(flag: string, command: Command): string | null {
  const known = command.options.flatMap(({ long }) => long ?? []);
  const own = known.length === 0 ? "" : `: \`${known.join("`, `")}\``;
  const name = command.parent === null ? "ltxc" : `ltxc ${command.name()}`;
  return (
    didYouMean(flag, [...known, ...(command.parent?.options ?? []).flatMap(({ long }) => long ?? [])]) ??
    `\`${name}\` has other options${own}`
  );
}
