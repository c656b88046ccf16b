/** The values of a strategy's sections, read where their names and draws belong. */
import type { Expected, Expression } from "../1-parse/expression/ast.ts";
import type {
  LetSyntax,
  LossSyntax,
  MetadataSyntax,
  ModalitySyntax,
  PassSyntax,
  StrategySyntax,
} from "../1-parse/syntax.ts";
import type { Span } from "../source/span.ts";
import { BindingTable, type Define } from "./bindings.ts";
import { noisyFields } from "./builtins.ts";
import {
  fieldsForModel,
  type Binding,
  type CheckedFunction,
  type CheckedLoss,
  type CheckedMetadata,
  type CheckedModality,
  type Expectation,
} from "./checked.ts";
import { isMask } from "./combine.ts";
import { describe, hostNumber, type Core, type ModalityName } from "./core.ts";
import type { Declarations } from "./declarations.ts";
import { modalitiesRead } from "./dependencies.ts";
import { drawPlace, type Environment, type Expansions } from "./environment.ts";
import { expectedShare } from "./expected-shares.ts";
import { infer } from "./infer.ts";
import { noiseThatUses, plainDraws } from "./drawn-in-let.ts";
import { directNeeds } from "./let-order.ts";
import { kindOfItems, listOf } from "./list-items.ts";
import { perSample } from "./loss-advice.ts";
import { comparesSamples } from "./other-samples.ts";
import { ModalitySources } from "./modality-sources.ts";
import { defineField, type ModalityContext } from "./modality.ts";
import { noisyOf, referenceField } from "./noisy-references.ts";
import { passContext } from "./pass-contexts.ts";
import { PassTable, type PassContext } from "./passes.ts";
import { termOverTheBatch } from "./rules/odd-reductions.ts";
import { isPlain } from "./units.ts";
import { spanOf, type Report } from "./report.ts";

/** Uses of bindings with arguments in one strategy. */
const maxExpansions = 20_000;

/** What the expressions of a strategy are read in: its bindings, and one environment for each section. */
export class Scope {
  readonly contexts = new Map<ModalityName, ModalityContext>();
  readonly passes = new Map<string, PassContext>();
  readonly bindings: BindingTable;
  readonly #expansions: Expansions = { left: maxExpansions, given: new Map() };
  readonly #syntax: StrategySyntax;
  readonly #declarations: Declarations;
  readonly #report: Report;
  readonly #sources: ModalitySources;
  readonly #ofPasses: PassTable;

