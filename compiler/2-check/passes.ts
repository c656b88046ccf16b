/**
 * The values of passes. A pass has every value of the step's own call: one that an override reaches, by way of `let` bindings too, is
 * made again with the override in its place, under the key `<pass>.<key>`; all others are the step's own values, draws included.
 */
import type { PassSyntax } from "../1-parse/syntax.ts";
import type { Span } from "../source/span.ts";
import type { BindingTable } from "./bindings.ts";
import { keysForModel, type Binding, type CheckedModality, type CheckedPass, type PassWeights } from "./checked.ts";
import { broadcastTo } from "./combine.ts";
import {
  childrenOf,
  describe,
  hostNumber,
  poisoned,
  withChildren,
  type Core,
  type ModalityName,
  type PassField,
} from "./core.ts";
import { allNodes } from "./dependencies.ts";
import type { Passes } from "./environment.ts";
import { defineField, type ModalityContext } from "./modality.ts";
import { referenceField } from "./noisy-references.ts";
import { spanOf, type Report } from "./report.ts";
import { carries } from "./rules/no-gradient.ts";

/** A pass being checked. */
export interface PassContext {
  readonly name: string;
  readonly syntax: PassSyntax;
  readonly weights: PassWeights;
  /** Its modalities: the step's own, with what the pass writes in place of theirs. */
  readonly contexts: ReadonlyMap<ModalityName, ModalityContext>;
  /** Its modalities as the model gets them. */
  readonly modalities: readonly CheckedModality[];
  /** Keys of the step's own values that it gives anew. */
  readonly overridden: ReadonlySet<string>;
}

/** Fields of a modality that are handed to a call; what others predict of them is constant, unless a pass says `gradient: through`. */
const handedOver: ReadonlySet<string> = new Set(["sigma", "noise", "noisy", "target"]);

export class PassTable implements Passes {
  readonly #passes: ReadonlyMap<string, PassContext>;
  readonly #bindings: BindingTable;
  readonly #report: Report;
  /** By pass and key, whether an override reaches the value. */
  readonly #reached = new Map<string, Map<string, boolean>>();

  constructor(passes: ReadonlyMap<string, PassContext>, bindings: BindingTable, report: Report) {
    this.#passes = passes;
    this.#bindings = bindings;
    this.#report = report;
  }

  has(name: string): boolean {
    return this.#passes.has(name);
  }

  refer(pass: string | null, key: string, span: Span): Core | null {
    if (pass === null) return this.#bindings.refer(key, span);
    const context = this.#passes.get(pass);
    if (context === undefined) return null;
    if (context.overridden.has(key)) return this.#bindings.refer(`${pass}.${key}`, span);
    const own = this.#bindings.refer(key, span);
    return own !== null && this.#isReached(context, key) ? this.#bindings.refer(`${pass}.${key}`, span) : own;
  }

