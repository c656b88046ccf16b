/**
 * Prints a program as one Python module for the official trainer, `ltxc_<name>.py`: config, strategy and launcher at once.
 *
 * What the launcher (library/launcher.py) may rely on. It is called as `main(<Name>Config, <Name>Strategy)`, and the module defines:
 *   <Name>Config.directories()     dict: source -> directory below the data root, in the order of the trainer's data set
 *   <Name>Config.batch_keys()      dict: source -> key of the batch; the text source's is `conditions`
 *   <Name>Strategy.SOURCE          dict of texts: `strategy`, `version` (of ltxc), `source_hash`
 *   <Name>Strategy.KINDS           dict: source -> kind, such as `video_latents`
 *   <Name>Strategy.TAPS            only with outputs: name -> (modality, block)
 *   <Name>Strategy.HEADS           only with outputs: name -> (name of the output that it reads, features), inputs first
 *   strategy.place                 to be set to a `Place` before each micro-batch; None at first
 *   strategy.terms                 after compute_loss: name of the loss term -> [B], detached
 *   strategy.batch_idx             after prepare_training_inputs: place of each sample in the sorted data set, [B]
 *   strategy.metadata              text for the checkpoint, as seen so far
 *   strategy.taps                  only with outputs: to be filled by hooks with name -> [B, T, D], references included
 *   strategy.heads                 only with outputs: an empty `torch.nn.ModuleDict`, to be filled with name -> `torch.nn.Linear`
 */
import { basename } from "node:path";
import { textAt, type SourceFile } from "../../source/source-file.ts";
import type { CheckedModality } from "../../2-check/checked.ts";
import type { Core } from "../../2-check/core.ts";
import type { Program, Statement } from "../../3-lower/program.ts";
import { atom, call, flat, infix, list, method, named, quoted, type Code } from "./code.ts";
import { configClass, fieldNames, inOrder } from "./config.ts";
import { device, referencesCode, sample } from "./expression.ts";
import { importLines } from "./imports.ts";
import { inputsClass, officialField, ownFields } from "./inputs.ts";
import { statement as lineOf } from "./layout.ts";
import { neededParts } from "./library.ts";
import { classPrefix, Names } from "./names.ts";
import { host } from "./number.ts";
import { Scope } from "./scope.ts";
import { comment, docstring } from "./words.ts";

interface PythonOptions {
  /** Version of the compiler. */
  readonly compiler: string;
  readonly sourceHash: string;
  /** The strategy's source, from which comments quote. */
  readonly source: SourceFile;
}

/** The name of the module of a strategy. A strategy called `random` must not hide the package of that name. */
export const moduleName = (strategy: string): string => `ltxc_${strategy}.py`;

export function emitPython(program: Program, options: PythonOptions): string {
  return new Emitter(program, options).module();
}

const BODY = 8;

class Emitter {
  readonly #program: Program;
  readonly #options: PythonOptions;
  readonly #names = new Names();
  readonly #fields: ReadonlyMap<string, string>;
  /** Sizes that the loss needs; it has no batch to read them from. */
  #sizesOfLoss: readonly string[] = [];

  constructor(program: Program, options: PythonOptions) {
    this.#program = program;
    this.#options = options;
    this.#fields = fieldNames(program.params);
    for (const { name } of [...program.sources, ...program.imports]) this.#names.of(name);
  }

