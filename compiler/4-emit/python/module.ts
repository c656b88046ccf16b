/**
 * Prints a program as one Python module for the official trainer, `ltxc_<name>.py`: config, strategy and launcher at once.
 *
 * What the launcher (library/launcher.py) may rely on. It is called as `main(<Name>Config, <Name>Strategy, ...)`, with `sources_trainer`,
 * `heads_trainer` and `passes_trainer` behind these as the strategy needs them, and the module defines:
 *   <Name>Config.directories()     dict: source -> directory below the data root, in the order of the trainer's data set
 *   <Name>Config.batch_keys()      dict: source -> key of the batch; the text source's is `conditions`
 *   <Name>Strategy.SOURCE          dict of texts: `strategy`, `version` (of ltxc), `source_hash`
 *   <Name>Strategy.KINDS           dict: source -> kind, such as `video_latents`
 *   <Name>Config.files()           only with files for all samples, dict: source -> file below the data root
 *   <Name>Strategy.TEXTS           only with several texts, or files for all samples: the sources of texts, as they lie in `conditions`
 *   <Name>Strategy.PASSES          only with passes: name -> `trained`, or `base` for the model without the LoRA
 *   strategy.model                 only with passes: to be set to a function of a pass's name and two `Modality`s
 *   <Name>Strategy.TAPS            only with outputs: name -> (modality, block)
 *   <Name>Strategy.HEADS           only with outputs: name -> (name of the output that it reads, features), inputs first
 *   strategy.place                 to be set to a `Place` before each micro-batch; None at first
 *   strategy.terms                 after compute_loss: name of the loss term -> [B], detached
 *   strategy.batch_idx             after prepare_training_inputs: place of each sample in the sorted data set, [B]
 *   strategy.metadata              text for the checkpoint, as seen so far
 *   strategy.taps                  only with outputs: to be filled by hooks with name -> [B, T, D], references included
 *   strategy.heads                 only with outputs: to be filled with name -> `torch.nn.Linear`
 */
import { basename } from "node:path";
import type { Program } from "../../3-lower/program.ts";
import { escapeControls } from "../../../runtime/escape.ts";
import type { SourceFile } from "../../source/source-file.ts";
import { call, dict, entry, list, quoted, type Code } from "./code.ts";
import { configClass, fieldNames, textSources } from "./config.ts";
import type { Context } from "./context.ts";
import { hasOpenPass } from "./gradients.ts";
import { importLines } from "./imports.ts";
import { inputsClass, ownFields } from "./inputs.ts";
import { statement, WIDTH } from "./layout.ts";
import { neededParts } from "./library.ts";
import { lossBody } from "./loss.ts";
import { classPrefix, Names } from "./names.ts";
import { prepareBody } from "./prepare.ts";
import { embedded, type Twin } from "./twins.ts";
import { withWholeMasks } from "./whole-masks.ts";
import { docstring } from "./words.ts";

interface PythonOptions {
  /** Version of the compiler. */
  readonly compiler: string;
  readonly sourceHash: string;
  /** The strategy's source, from which comments quote. */
  readonly source: SourceFile;
  /** Imported functions in Python. */
  readonly twins: readonly Twin[];
}

/** The name of the module of a strategy. A strategy called `random` must not hide the package of that name. */
export const moduleName = (strategy: string): string => `ltxc_${strategy}.py`;

