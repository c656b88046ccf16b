/** The check phase: from what a file says to a strategy whose names, axes and masks are right. */
import type { Expression } from "../1-parse/expression/ast.ts";
import type { EntrySyntax, LossSyntax, MetadataSyntax, ModalitySyntax, StrategySyntax } from "../1-parse/syntax.ts";
import type { Bag } from "../diagnostics/bag.ts";
import { BindingTable, type Define } from "./bindings.ts";
import {
  fieldsForModel,
  type Binding,
  type CheckedLoss,
  type CheckedMetadata,
  type CheckedModality,
  type CheckedStrategy,
  type Expectation,
  type SourceKind,
} from "./checked.ts";
import { isMask } from "./combine.ts";
import { describe, hostNumber, type Core, type ModalityName } from "./core.ts";
import { declare, type Declarations, type SourceDeclaration } from "./declarations.ts";
import { modalitiesRead } from "./dependencies.ts";
import { drawPlace, type Environment } from "./environment.ts";
import { directNeeds } from "./let-order.ts";
import { infer } from "./infer.ts";
import { defineField, type ModalityContext } from "./modality.ts";
import { Report, spanOf } from "./report.ts";
import { attentionWithoutKey } from "./rules/attention-without-key.ts";
import { fpsWithReferences } from "./rules/fps-with-references.ts";
import { frozenKeys } from "./rules/frozen-keys.ts";
import { lossOverKept } from "./rules/loss-over-kept.ts";
import { missingLoss } from "./rules/missing-loss.ts";
import { notItsTarget } from "./rules/not-its-target.ts";
import { paramDefaults } from "./rules/param-defaults.ts";
import { predictionTooEarly } from "./rules/prediction-too-early.ts";
import { checkSources } from "./rules/source-directories.ts";
import { unused } from "./rules/unused.ts";

/** Null where anything is an error; all findings of the file are in the bag. */
export function checkStrategy(syntax: StrategySyntax, bag: Bag): CheckedStrategy | null {
  const bindings = new Map<string, Binding>();
  const report = new Report(bag, bindings);
  const declarations = declare(syntax, report);
  paramDefaults(syntax, report);
  const sources = checkSources(syntax, declarations, report);

  const scope = new Scope(syntax, declarations, report, bindings);
  const modalities = scope.modalities();
  for (const { syntax: binder } of lets(declarations)) scope.touch(binder.binder.name.text, binder.binder.name.span);
  const losses = syntax.losses.flatMap((loss) => scope.loss(loss));
  const metadata = syntax.metadata.map((entry) => scope.metadata(entry));
  const expectations = syntax.expect.flatMap((value, i) => scope.expectation(value, i));

  for (const context of scope.contexts.values()) {
    frozenKeys(context, report);
    fpsWithReferences(context, report);
  }
  predictionTooEarly([...scope.contexts.values()], bindings, report);
  missingLoss(syntax, [...scope.contexts.values()], losses, scope.bindings.finished, report);
  const undecided = lossOverKept(losses, [...scope.contexts.values()], scope.bindings.finished, report);
  if (bag.hasErrors) return null;
  notItsTarget(losses, bindings, report);
  attentionWithoutKey([...scope.contexts.values()], bindings, report);
  // A mistake hides uses, so what is unused can be told only without one.
  unused(declarations, report);
  return {
    name: syntax.name?.text ?? "",
    description: syntax.description?.value ?? "",
    language: syntax.language?.value ?? 1,
    params: [...declarations.byName.values()].flatMap((entry) =>
      entry.kind === "param" ? [{ name: entry.name.text, type: entry.type, schema: entry.syntax.schema }] : [],
    ),
    sources,
    modalities,
    bindings: scope.bindings.finished,
    losses,
    undecided,
    outputs: [...declarations.outputs.values()],
    imports: syntax.imports.flatMap(({ name, from }) =>
      from !== null && declarations.used.has(name.text) ? [{ name: name.text, from: from.value, span: from.span }] : [],
    ),
    metadata,
    expectations,
  };
}