  module(): string {
    const prefix = classPrefix(this.#program.name);
    const config = this.#names.free(`${prefix}Config`);
    const strategy = this.#names.free(`${prefix}Strategy`);
    const loss = this.#lossBody();
    const fields = ownFields(this.#program, this.#names, this.#sizesOfLoss);
    const inputs = fields.length === 0 ? "ModelInputs" : this.#names.free(`${prefix}Inputs`);
    const body = [
      configClass(this.#program, config, this.#fields).join("\n"),
      ...(fields.length === 0 ? [] : [inputsClass(inputs, fields)]),
      this.#strategyClass(strategy, inputs, loss).join("\n"),
    ];
    const end = `if __name__ == "__main__":\n    main(${config}, ${strategy})`;
    const parts = neededParts(`${body.join("\n")}\n${end}`);
    const library = parts.flatMap(({ title, texts }) => [heading(title), ...texts]);
    const whole = [...body, ...library, end].join("\n\n\n");
    return `${this.#head()}\n${importLines(whole)}\n\n\n${whole}\n`;
  }

  #head(): string {
    const { name, description } = this.#program;
    const { compiler, source, sourceHash } = this.#options;
    const made = `Made by ltxc ${compiler} from ${basename(source.path)} (sha256 ${sourceHash.slice(0, 12)}). Change that file, not this one.`;
    return docstring(
      [
        description === "" ? `The training strategy ${name}.` : description,
        made,
        `    accelerate launch ${moduleName(name)} train.yaml`,
      ],
      0,
    );
  }

  // --------------------------------------------------------------------------------------------------------------- strategy

  #strategyClass(name: string, inputs: string, loss: readonly string[]): string[] {
    const { sources, outputs } = this.#program;
    const { compiler, sourceHash } = this.#options;
    const info = { strategy: this.#program.name, version: compiler, source_hash: sourceHash };
    const kinds = sources.map(({ name, kind }) => `${quoted(name)}: ${quoted(kind)}`);
    return [
      `class ${name}(TrainingStrategy):`,
      docstring(this.#paragraphs(), 4),
      "",
      lineOf(
        "SOURCE = ",
        braces(Object.entries(info).map(([key, value]) => `${quoted(key)}: ${quoted(value)}`)),
        "",
        4,
      ),
      lineOf("KINDS = ", braces(kinds), "", 4),
      ...(outputs.length === 0 ? [] : this.#outputConstants()),
      "",
      "    def __init__(self, config):",
      "        super().__init__(config)",
      "        self.keys = config.batch_keys()",
      "        self.place, self.terms, self.metadata, self.batch_idx = None, {}, {}, None",
      ...(outputs.length === 0 ? [] : ["        self.taps, self.heads = {}, torch.nn.ModuleDict()"]),
      "",
      "    @torch.no_grad()",
      "    def prepare_training_inputs(self, batch, timestep_sampler):",
      docstring(["What the model gets of a batch, and what the loss needs of it."], BODY),
      ...this.#prepareBody(inputs),
      "",
      "    def compute_loss(self, video_pred, audio_pred, inputs):",
      docstring([this.#lossText()], BODY),
      ...loss,
    ];
  }

  #paragraphs(): string[] {
    const { name, description, sources } = this.#program;
    const width = Math.max(...sources.map((source) => source.name.length));
    const lines = sources.map((source) => `    ${source.name.padEnd(width)}  ${source.kind} in ${source.directory}`);
    return [description === "" ? `The training strategy ${name}.` : description, `    ${lines.join("\n").trimStart()}`];
  }

  #lossText(): string {
    const names = this.#program.terms.map(({ name }) => name);
    return names.length === 1
      ? "The loss of each sample, [batch]."
      : `The loss of each sample, [batch]: ${names.join(" + ")}.`;
  }

  #outputConstants(): string[] {
    const { outputs } = this.#program;
    const taps = outputs.flatMap((output) =>
      output.kind === "tap" ? [`${quoted(output.name)}: (${quoted(output.modality)}, ${output.block})`] : [],
    );
    const heads = outputs.flatMap((output) =>
      output.kind === "linear" ? [`${quoted(output.name)}: (${quoted(output.input)}, ${output.features})`] : [],
    );
    return [lineOf("TAPS = ", braces(taps), "", 4), lineOf("HEADS = ", braces(heads), "", 4)];
  }

  // ---------------------------------------------------------------------------------------------------------------- prepare

  #prepareBody(inputs: string): string[] {
    const scope = this.#scope();
    const statements = this.#program.prepare.flatMap((statement) => this.#statement(statement, scope));
    const modalities = (["video", "audio"] as const).flatMap((name) => this.#modality(name, scope));
    const result = this.#result(inputs, scope);
    for (const name of this.#sizesOfLoss) scope.sizes.add(name);
    const head = this.#prepareHead(scope);
    return [...head, "", ...statements, "", ...modalities, ...result];
  }

  #prepareHead(scope: Scope): string[] {
    const { sizes } = scope;
    if (sizes.has("video_tokens")) ["frames", "height", "width"].forEach((name) => sizes.add(name));
    if (sizes.has("audio_tokens")) sizes.add("steps");
    const latents = this.#program.modalities.map(({ latents }) => latents);
    const first = flat(scope.source(latents[0] ?? ""));
    const grids = this.#program.modalities.flatMap((modality) => gridLines(modality, scope));
    return [
      ...(scope.uses.has("params") ? ["        params = self.config"] : []),
      ...this.#sourceLines(scope),
      ...(sizes.has("batch_size") ? [`        batch_size = len(${first})`] : []),
      ...grids,
      ...(scope.uses.has("device") || scope.uses.has("draws") ? [`        device = ${first}.device`] : []),
      ...(scope.uses.has("draws") ? ["        draws = Draws(self.place, timestep_sampler, device)"] : []),
      `        self.batch_idx = batch["idx"]`,
    ];
  }

  /** Reads the sources that the body uses. */
  #sourceLines(scope: Scope): string[] {
    return inOrder(this.#program).flatMap(({ name, kind, key, axes }) => {
      if (!scope.sources.has(name)) return [];
      const entry = scope.entry(name);
      const head = `${this.#names.of(name)} = `;
      switch (kind) {
        case "video_latents":
          return [lineOf(head, call("latents_of", [entry]), "[batch, channel, frame, height, width]", BODY)];
        case "audio_latents":
          return [lineOf(head, call("latents_of", [entry]), "[batch, channel, step, mel]", BODY)];
        case "text_embeddings":
          return [lineOf(head, entry, "", BODY)];
        case "tensor":
          return [
            lineOf(
              head,
              { kind: "index", object: entry, text: quoted(key ?? "") },
              shapeOf(["batch", ...(axes ?? [])]),
              BODY,
            ),
          ];
        default:
          return [lineOf(head, call("mask_of", [entry]), `[batch, token:${kind.slice(0, 5)}]`, BODY)];
      }
    });
  }

  #modality(name: "video" | "audio", scope: Scope): string[] {
    const modality = this.#program.modalities.find((each) => each.name === name);
    if (modality === undefined) return [];
    const value = call("Modality", this.#modalityArguments(modality, scope));
    return [...taken(scope), lineOf(`${name} = `, value, "", BODY)];
  }

  #modalityArguments({ name, text, generated, attention, references }: CheckedModality, scope: Scope): Code[] {
    const source = flat(scope.source(text));
    const own = scope.ref(`${name}.${generated ? "noisy" : "clean"}`);
    const timesteps = scope.ref(`${name}.timesteps`);
    const hasReferences = references.length > 0;
    const tokens = name === "video" ? "to_video_tokens" : "to_audio_tokens";
    const clean = hasReferences
      ? `${tokens}(latents).float() for ${name === "video" ? "latents, _" : "latents"} in ${scope.ref(`${name}.references`)}`
      : "";
    const sequence = hasReferences ? scope.size(`sequence:${name}`) : null;
    return [
      named("latent", hasReferences ? call("torch.cat", [list([`*(${clean})`, own]), "1"]) : own),
      named("sigma", this.#sigma(name, scope)),
      named("timesteps", sequence === null ? timesteps : call("after_references", [timesteps, "1", sequence])),
      named("positions", scope.positions(name)),
      named("context", call("context_of", [source, quoted(name)])),
      named("enabled", "True"),
      named("context_mask", `${source}["prompt_attention_mask"]`),
      named("attention_mask", attention ? scope.ref(`${name}.attention`) : "None"),
      named("keyframes_mask", name === "video" ? `${scope.ref("video.keyframes")}[:, :, None]` : "None"),
    ];
  }

  /** One level for each sample: the mean over the target's tokens where each has its own. */
  #sigma(name: string, scope: Scope): Code {
    const sigma = scope.ref(`${name}.sigma`);
    const axes = this.#program.prepare.find(({ key }) => key === `${name}.sigma`)?.core.type.axes ?? [];
    return axes.length <= 1 ? atom(sigma) : method(sigma, "mean", ["1"]);
  }