export function emitPython(lowered: Program, options: PythonOptions): string {
  const program = withWholeMasks(lowered);
  const names = new Names();
  const context: Context = { program, names, fields: fieldNames(program.params), source: options.source };
  for (const { name } of [...program.sources, ...program.imports]) names.of(name);
  const twins = options.twins.map((twin) => ({ path: twin.path, ...embedded(twin, names) }));
  const prefix = classPrefix(program.name);
  const config = names.free(`${prefix}Config`);
  const strategy = names.free(`${prefix}Strategy`);
  const loss = lossBody(context);
  const fields = ownFields(program, names, loss.sizes);
  const inputs = fields.length === 0 ? "ModelInputs" : names.free(`${prefix}Inputs`);
  const prepare = prepareBody(context, inputs, loss);
  const body = [
    configClass(program, config, context.fields).join("\n"),
    ...(fields.length === 0 ? [] : [inputsClass(inputs, fields)]),
    strategyClass(strategy, program, options, { prepare, loss: loss.lines }).join("\n"),
  ];
  const start = statement("", call("main", [config, strategy, ...extensionsOf(program)]), "", 4);
  const end = `if __name__ == "__main__":\n${start}`;
  const own = twins.flatMap(({ path, text }) => [heading(`From ${path}`), text]);
  const { sections, names: used } = neededParts([...body, ...own, end].join("\n"));
  const library = sections.flatMap(({ title, texts }) => [heading(title), ...texts]);
  const imports = importLines(
    used,
    twins.flatMap((twin) => twin.imports),
  );
  const head = `${moduleDocstring(program, options)}\n${imports}`;
  return `${[head, ...body, ...own, ...library, end].join("\n\n\n")}\n`;
}

/** What the official trainer needs besides for this strategy. */
function extensionsOf(program: Program): string[] {
  return [
    ...(hasOwnSources(program) ? ["sources_trainer"] : []),
    ...(program.outputs.length > 0 ? ["heads_trainer"] : []),
    ...(program.passes.length > 0 ? ["passes_trainer"] : []),
  ];
}

/** Whether there are sources that the official trainer does not have: files for all samples, or further texts. */
const hasOwnSources = (program: Program): boolean =>
  textSources(program).length > 1 || program.sources.some(({ shared }) => shared);

/** Lines that begin with a space would stay as they are. */
const nameOrDescription = ({ name, description }: Program): string =>
  description.trim() || `The training strategy ${name}.`;

function moduleDocstring(program: Program, { compiler, source, sourceHash }: PythonOptions): string {
  const file = `${basename(source.path)} (sha256 ${sourceHash.slice(0, 12)})`;
  return docstring(
    [
      nameOrDescription(program),
      `Made by ltxc ${compiler} from ${file}. Change that file, not this one. To train with the official trainer:`,
      `    accelerate launch ${moduleName(program.name)} train.yaml`,
      leftOut(program),
    ],
    0,
  );
}

/** What the official trainer has no place for. Its validation never sees a strategy. */
function leftOut({ modalities, prepare, expected }: Program): string {
  const isWritten = (key: string) => prepare.some((each) => each.key === key && each.span !== null);
  const hasLevels = ({ name }: { readonly name: string }) =>
    prepare.some(({ key, core }) => key === `${name}.sigma` && core.type.axes.length > 1);
  const isKept = modalities.some(({ name }) => isWritten(`${name}.keep`));
  const unseen = [
    modalities.some(({ attention }) => attention) ? "attention masks" : null,
    modalities.some(hasLevels) ? "noise levels of single tokens" : null,
    modalities.some(({ noisyReferences }) => noisyReferences.length > 0) ? "noised references" : null,
    modalities.some(({ name }) => isWritten(`${name}.noisy`) || isWritten(`${name}.target`))
      ? "another path of noise"
      : null,
  ].flatMap((each) => each ?? []);
  const given = isKept || modalities.some(({ references, generated }) => references.length > 0 || !generated);
  return [
    "Validation is the official trainer's own and does not call this strategy.",
    given ? "What its samples are given is written as their `conditions`." : null,
    unseen.length === 0 ? null : `It knows no ${unseen.join(", no ")}.`,
    expected === 0 ? null : "`expect` is for `ltxc test` and not part of this file.",
  ]
    .flatMap((each) => each ?? [])
    .join(" ");
}