/** Bindings without arguments; those with arguments are checked where they are used. */
function lets({ byName }: Declarations) {
  return [...byName.values()].flatMap((entry) =>
    entry.kind === "let" && entry.syntax.binder.parameters === null ? [entry] : [],
  );
}

/** A text parameter, or a number or boolean that is known before the run. */
function metadataPart(value: Expression, env: Environment): Core {
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

/** Uses of bindings with arguments in one strategy. */
const maxExpansions = 20_000;

class Scope {
  readonly contexts = new Map<ModalityName, ModalityContext>();
  readonly bindings: BindingTable;
  readonly #expansions = { left: maxExpansions };
  readonly #syntax: StrategySyntax;
  readonly #declarations: Declarations;
  readonly #report: Report;

  constructor(syntax: StrategySyntax, declarations: Declarations, report: Report, bindings: Map<string, Binding>) {
    this.#syntax = syntax;
    this.#declarations = declarations;
    this.#report = report;
    const define: Define = (key, span) => this.#define(key, span);
    this.bindings = new BindingTable(report, bindings, define, directNeeds(declarations));
  }

  /** Checks both modalities, with every value that the model needs of them. */
  modalities(): CheckedModality[] {
    const checked = [this.#syntax.video, this.#syntax.audio].flatMap((syntax) =>
      syntax === null ? [] : this.#modality(syntax),
    );
    for (const context of this.contexts.values()) {
      const { span, name, attention } = context.syntax;
      for (const field of fieldsForModel({ ...context, name, attention: attention !== null }))
        this.bindings.refer(`${name}.${field}`, span);
    }
    return checked;
  }

  loss({ name, value }: LossSyntax): CheckedLoss[] {
    const core = infer(value, this.#environment(null, `loss.${name.text}`));
    if (core.op === "error") return [];
    if (isMask(core) || core.type.axes.join() !== "batch" || core.type.stage !== "device") {
      this.#report.error(
        "LTX4008",
        spanOf(core),
        `a loss term is one number for each sample, \`f32[batch]\`; this is ${describe(core.type)}`,
        {
          help: isMask(core)
            ? "`float(m)` turns a mask into numbers"
            : "reduce it, e.g. `mean(x)`, or compare with `mse(a, b)`",
        },
      );
      return [];
    }
    const [modality = "video"] = modalitiesRead(core, this.bindings.finished);
    return [{ name: name.text, core, modality, span: value.span }];
  }

  metadata({ name, value }: MetadataSyntax): CheckedMetadata {
    const env = this.#environment(null, `metadata.${name.text}`);
    const parts = value.parts.map((part) => (part.kind === "text" ? part.text : metadataPart(part.value, env)));
    return { name: name.text, parts };
  }

  expectation(value: Expression, i: number): Expectation[] {
    const core = infer(value, this.#environment(null, `expect[${i}]`));
    if (core.op === "error") return [];
    if (isMask(core)) return [{ core, span: value.span }];
    this.#report.notAMask(core, "`expect`");
    return [];
  }

  /** Checks a binding that nothing may have asked for. */
  touch(key: string, span: { start: number; end: number }): void {
    this.bindings.refer(key, span);
  }

  #define(key: string, span: { start: number; end: number }) {
    const [owner, field] = key.split(".");
    if (field !== undefined) {
      const context = this.contexts.get(owner as ModalityName);
      return context === undefined ? null : defineField(context, field, span);
    }
    const declaration = this.#declarations.byName.get(key);
    if (declaration?.kind !== "let") return null;
    const { value } = declaration.syntax;
    return { span: value.span, make: () => infer(value, this.#environment(null, `let.${key}`)) };
  }

  #environment(modality: ModalityName | null, place: string): Environment {
    const present = [this.#syntax.video, this.#syntax.audio].flatMap((entry) => (entry === null ? [] : [entry.name]));
    return {
      report: this.#report,
      declarations: this.#declarations,
      bindings: this.bindings,
      modality,
      modalities: new Set(present),
      draws: drawPlace(place),
      sequence: null,
      noiseOf: null,
      parameters: new Map(),
      expanding: [],
      expansions: this.#expansions,
    };
  }

  #modality(syntax: ModalitySyntax): CheckedModality[] {
    const kind = `${syntax.name}_latents` as const;
    const latents = this.#source(syntax.latents, kind, `\`${syntax.name}.latents\``);
    const text =
      syntax.text === null
        ? this.#onlyText(syntax)
        : this.#source(syntax.text, "text_embeddings", `\`${syntax.name}.text\``);
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
    const references = this.#references(syntax, latents.name.text);
    this.contexts.set(syntax.name, { syntax, latents: latents.name.text, generated, references, env });
    if (text === null) return [];
    return [
      {
        name: syntax.name,
        latents: latents.name.text,
        text: text.name.text,
        generated,
        references: references.map(({ source }) => source),
        attention: syntax.attention !== null,
        span: syntax.keySpan,
      },
    ];
  }

  #references({ name, references }: ModalitySyntax, latents: string): ModalityContext["references"] {
    const known = new Set<string>([latents]);
    return (references?.items ?? []).flatMap((item) => {
      const entry = { keySpan: item.span, value: item.value };
      const found = this.#source(entry, `${name}_latents`, `an entry of \`${name}.references\``)?.name.text;
      if (found === undefined) return [];
      if (!known.has(found)) return known.add(found) && [{ source: found, item }];
      const message = found === latents ? "is the target itself" : "is a reference already";
      this.#report.error("LTX5016", item.value.span, `\`${found}\` ${message}`, {
        help: `declare one more source, which may share the directory: \`ref: {directory: …, kind: ${name}_latents}\``,
      });
      return [];
    });
  }

  #source(entry: EntrySyntax | null, kind: SourceKind, what: string): SourceDeclaration | null {
    if (entry === null || entry.value.kind === "error") return null;
    const name = entry.value.kind === "name" ? entry.value.name : null;
    const declaration = name === null ? undefined : this.#declarations.byName.get(name);
    if (name !== null && this.#declarations.refused.has(name)) return null;
    if (name !== null && declaration === undefined) {
      this.#report.unknownName(
        name,
        entry.value.span,
        this.#sources().map((source) => source.name.text),
      );
      return null;
    }
    if (name !== null) this.#declarations.used.add(name);
    if (declaration?.kind === "source" && declaration.sourceKind === kind) return declaration;
    const found =
      declaration?.kind === "source" ? `\`${name}\` is of kind \`${declaration.sourceKind}\`` : "this is none";
    const labels =
      declaration?.kind === "source" && declaration.syntax.kind
        ? [{ span: declaration.syntax.kind.span, message: "its kind is given here" }]
        : [];
    this.#report.error("LTX5014", entry.value.span, `${what} names a source of kind \`${kind}\`; ${found}`, {
      labels,
      help: `declare one under \`sources\`: \`name: {directory: …, kind: ${kind}}\``,
    });
    return null;
  }

  #onlyText({ name, keySpan }: ModalitySyntax): SourceDeclaration | null {
    const texts = this.#sources().filter((source) => source.sourceKind === "text_embeddings");
    const [only] = texts;
    if (only !== undefined && texts.length === 1) {
      this.#declarations.used.add(only.name.text);
      return only;
    }
    const message = texts.length === 0 ? "there is no source of text" : "there are several sources of text";
    this.#report.error("LTX5008", keySpan, `${message}: what does \`${name}\` attend to?`, {
      help:
        texts.length === 0
          ? "add `conditions: {directory: conditions, kind: text_embeddings}` to `sources`"
          : `choose one: \`text: ${only?.name.text}\``,
      labels: texts.map((source) => ({ span: source.name.span, message: "one of them" })),
    });
    return null;
  }

  #sources(): SourceDeclaration[] {
    return [...this.#declarations.byName.values()].flatMap((entry) => (entry.kind === "source" ? [entry] : []));
  }
}