  /** How a value of a pass is made, or with the name of the pass alone the call itself. */
  define(key: string, span: Span): { readonly span: Span | null; make(): Core } | null {
    const [name = "", ...rest] = key.split(".");
    const context = this.#passes.get(name);
    if (context === undefined) return null;
    if (rest.length === 0) return { span: context.syntax.name.span, make: () => this.#call(context) };
    const own = rest.join(".");
    return context.overridden.has(own)
      ? this.#override(context, own, span)
      : { span: null, make: () => this.#made(context, own, span) };
  }

  /** Of a value of the step itself: what a pass that is trained predicts is constant to what is made of it for the model. */
  handed(field: string, core: Core): Core {
    const isOpen = !handedOver.has(field) || core.op === "error" || !carries(core, this.#bindings.finished);
    return isOpen ? core : { op: "stopGradient", arg: core, type: core.type, span: core.span };
  }

  /** Keys that a value of a pass will surely ask for. */
  needs(key: string): readonly string[] {
    const [name = "", ...rest] = key.split(".");
    const context = this.#passes.get(name);
    const own = this.#bindings.finished.get(rest.join("."));
    if (context === undefined || own === undefined) return [];
    return keysIn(own.core).map((each) => (this.#isReached(context, each) ? `${name}.${each}` : each));
  }

  // ---------------------------------------------------------------------------------------------------------------- values

  #override(context: PassContext, key: string, span: Span) {
    const [owner = "", field = ""] = key.split(".");
    const of = context.contexts.get(owner as ModalityName);
    const definition =
      of === undefined ? referenceField(context.contexts.values(), owner, field) : defineField(of, field, span);
    if (definition === null) return null;
    const { gradient } = context.syntax;
    const make = () => {
      const made = definition.make();
      const core = field === "sigma" && of !== undefined ? this.#likeOwn(context, key, made) : made;
      return gradient === null ? this.handed(field, core) : core;
    };
    return { span: definition.span, make };
  }

  /** Levels over the axes of the step's own, in whose place they stand. Its own level may be made of that of the pass. */
  #likeOwn(context: PassContext, key: string, core: Core): Core {
    if (core.op === "error" || this.#bindings.isPending(key)) return core;
    const own = this.#bindings.refer(key, spanOf(core));
    if (own === null) return poisoned(core.span);
    const { axes } = own.type;
    if (core.type.axes.every((axis) => axes.includes(axis)))
      return core.type.axes.length === axes.length ? core : broadcastTo(core, axes);
    this.#otherAxes(context, key, core, own);
    return poisoned(core.span);
  }

  #otherAxes({ name }: PassContext, key: string, core: Core, own: Core): void {
    this.#report.error(
      "LTX4030",
      spanOf(core),
      `\`${name}.${key}\` is ${describe(core.type)}, but \`${key}\`, in whose place it stands, is ${describe(own.type)}`,
      { help: `reduce it to these axes, or write \`${key}\` over those` },
    );
  }

  /** Reports levels over other axes than the step's own that could not be compared when they were made. */
  compareLevels(): void {
    const { finished } = this.#bindings;
    for (const context of this.#passes.values()) {
      for (const key of [...context.overridden].filter((each) => /^(video|audio)\.sigma$/.test(each))) {
        const [given, own] = [finished.get(`${context.name}.${key}`)?.core, finished.get(key)?.core];
        if (given === undefined || own === undefined) continue;
        if (given.type.axes.join() !== own.type.axes.join()) this.#otherAxes(context, key, given, own);
      }
    }
  }

  /** The step's own value with what the pass gives anew. */
  #made(context: PassContext, key: string, span: Span): Core {
    const own = this.#bindings.finished.get(key)?.core;
    if (own === undefined) return poisoned(span);
    if (own.op === "prediction") {
      const { name: pass, weights } = context;
      const call = this.#bindings.refer(pass, span);
      if (call === null) return poisoned(span);
      const isConstant = weights !== "trained";
      return { op: "passPrediction", pass, modality: own.modality, isConstant, call, type: own.type, span: null };
    }
    return this.#again(own, context, span);
  }

  #again(core: Core, context: PassContext, span: Span): Core {
    if (core.op === "ref") {
      if (!this.#isReached(context, core.key)) return core;
      const made = this.#bindings.refer(`${context.name}.${core.key}`, span);
      return made === null ? poisoned(core.span) : { ...made, span: core.span };
    }
    if (core.op === "output") return this.#noOutput(core.name, context, span);
    const again = inSequence(
      withChildren(core, (child) => this.#again(child, context, span)),
      context,
    );
    if (childrenOf(again).some(({ op }) => op === "error")) return poisoned(core.span);
    return again.op === "round" ? { ...again, source: this.#storage(again.source, context) } : again;
  }

  /** Rounded as the files of its own latents are. */
  #storage(source: string, { contexts }: PassContext): string {
    for (const { own, latents } of contexts.values()) if (own?.latents === source) return latents;
    return source;
  }

  #noOutput(output: string, { name, syntax }: PassContext, span: Span): Core {
    const message = `this value of \`${name}\` would need \`${output}\` of the pass, and only the step's own call has outputs`;
    this.#report.error("LTX5065", span, message, {
      labels: [{ span: syntax.name.span, message: "the pass" }],
      help: `write \`denoised\` of the pass without \`${output}\``,
    });
    return poisoned(span);
  }

  #isReached({ name, overridden }: PassContext, key: string): boolean {
    const known = this.#reached.get(name) ?? new Map<string, boolean>();
    this.#reached.set(name, known);
    // Not by recursion: bindings may refer to each other thousands deep.
    const stack = [key];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const core = this.#bindings.finished.get(top)?.core;
      const isOther = this.#passes.has(top.split(".")[0] ?? "");
      const needed = core === undefined || isOther || known.has(top) ? [] : [...keysIn(core), ...sequencesIn(core)];
      const open = needed.filter((each) => !known.has(each) && !stack.includes(each));
      if (open.length > 0) stack.push(...open);
      else {
        if (!known.has(top)) {
          const isOwn = overridden.has(top) || core?.op === "prediction";
          known.set(top, !isOther && (isOwn || needed.some((each) => known.get(each) === true)));
        }
        stack.pop();
      }
    }
    return known.get(key) ?? false;
  }

  // ----------------------------------------------------------------------------------------------------------------- calls

  #call(context: PassContext): Core {
    const { name: pass, syntax, overridden } = context;
    const modalities = context.modalities.map((modality) =>
      overridden.has(`${modality.name}.references`) ? { ...modality, hasOwnReferences: true } : modality,
    );
    const fields: PassField[] = [];
    for (const modality of modalities) {
      const isForLosses = (key: string) => /\.(target|generated)$/.test(key);
      for (const field of keysForModel(modality).filter((key) => !isForLosses(key))) {
        const core = this.refer(pass, field, syntax.name.span);
        if (core === null) return poisoned(syntax.name.span);
        fields.push({ field, core: { ...core, span: null } });
      }
    }
    const inputs: Core = { op: "passInputs", pass, modalities, fields, given: [], type: hostNumber, span: null };
    return { op: "pass", pass, inputs, args: [], type: hostNumber, span: syntax.name.span };
  }
}

