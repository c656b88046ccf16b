/** Prints a program as a TypeScript module that imports the types of the step contract, and the functions that the strategy imports. */
import type { CheckedModality } from "../../2-check/checked.ts";
import type { Core, ModalityName } from "../../2-check/core.ts";
import type { Probe, Program, Statement } from "../../3-lower/program.ts";
import { at, object, Writer, type Code, type Segment } from "./code.ts";
import { callInputs, ownValues, passCode, textChoice, type Emitted } from "./calls.ts";
import { device } from "./expression.ts";
import { helpers, type Helper } from "./helpers.ts";
import { host } from "./number.ts";
import { keyInFile } from "../key-in-file.ts";
import { locate, textAt, type SourceFile } from "../../source/source-file.ts";
import { asImported, importPath, rename } from "./imported-names.ts";
import { infoText, type Origin } from "./info.ts";
import { Names } from "./names.ts";
import { referencesCode, sequenceLength } from "./references.ts";
import { Scope, type Shared } from "./scope.ts";
import { comment, literal, propertyName, templateCode, typeOfParam, typeOfSource, valueType } from "./words.ts";

interface ModuleOptions extends Origin {
  /** Whether imported functions are left out: stand-ins with the declared results take their places. */
  readonly standIns?: boolean;
  /** The strategy's source, from which comments quote. */
  readonly source: SourceFile;
}

export interface EmittedModule {
  readonly text: string;
  readonly segments: readonly Segment[];
}

export function emitModule(program: Program, options: ModuleOptions): EmittedModule {
  return new Emitter(program, options).module();
}

class Emitter {
  readonly #program: Program;
  readonly #options: ModuleOptions;
  readonly #names: Names;
  readonly #shared: Shared;
  readonly #writer = new Writer();
  /** Sizes that the loss needs; it has no batch to read them from. */
  #sizesOfLoss: readonly string[] = [];