  #result(inputs: string, scope: Scope): string[] {
    const { modalities } = this.#program;
    const of = (name: string) => modalities.find((modality) => modality.name === name);
    const field = (name: string, what: string) => (of(name)?.generated ? scope.ref(`${name}.${what}`) : "None");
    const args = [
      named("video", of("video") === undefined ? "None" : "video"),
      named("audio", of("audio") === undefined ? "None" : "audio"),
      named("video_targets", field("video", "target")),
      named("audio_targets", field("audio", "target")),
      named("video_loss_mask", field("video", "generated")),
      named("audio_loss_mask", field("audio", "generated")),
      ...ownFields(this.#program, this.#names, this.#sizesOfLoss).map(({ name }) => named(name, name)),
    ];
    return [lineOf("return ", call(inputs, args), "", BODY)];
  }

  // ------------------------------------------------------------------------------------------------------------------- loss

  #lossBody(): string[] {
    const scope = this.#scope();
    const statements = this.#program.loss.flatMap((statement) => this.#statement(statement, scope));
    const terms = this.#program.terms.flatMap(({ name, core, span }) => {
      const value = device(core, scope);
      const head = `${this.#names.of(`loss.${name}`)} = `;
      return [
        ...taken(scope),
        comment(`${name}: ${textAt(this.#options.source, span)}`, BODY),
        lineOf(head, value, "", BODY),
      ];
    });
    const names = this.#program.terms.map(({ name }) => this.#names.of(`loss.${name}`));
    this.#sizesOfLoss = [...scope.sizes];
    const values = this.#program.values.filter((key) => scope.refs.has(key));
    const all = this.#program.terms.map(({ name }, i) => `${quoted(name)}: ${names[i] ?? ""}.detach()`);
    return [
      ...(scope.uses.has("params") ? ["        params = self.config"] : []),
      ...values.map(
        (key) => `        ${this.#names.of(key)} = inputs.${officialField(key, this.#program) ?? this.#names.of(key)}`,
      ),
      ...this.#sizesOfLoss.map((name) => `        ${name} = inputs.${name}`),
      ...statements,
      ...terms,
      lineOf("self.terms = ", braces(all), "", BODY),
      lineOf(
        "return ",
        names.map(atom).reduce((a, b) => infix(a, "+", b)),
        "[batch]",
        BODY,
      ),
    ];
  }

  // -------------------------------------------------------------------------------------------------------------- statements

  #scope(): Scope {
    return new Scope(this.#program, this.#names, this.#fields);
  }

  #statement({ key, core, span }: Statement, scope: Scope): string[] {
    const value = valueOf(core, scope);
    const quote = span === null ? [] : [comment(`${key}: ${textAt(this.#options.source, span)}`, BODY)];
    const shape = core.op === "references" ? referencesShape(core.modality) : shapeOf(core.type.axes);
    return [...taken(scope), ...quote, lineOf(`${this.#names.of(key)} = `, value, shape, BODY)];
  }
}