function strategyClass(
  className: string,
  program: Program,
  { compiler, sourceHash }: PythonOptions,
  { prepare, loss }: { readonly prepare: readonly string[]; readonly loss: readonly string[] },
): string[] {
  const { name, sources, outputs, passes, terms } = program;
  const constant = (head: string, entries: readonly Code[]) => statement(head, dict(entries), "", 4);
  const source = { strategy: name, version: compiler, source_hash: sourceHash };
  const ends = terms.length === 1 ? "" : `: ${terms.map((term) => term.name).join(" + ")}`;
  return [
    `class ${className}(TrainingStrategy):`,
    docstring([nameOrDescription(program), sourceTable(program)], 4),
    "",
    constant(
      "SOURCE = ",
      Object.entries(source).map(([key, value]) => entry(key, quoted(value))),
    ),
    constant(
      "KINDS = ",
      sources.map((each) => entry(each.name, quoted(each.kind))),
    ),
    ...(hasOwnSources(program) ? [statement("TEXTS = ", list(textSources(program).map(quoted)), "", 4)] : []),
    ...(passes.length === 0
      ? []
      : [
          constant(
            "PASSES = ",
            passes.map((pass) => entry(pass.name, quoted(pass.weights))),
          ),
        ]),
    ...(outputs.length === 0 ? [] : outputConstants(program, constant)),
    "",
    "    def __init__(self, config):",
    "        super().__init__(config)",
    "        self.keys, self.first_batches = config.batch_keys(), FirstBatches()",
    "        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}",
    ...(outputs.length === 0 ? [] : ["        self.taps, self.heads = {}, {}"]),
    ...givenOutputs(program),
    ...(passes.length === 0 ? [] : ["        self.model = None"]),
    "",
    ...(hasOpenPass(program) ? [] : ["    @torch.no_grad()"]),
    "    def prepare_training_inputs(self, batch, timestep_sampler):",
    docstring(["What the model gets of a batch, and what the loss needs of it."], 8),
    ...prepare,
    "",
    "    def compute_loss(self, video_pred, audio_pred, inputs):",
    docstring([`The loss of each sample, [batch]${ends}.`], 8),
    ...loss,
    "",
    "    def get_checkpoint_metadata(self):",
    docstring(["Text for the checkpoint."], 8),
    "        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}",
  ];
}

/** The sources with their kinds and directories, as a table that is indented in the docstring. */
function sourceTable({ sources }: Program): string {
  const width = Math.max(...sources.map((source) => source.name.length));
  const lines = sources.map(({ name, kind, directory }) => {
    const line = `    ${name.padEnd(width)}  ${kind} in ${escapeControls(directory)}`;
    return 4 + line.length <= WIDTH
      ? line
      : line.replace(/  (?=\S+ in )/, "\n        ").replace(" in ", " in\n        ");
  });
  return lines.join("\n");
}

function outputConstants({ outputs }: Program, constant: (head: string, entries: readonly Code[]) => string): string[] {
  const entries = (kind: "tap" | "linear") =>
    outputs.flatMap((output) => {
      if (output.kind !== kind) return [];
      const value =
        output.kind === "tap" ? [quoted(output.modality), output.block] : [quoted(output.input), output.features];
      return [entry(output.name, `(${value.join(", ")})`)];
    });
  return [constant("TAPS = ", entries("tap")), constant("HEADS = ", entries("linear"))];
}

/** `self.TAPS = …` and `self.HEADS = …` with a block or a width that a parameter gives. */
function givenOutputs({ outputs, params }: Program): string[] {
  const fields = fieldNames(params);
  return outputs.flatMap((output): string[] => {
    if (output.param === undefined) return [];
    const [table, first] = output.kind === "tap" ? ["TAPS", output.modality] : ["HEADS", output.input];
    const value = `(${quoted(first)}, config.${fields.get(output.param) ?? output.param})`;
    return [`        self.${table} = {**self.${table}, ${quoted(output.name)}: ${value}}`];
  });
}

const heading = (title: string): string => `# ${"-".repeat(118 - title.length - 1)} ${title}`;