  constructor(program: Program, options: ModuleOptions) {
    this.#program = program;
    this.#options = options;
    const ofContext = [
      ...(program.passes.length > 0 ? ["call"] : []),
      ...(program.weights.length > 0 ? ["weight"] : []),
      ...(program.networks.length > 0 ? ["network"] : []),
    ];
    this.#names = new Names(ofContext);
    this.#shared = {
      helpers: new Set(),
      sizesOfReferences: new Map(),
      standIns: options.standIns === true,
      quote: (span) => this.#quote(span),
    };
    for (const { name } of [...program.sources, ...program.imports, ...program.functions]) this.#names.of(name);
    // Values that have a name in the strategy keep it, before parameters of functions get theirs.
    for (const { key } of [...program.prepare, ...program.loss]) if (!key.includes(".")) this.#names.of(key);
  }

  module(): EmittedModule {
    const loss = this.#lossBody();
    const probe = this.#program.probe === null ? null : this.#probeBody(this.#program.probe);
    const prepare = this.#prepareBody();
    const metadata = this.#metadataBody();
    this.#head(metadata.signature.includes("Sizes<") ? ["Sizes"] : []);
    this.#writer.line(`export const strategy: StrategyInfo = ${infoText(this.#program, this.#options)};\n`);
    this.#types();
    this.#function("prepare(ctx: StepContext<Params>, batch: Batch<Sources>): Prepared<Values>", prepare);
    this.#function(
      "loss(ctx: StepContext<Params>, prepared: Prepared<Values>, prediction: Prediction): LossTerms",
      loss,
    );
    if (probe !== null) {
      this.#function(
        "probe(ctx: StepContext<Params>, prepared: Prepared<Values>, prediction: Prediction): Probe",
        probe,
      );
    }
    this.#function(metadata.signature, metadata.body, "");
    for (const name of Object.keys(helpers) as Helper[]) {
      if (this.#shared.helpers.has(name)) this.#writer.line(`\n${helpers[name]}`);
    }
    return { text: this.#writer.text, segments: this.#writer.segments };
  }

  /** `more`: types of the contract that not every module names. */
  #head(more: readonly string[]): void {
    const { name, description } = this.#program;
    this.#writer.line(`/** ${comment(description === "" ? name : description)} */`);
    const kinds = [...new Set(this.#program.sources.map(typeOfSource))].toSorted();
    const types = [
      "Batch",
      "LossTerms",
      ...(this.#program.prepare.some(({ core }) => core.op === "passInputs") ? ["ModelInputs"] : []),
      "Prediction",
      "Prepared",
      ...(this.#program.probe === null ? [] : ["Probe"]),
      "StepContext",
      "StrategyInfo",
      "Tensor",
      ...more,
      ...this.#typesOfHelpers(),
      ...kinds,
    ];
    this.#writer.line("import type {");
    for (const type of types.toSorted()) this.#writer.line(`${type},`, 2);
    this.#writer.line('} from "ltxc/contract";');
    for (const { name, from, span } of this.#options.standIns ? [] : this.#program.imports) {
      const path = importPath(locate(this.#options.source, span.start).file.path, from);
      this.#writer.line([
        "import { ",
        asImported(name, this.#names.of(name)),
        " } from ",
        at(span, literal(path)),
        ";",
      ]);
    }
    this.#writer.line();
  }

  /** Types of the contract that only helpers name. */
  #typesOfHelpers(): string[] {
    const texts = [...this.#shared.helpers].map((name) => helpers[name]);
    return ["HostTensor", "ModalityInputs", "Ops", "VideoGrid"].filter((type) =>
      texts.some((text) => new RegExp(`\\b${type}\\b`).test(text)),
    );
  }

  #types(): void {
    const { params, sources, values } = this.#program;
    this.#interface(
      "Params",
      params.map((param) => ({ name: param.name, type: typeOfParam(param), doc: param.schema["description"] })),
    );
    this.#interface(
      "Sources",
      sources.map((source) => ({ name: source.name, type: typeOfSource(source), doc: null })),
    );
    const typeOf = (key: string) => valueType(this.#program.prepare.find((statement) => statement.key === key)?.core);
    const sizes = this.#sizesOfLoss.map((name) => ({ name, type: "number", doc: null }));
    this.#writer.line("/** What the loss needs of what was prepared. */");
    this.#interface("Values", [
      ...values.map((key) => ({ name: this.#names.of(key), type: typeOf(key), doc: null })),
      ...sizes,
    ]);
  }

  #interface(
    name: string,
    fields: readonly { readonly name: string; readonly type: string; readonly doc: unknown }[],
  ): void {
    if (fields.length === 0) return this.#writer.line(`export type ${name} = Readonly<Record<never, never>>;\n`);
    this.#writer.line(`export interface ${name} {`);
    for (const { name: field, type, doc } of fields) {
      if (typeof doc === "string") this.#writer.line(`/** ${comment(doc)} */`, 2);
      this.#writer.line(`readonly ${field}: ${type};`, 2);
    }
    this.#writer.line("}\n");
  }

  #function(signature: string, body: readonly Code[], after = "\n"): void {
    this.#writer.line(`export function ${signature} {`);
    for (const code of body) this.#writer.line(code, code === "" ? 0 : 2);
    this.#writer.line(`}${after}`);
  }

  /** Text for checkpoints, from parameters and sizes alone. */
  #metadataBody(): { readonly signature: string; readonly body: readonly Code[] } {
    const { statements, entries } = this.#program.metadata;
    const scope = new Scope(this.#program, this.#names, this.#shared);
    const lines = statements.flatMap((statement) => this.#statement(statement, scope));
    const texts = entries.map(({ name, parts }): Code => [`${propertyName(name)}: `, templateCode(parts, scope)]);
    const head = [...this.#grids(scope)];
    const sources = this.#sourcesOf(scope);
    const takes =
      sources.length > 0
        ? [scope.context.has("params") ? "params: Params" : "_: Params", "sizes: Sizes<Sources>"]
        : scope.context.has("params")
          ? ["params: Params"]
          : [];
    return {
      signature: `metadata(${takes.join(", ")}): Readonly<Record<string, string>>`,
      body: [
        ...(sources.length > 0 ? [`const { ${sources.join(", ")} } = sizes;`] : []),
        ...head,
        ...lines,
        [object("return ", texts), ";"],
      ],
    };
  }

  // ---------------------------------------------------------------------------------------------------------------- prepare

  #prepareBody(): Code[] {
    const scope = this.#scopeOf(this.#program.prepare);
    const statements = this.#program.prepare.map((statement) => this.#statement(statement, scope));
    const result = this.#prepared(scope);
    // Whether the length of a sequence is needed is known only now.
    const whole = this.#program.prepare.map(({ key }, i) => [...(statements[i] ?? []), ...sequenceLength(key, scope)]);
    return [...this.#prepareHead(scope), ...whole.flat(), "", ...result];
  }

  #prepareHead(scope: Scope): Code[] {
    for (const name of this.#sizesOfLoss) scope.sizes.add(name);
    const derived = this.#derivedSizes(scope);
    if (scope.sizes.has("videoTokens")) ["frames", "height", "width"].forEach((name) => scope.sizes.add(name));
    if (scope.sizes.has("audioTokens")) scope.sizes.add("steps");
    const grids = this.#grids(scope);
    const references = [...this.#shared.sizesOfReferences].flatMap(([name, { source, value }]) =>
      scope.sizes.has(name) && scope.source(source) !== "" ? [`const ${name} = ${value};`] : [],
    );
    const context = contextMembers.filter((name) => scope.context.has(name));
    const sources = this.#sourcesOf(scope);
    return [
      `const { ${context.join(", ")} } = ctx;`,
      `const { ${sources.join(", ")} } = batch.sources;`,
      ...(scope.sizes.has("batchSize") ? ["const batchSize = batch.size;"] : []),
      ...grids,
      ...Object.entries(derived).flatMap(([name, value]) =>
        scope.sizes.has(name) ? [`const ${name} = ${value};`] : [],
      ),
      ...references,
    ];
  }

  /** Sizes of the target grids that the body uses. */
  #grids(scope: Scope): Code[] {
    return this.#program.modalities.flatMap(({ name, latents }) => {
      const all = name === "video" ? ["frames", "height", "width"] : ["steps"];
      const own = all.filter((size) => scope.sizes.has(size));
      return own.length === 0 ? [] : [`const { ${own.join(", ")} } = ${scope.source(latents)};`];
    });
  }

  #sourcesOf(scope: Scope): string[] {
    const used = this.#program.sources.filter(({ name }) => scope.sources.has(name));
    return used.map(({ name }) => rename(name, this.#names.of(name)));
  }

  /** Sizes that follow from the latents; an audio token holds all channels of its mel bins. */
  #derivedSizes(scope: Scope): Readonly<Record<string, string>> {
    const sizes: Record<string, string> = { videoTokens: "frames * height * width", audioTokens: "steps" };
    for (const { name, latents } of this.#program.modalities) {
      if (!scope.sizes.has(`${name}Channels`)) continue;
      const channels = `${scope.helper("extent")}(${scope.source(latents)}.latents, 1)`;
      sizes[`${name}Channels`] =
        name === "video" ? channels : `${channels} * extent(${scope.source(latents)}.latents, 3)`;
    }
    return sizes;
  }

  #prepared(scope: Scope): Code[] {
    const { modalities, values } = this.#program;
    const of = (name: string) => modalities.find((modality) => modality.name === name);
    const entries = values.map((key) => this.#names.of(key));
    return [
      ...modalities.flatMap((modality) => textChoice(this.#emitted(scope), modality, ownValues(scope, this.#program))),
      "return {",
      "  inputs: {",
      ...this.#modelInputs(of("video"), "video", scope),
      ...this.#modelInputs(of("audio"), "audio", scope),
      "  },",
      ...(["video", "audio"] as const).map((name) => {
        if (!of(name)?.generated) return `  ${name}: null,`;
        return `  ${name}: { target: ${scope.ref(`${name}.target`)}, generated: ${scope.ref(`${name}.generated`)} },`;
      }),
      ...this.#overlaps(scope),
      ["  ", object("values: ", [...entries, ...this.#sizesOfLoss]), ","],
      "};",
    ];
  }

  #overlaps(scope: Scope): Code[] {
    const entries = this.#program.undecided.map((term) => `${propertyName(term)}: ${scope.ref(`overlap.${term}`)}`);
    return [entries.length === 0 ? "  overlaps: {}," : `  overlaps: { ${entries.join(", ")} },`];
  }

  #modelInputs(modality: CheckedModality | undefined, name: ModalityName, scope: Scope): Code[] {
    if (modality === undefined) return [`    ${name}: null,`];
    return callInputs(this.#emitted(scope), modality, ownValues(scope, this.#program)).map((line): Code => [
      "    ",
      line,
    ]);
  }

  /** The scope of a function with these values. */
  #scopeOf(valued: readonly { readonly core: Core }[]): Scope {
    return new Scope(
      this.#program,
      this.#names,
      this.#shared,
      valued.map(({ core }) => core),
    );
  }

  #emitted(scope: Scope): Emitted {
    return { program: this.#program, names: this.#names, scope };
  }

  // ------------------------------------------------------------------------------------------------------------------- loss

  #lossBody(): Code[] {
    const scope = this.#scopeOf([...this.#program.loss, ...this.#program.terms]);
    const statements = this.#program.loss.flatMap((statement) => this.#statement(statement, scope));
    const terms = this.#program.terms.flatMap(({ name, core, span }) => {
      const value = device(core, scope);
      return [
        ...scope.demanded(),
        `// ${name}: ${this.#quote(span)}`,
        ["const ", this.#names.of(`loss.${name}`), " = ", value, ";"] as Code,
      ];
    });
    const result = this.#program.terms.map(({ name }) => `${propertyName(name)}: ${this.#names.of(`loss.${name}`)}`);
    this.#sizesOfLoss = [...scope.sizes];
    return [...this.#lateHead(scope), ...statements, ...terms, [object("return ", result), ";"]];
  }

  /** What a function after the model takes of its context and of what was prepared. */
  #lateHead(scope: Scope): Code[] {
    const values = [
      ...this.#program.values.filter((key) => scope.refs.has(key)).map((key) => this.#names.of(key)),
      ...scope.sizes,
    ];
    const context = contextMembers.filter((name) => scope.context.has(name));
    return [
      `const { ${context.join(", ")} } = ctx;`,
      ...(values.length > 0 ? [[object("const ", values), " = prepared.values;"]] : []),
    ];
  }

  #probeBody({ statements, values }: Probe): Code[] {
    const scope = this.#scopeOf(statements);
    const body = statements.flatMap((statement) => this.#statement(statement, scope));
    const result = values.map(({ key }) => {
      const name = scope.ref(key);
      return key === name ? name : `${propertyName(key)}: ${name}`;
    });
    this.#sizesOfLoss = [...new Set([...this.#sizesOfLoss, ...scope.sizes])];
    return [...this.#lateHead(scope), ...body, [object("return ", result), ";"]];
  }

  // -------------------------------------------------------------------------------------------------------------- statements

  #statement({ key, core, span }: Statement, scope: Scope): Code[] {
    if (core.op === "pass" || core.op === "passInputs") {
      const made = passCode(this.#emitted(scope), core, this.#names.of(key));
      return [...scope.demanded(), ...made];
    }
    const { axes, stage } = core.type;
    const value =
      core.op === "references"
        ? referencesCode(core, scope)
        : stage === "device"
          ? device(core, scope)
          : host(core, scope);
    const shape = axes.length === 0 ? "" : ` // [${axes.join(", ")}]`;
    const name = span === null ? key : keyInFile(key, this.#options.source, span);
    const written = span === null ? [] : [`// ${name}: ${this.#quote(span)}`];
    return [...scope.demanded(), ...written, [at(span, ["const ", this.#names.of(key), " = ", value, ";"]), shape]];
  }

  /** What the file says there, on one line. */
  #quote(span: { start: number; end: number }): string {
    return comment(textAt(this.#options.source, span));
  }
}

const contextMembers = [
  "ops",
  "draws",
  "params",
  "positions",
  "scaleFactors",
  "globalStep",
  "progress",
  "call",
  "weight",
  "network",
];