function valueOf(core: Core, scope: Scope): Code {
  if (core.op === "references") return referencesCode(core, scope);
  const { stage } = core.type;
  return stage === "device" ? device(core, scope) : stage === "sample" ? sample(core, scope) : host(core, scope);
}

const referencesShape = (modality: string): string =>
  modality === "video"
    ? "latents and frames per second, in the order of the sequence"
    : "latents, in the order of the sequence";

const shapeOf = (axes: readonly string[]): string => (axes.length === 0 ? "" : `[${axes.join(", ")}]`);

/** Lines of variables that the code printed last asked for. */
const taken = (scope: Scope): string[] =>
  scope.taken().map(({ head, value, shape }) => lineOf(head, value, shape, BODY));

/** The sizes of a modality's target that the body uses. */
function gridLines({ name, latents }: CheckedModality, scope: Scope): string[] {
  const all = name === "video" ? ["frames", "height", "width"] : ["steps"];
  const { sizes } = scope;
  const own = flat(scope.source(latents));
  const unpack = all.some((size) => sizes.has(size));
  const channels = name === "video" ? `${own}.shape[1]` : `${own}.shape[1] * ${own}.shape[3]`;
  return [
    ...(unpack && name === "video" ? [`        frames, height, width = ${own}.shape[2:]`] : []),
    ...(unpack && name === "audio" ? [`        steps = ${own}.shape[2]`] : []),
    ...(sizes.has(`${name}_tokens`) ? [`        ${name}_tokens = ${all.join(" * ")}`] : []),
    ...(sizes.has(`${name}_channels`) ? [`        ${name}_channels = ${channels}`] : []),
  ];
}

const braces = (entries: readonly string[]): Code => ({
  kind: "call",
  head: null,
  args: entries.map(atom),
  brackets: "{}",
});

const heading = (title: string): string => `# ${"-".repeat(118 - title.length - 1)} ${title}`;