  constructor(syntax: StrategySyntax, declarations: Declarations, report: Report, bindings: Map<string, Binding>) {
    this.#syntax = syntax;
    this.#declarations = declarations;
    this.#report = report;
    this.#sources = new ModalitySources(declarations, report);
    const define: Define = (key, span) => this.#define(key, span);
    const needs = directNeeds(declarations);
    this.bindings = new BindingTable(report, bindings, define, (key) => [...needs(key), ...this.#ofPasses.needs(key)]);
    this.#ofPasses = new PassTable(this.passes, this.bindings, report);
  }

  /** Bindings with arguments that were put in so far. */
  functions(): CheckedFunction[] {
    return [...this.#expansions.given].flatMap(([name, given]) => {
      const declaration = this.#declarations.byName.get(name);
      if (declaration?.kind !== "let") return [];
      const { binder, value } = declaration.syntax;
      return [{ name, head: binder.span, body: value.span, given }];
    });
  }

  /** Checks both modalities, with every value that the model needs of them. */
  modalities(): CheckedModality[] {
    const checked = [this.#syntax.video, this.#syntax.audio].flatMap((syntax) =>
      syntax === null ? [] : this.#modality(syntax),
    );
    for (const pass of this.#syntax.passes) this.#pass(pass, checked);
    for (const context of this.contexts.values()) {
      const { span, name, attention } = context.syntax;
      for (const field of fieldsForModel({
        ...context,
        name,
        texts: context.texts.sources,
        attention: attention !== null,
      }))
        this.bindings.refer(`${name}.${field}`, span);
      for (const { source, item } of context.references)
        if (item.sigma !== null) for (const field of noisyFields) this.bindings.refer(`${source}.${field}`, item.span);
      // Checked also where no loss reads it.
      if (context.syntax.denoised !== null && context.generated) this.bindings.refer(`${name}.denoised`, span);
    }
    return checked;
  }

  /** A value of a pass, or with null of the step's own call. */
  ofPass(pass: string | null, key: string, span: Span): Core | null {
    return this.#ofPasses.refer(pass, key, span);
  }

  /** Checks the calls of all passes, and everything that they write. */
  touchPasses(): readonly PassContext[] {
    for (const { name, syntax, overridden } of this.passes.values()) {
      for (const key of overridden) this.#ofPasses.refer(name, key, syntax.name.span);
      this.bindings.refer(name, syntax.name.span);
    }
    this.#ofPasses.compareLevels();
    return [...this.passes.values()];
  }

  #pass(syntax: PassSyntax, modalities: readonly CheckedModality[]): void {
    if (this.#declarations.byName.get(syntax.name.text)?.name.span !== syntax.name.span) return;
    const context = passContext(syntax, {
      contexts: this.contexts,
      modalities,
      sources: this.#sources,
      declarations: this.#declarations,
      report: this.#report,
      environment: (modality, place) => this.#environment(modality, place),
    });
    this.passes.set(context.name, context);
  }

  loss({ name, value }: LossSyntax): CheckedLoss[] {
    const core = infer(value, this.#environment(null, `loss.${name.text}`));
    if (core.op === "error" || !isPlain(this.#report, core, "a loss")) return [];
    if (isMask(core) || core.type.axes.join() !== "batch" || core.type.stage !== "device") {
      if (!core.type.axes.includes("batch") && termOverTheBatch(core, this.bindings.finished, this.#report)) return [];
      this.#report.error(
        "LTX4008",
        spanOf(core),
        `a loss term is one number for each sample, \`f32[batch]\`; this is ${describe(core.type)}`,
        {
          help: this.#asFactor(name.text, core, value) ?? perSample(core, value, this.#report),
        },
      );
      return [];
    }
    const [modality = "video"] = modalitiesRead(core, this.bindings.finished);
    const others = comparesSamples(core, this.bindings.finished);
    return [{ name: name.text, core, modality, others, span: value.span }];
  }

  /** For a number among the terms: the weight of another one, by its name or because there is only one other. */
  #asFactor(name: string, core: Core, value: Expression): string | null {
    const others = this.#syntax.losses.filter((loss) => loss.name.text !== name);
    const of = others.find((loss) => name.startsWith(loss.name.text)) ?? others[0];
    const weight = this.#report.textAt(value.span);
    if (core.type.stage === "device" || isMask(core) || of === undefined || weight === null) return null;
    const term = of.value.kind === "error" ? "mse(…)" : (this.#report.textAt(of.value.span) ?? "mse(…)");
    const isSum = of.value.kind === "binary" && (of.value.operator === "+" || of.value.operator === "-");
    return `a weight is a factor of its term: write \`${of.name.text}: ${weight} * ${isSum ? `(${term})` : term}\``;
  }

  metadata({ name, value }: MetadataSyntax): CheckedMetadata {
    const env = this.#environment(null, `metadata.${name.text}`);
    const parts = value.parts.map((part) => (part.kind === "text" ? part.text : metadataPart(part.value, env)));
    return { name: name.text, parts };
  }

  expectation(expected: Expected, i: number): Expectation[] {
    const { value, share } = expected;
    const env = this.#environment(null, `expect[${i}]`);
    if (share !== null) return expectedShare({ ...expected, share }, env);
    const core = infer(value, { ...env, maskWanted: value });
    if (core.op === "error") return [];
    if (isMask(core)) return [{ core, share: null, span: value.span }];
    this.#report.notAMask(core, "`expect`");
    return [];
  }

  /** Checks a binding that nothing may have asked for. */
  touch(key: string, span: Span): void {
    this.bindings.refer(key, span);
  }

  #define(key: string, span: Span) {
    const [owner = "", field] = key.split(".");
    if (this.passes.has(owner)) return this.#ofPasses.define(key, span);
    if (field !== undefined) {
      const context = this.contexts.get(owner as ModalityName);
      const definition =
        context === undefined
          ? referenceField(this.contexts.values(), owner, field)
          : defineField(context, field, span);
      if (definition === null || this.passes.size === 0) return definition;
      return { span: definition.span, make: () => this.#ofPasses.handed(field, definition.make()) };
    }
    const declaration = this.#declarations.byName.get(key);
    if (declaration?.kind !== "let") return null;
    const { value } = declaration.syntax;
    return { span: value.span, make: () => infer(value, this.#ofLet(declaration.syntax)) };
  }

  /** In version 2 of the language, draws in a `let` that serves as noise are those of the noise. */
  #ofLet(syntax: LetSyntax): Environment {
    const env = this.#environment(null, `let.${syntax.binder.name.text}`);
    const isJudged = env.language > 1 && this.#report.isOwn(syntax.value.span) && plainDraws(syntax).length > 0;
    const modality = isJudged ? noiseThatUses(syntax, this.#syntax) : null;
    const context = modality === null ? undefined : this.contexts.get(modality);
    if (modality === null || context === undefined) return env;
    return { ...env, noiseOf: { modality, source: context.latents } };
  }

  #environment(modality: ModalityName | null, place: string): Environment {
    const present = [this.#syntax.video, this.#syntax.audio].flatMap((entry) => (entry === null ? [] : [entry.name]));
    return {
      language: this.#syntax.language?.value ?? 1,
      report: this.#report,
      declarations: this.#declarations,
      bindings: this.bindings,
      passes: this.#ofPasses,
      pass: null,
      modality,
      modalities: new Set(present),
      draws: drawPlace(place),
      sequence: null,
      noiseOf: null,
      reference: null,
      hostDraws: false,
      maskWanted: null,
      countsMasks: false,
      parameters: new Map(),
      expanding: [],
      expansions: this.#expansions,
    };
  }

  #modality(syntax: ModalitySyntax): CheckedModality[] {
    const latents = this.#sources.latents(syntax);
    const other = syntax.name === "video" ? this.#syntax.audio : this.#syntax.video;
    const texts = this.#sources.text(syntax, other);
    if (syntax.keep !== null && syntax.noiseMask !== null) {
      this.#report.error(
        "LTX5006",
        syntax.noiseMask.keySpan,
        "`keep` and `noise_mask` say the same thing in opposite ways; give one of them",
        {
          labels: [{ span: syntax.keep.keySpan, message: "`keep` is here" }],
          help: "`noise_mask: m` is short for `keep: not m`",
        },
      );
    }
    if (latents === null) return [];
    const generated = syntax.generate?.value ?? true;
    const env = this.#environment(syntax.name, syntax.name);
    const references = this.#sources.references(syntax, latents.name.text);
    const known = texts ?? { of: syntax.name, sources: [], inserted: [], items: [] };
    this.contexts.set(syntax.name, {
      syntax,
      owner: syntax.name,
      latents: latents.name.text,
      generated,
      texts: known,
      references,
      env,
    });
    if (texts === null) return [];
    return [
      {
        name: syntax.name,
        latents: latents.name.text,
        text: texts.sources.at(-1) ?? "",
        texts: texts.sources,
        inserted: texts.inserted,
        generated,
        references: references.map(({ source }) => source),
        noisyReferences: noisyOf(references),
        attention: syntax.attention !== null,
        span: syntax.keySpan,
      },
    ];
  }
}

/** A text parameter or an item of a list of texts, or a number or boolean that is known before the run. */
function metadataPart(value: Expression, env: Environment): Core {
  const list = value.kind === "index" ? listOf(value, env) : null;
  if (value.kind === "index" && list !== null && kindOfItems(list.syntax.schema) === "string") {
    env.declarations.used.add(list.name.text);
    return { op: "param", name: list.name.text, index: value.index, type: hostNumber, span: value.span };
  }
  const declaration = value.kind === "name" ? env.declarations.byName.get(value.name) : undefined;
  if (declaration?.kind === "param" && declaration.type === "string") {
    env.declarations.used.add(declaration.name.text);
    return { op: "param", name: declaration.name.text, index: null, type: hostNumber, span: value.span };
  }
  const core = infer(value, env);
  if (core.op !== "error" && core.type.stage !== "host") {
    env.report.error(
      "LTX4014",
      spanOf(core),
      `metadata are the same for the whole run, this is ${describe(core.type)}`,
      {
        help: "use parameters and sizes of sources: `${latents.height / ref.height}`",
      },
    );
  }
  return core;
}