/** Keys of the references whose tokens stand in front of the values that a value is made of. */
function sequencesIn(core: Core): readonly string[] {
  const isSequence = core.op === "extend" || core.op === "from" || (core.op === "coordinate" && core.sequence);
  const own = isSequence ? [`${core.modality}.references`] : [];
  return [
    ...own,
    ...core.type.axes.flatMap((axis) => referencesOf(axis) ?? []),
    ...childrenOf(core).flatMap(sequencesIn),
  ];
}

/** `video.references` of `sequence:video` and `key:video`. */
function referencesOf(axis: string): string | null {
  const [, modality] = /^(?:sequence|key):(video|audio)$/.exec(axis) ?? [];
  return modality === undefined ? null : `${modality}.references`;
}

/** A value over the sequence of a pass that has references of its own. */
function inSequence(core: Core, { name, overridden }: PassContext): Core {
  const rename = (axis: string) => (overridden.has(referencesOf(axis) ?? "") ? axis.replace(":", `:${name}.`) : axis);
  const type = { ...core.type, axes: core.type.axes.map(rename) };
  const isOwn = (modality: string) => overridden.has(`${modality}.references`);
  switch (core.op) {
    case "extend":
    case "from":
      return isOwn(core.modality) ? { ...core, type, pass: name } : core;
    case "coordinate":
      return core.sequence && isOwn(core.modality) ? { ...core, type, pass: name } : core;
    default:
      return core.type.axes.some((axis) => rename(axis) !== axis) ? { ...core, type } : core;
  }
}

const known = new WeakMap<Core, readonly string[]>();

/** Keys that a value refers to itself. */
function keysIn(core: Core): readonly string[] {
  const found = known.get(core);
  if (found !== undefined) return found;
  const keys = core.op === "ref" ? [core.key] : childrenOf(core).flatMap(keysIn);
  known.set(core, keys);
  return keys;
}

/** What is said of the passes to the run: names, weights and references of their own. */
export function checkedPasses(
  passes: Iterable<PassContext>,
  own: ReadonlyMap<ModalityName, ModalityContext>,
): CheckedPass[] {
  return [...passes].map(({ name, weights, contexts, syntax }) => {
    const of = [...contexts].map(([modality, context]) => ({ modality, context, step: own.get(modality) }));
    const latents = of.filter(({ context, step }) => context.latents !== step?.latents);
    const texts = of.filter(({ context, step }) => context.texts !== step?.texts);
    const references = of.map(({ modality, context, step }) => {
      const known = new Set(step?.references.map(({ source }) => source));
      return [modality, context.references.flatMap(({ source }) => (known.has(source) ? [] : [source]))] as const;
    });
    return {
      name,
      weights,
      latents: Object.fromEntries(latents.map(({ modality, context }) => [modality, context.latents])),
      texts: Object.fromEntries(texts.map(({ modality, context }) => [modality, context.texts.sources])),
      references: Object.fromEntries(references.filter(([, sources]) => sources.length > 0)),
      span: syntax.name.span,
    };
  });
}

/** Every pass that a value needs the call of. */
export function* passesRead(core: Core, bindings: ReadonlyMap<string, Binding>): Generator<string> {
  for (const node of allNodes(core, bindings)) if (node.op === "pass") yield node.pass;
}
