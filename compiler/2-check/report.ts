/** Every finding of the check phase, by what is wrong: one place for codes, wording and help. */
import type { Expression } from "../1-parse/expression/ast.ts";
import type { Bag, Details } from "../diagnostics/bag.ts";
import type { Code } from "../diagnostics/catalog/index.ts";
import { meant } from "../diagnostics/did-you-mean.ts";
import type { Label } from "../diagnostics/diagnostic.ts";
import { textAt, type SourceFile } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";
import { familyOf } from "./axes.ts";
import type { Binding } from "./checked.ts";
import { allNodes } from "./dependencies.ts";
import { childrenOf, describe, type Core, type Family, type Type } from "./core.ts";

/** Comparing each of many unknown names with each of many known ones would take as long as the product of both. */
const maxCompared = 200;

/** Characters of the longest expression that a help repeats. */
const maxQuoted = 100;

export class Report {
  readonly #bag: Bag;
  readonly #bindings: ReadonlyMap<string, Binding>;
  #compared = 0;
  readonly #missing = new Set<string>();

  readonly #file: SourceFile;

  readonly #types: Map<Expression, Type> | null;

  /** `bindings` may still grow: they say where values come from. `types`: where types are kept for editors, null if nobody asks for them. */
  constructor(
    bag: Bag,
    bindings: ReadonlyMap<string, Binding>,
    file: SourceFile,
    types: Map<Expression, Type> | null = null,
  ) {
    this.#bag = bag;
    this.#bindings = bindings;
    this.#file = file;
    this.#types = types;
  }

  /** Keeps the type of an expression, the first where it is read several times. */
  keepType(expression: Expression, { op, type }: Core): void {
    if (this.#types !== null && op !== "error" && !this.#types.has(expression)) this.#types.set(expression, type);
  }

  /** What the user wrote at a place, for a help that repeats it; null where it is long, has several lines or was never written. */
  textAt(span: Span | null): string | null {
    if (span === null || span.end <= span.start) return null;
    const text = textAt(this.#file, span);
    return text.length > maxQuoted || /[\r\n]/.test(text) ? null : text;
  }

  /** Whether the file itself says what stands there, and not one that it extends. */
  isOwn(span: Span): boolean {
    return span.start <= this.#file.text.length;
  }

  error(code: Code, span: Span, message: string, details: Details = {}): void {
    this.#bag.error(code, span, message, details);
  }

  warning(code: Code, span: Span, message: string, details: Details = {}): void {
    this.#bag.warning(code, span, message, details);
  }

  /** `otherwise`: the help where no candidate is near; `fits` tells which candidates could stand there at all; only one of these is a certain fix. */
  unknownName(
    name: string,
    span: Span,
    candidates: Iterable<string>,
    {
      fits = () => true,
      otherwise = "names are parameters, sources, `let` bindings and built-in functions",
    }: { readonly fits?: (name: string) => boolean; readonly otherwise?: string } = {},
  ): void {
    const near = this.#compared++ < maxCompared ? [...candidates] : [];
    const { help, fix } = meant(name, span, near, otherwise);
    // What is not declared at all is one mistake, however often it is used.
    const isMissing = help === otherwise;
    if (isMissing && this.#missing.has(name)) return;
    if (isMissing) this.#missing.add(name);
    const isFit = fix?.edits.every(({ text }) => fits(text)) ?? false;
    this.error("LTX3001", span, `nothing is named \`${name}\``, {
      ...(help === undefined ? {} : { help }),
      ...(fix === undefined || !isFit ? {} : { fix }),
    });
  }

  unknownMember(owner: string, member: string, span: Span, candidates: readonly string[]): void {
    const known = candidates.map((name) => `\`${name}\``).join(", ");
    const sizes = "sizes are `video.frames`, `video.height` and `video.width`, of audio `audio.steps`";
    const has = known === "" ? `it has no fields; ${sizes}` : `it has ${known}`;
    this.error("LTX3004", span, `${owner} has no \`${member}\``, meant(member, span, candidates, has));
  }

  /** Takes back what was said of an option in a call of which a finding replaces the whole. */
  withdrawOptions(call: Span): void {
    this.#bag.withdraw("LTX1102", call);
  }

  /** Takes back that version 2 wants the name of an axis which the value does not have, as another finding says. */
  withdrawPosition(axis: Span): void {
    this.#bag.withdraw("LTX4050", axis);
  }

  /** Whether this very place has been reported, for instance because the schema refuses what stands there. */
  hasErrorAt(span: Span): boolean {
    return this.#bag.hasAt(span);
  }

  notAMask(core: Core, what: string): void {
    const text = this.textAt(core.span);
    const whole = text === null ? "x" : isClosed(text) ? text : `(${text})`;
    const value = withoutChannels(whole, core);
    this.error("LTX4001", spanOf(core), `${what} takes masks, this is ${describe(core.type)}`, {
      help: `compare it with a threshold, e.g. \`${value} > 0.5\``,
    });
  }

  notANumber(core: Core, what: string): void {
    const text = this.textAt(core.span);
    this.error("LTX4002", spanOf(core), `${what} takes numbers, this is ${describe(core.type)}`, {
      help: `\`float(${text ?? "m"})\` turns the mask into 0 and 1`,
    });
  }

  /** A value and what it is made of, names followed; nothing below a node that `isEnd` says. */
  nodesOf(core: Core, isEnd: (node: Core) => boolean): Iterable<Core> {
    return allNodes(core, this.#bindings, isEnd);
  }

  /** "`bool[batch, token:audio]` comes from here": where a value that runs over a family's tokens was written. */
  originOf(core: Core, family: Family): Label {
    const { span, type } = this.#origin(core, family);
    return { span: span ?? spanOf(core), message: `${describe(type)} comes from here` };
  }

  /** Follows names and operators to the value that brings the tokens in. */
  #origin(core: Core, family: Family): Core {
    const target = core.op === "ref" ? this.#bindings.get(core.key) : undefined;
    if (target !== undefined) return target.span === null ? core : { ...target.core, span: target.span };
    const operand = core.op === "map" ? childrenOf(core).find(({ type }) => familyOf(type.axes) === family) : undefined;
    return operand === undefined ? core : this.#origin(operand, family);
  }

  /** A number that is written out and lies outside of [0, 1]. */
  outsideUnit(core: Core, what: string): void {
    if (core.op !== "literal" || typeof core.value !== "number" || (core.value >= 0 && core.value <= 1)) return;
    this.error("LTX5017", spanOf(core), `${what} lies between 0 and 1, this is ${core.value}`, {
      help:
        core.value > 1 && core.value <= 100
          ? `${core.value} percent is ${core.value / 100}`
          : "0 is never, 1 is always",
    });
  }
}

/** Whether a text needs no parentheses as an operand of a comparison. */
/** A mask has no channels: latents are averaged over theirs first. */
function withoutChannels(text: string, { type: { axes } }: Core): string {
  if (!axes.includes("channel")) return text;
  return axes.includes("height") ? `mean(tokens(${text}), axis=channel)` : `mean(${text}, axis=channel)`;
}

const isClosed = (text: string): boolean => /^[\w.]+$/.test(text) || /^\w*\([^()]*\)$/.test(text);

/** A node that the compiler added has no place of its own; it is never the one to blame. */
export function spanOf(core: Core): Span {
  return core.span ?? { start: 0, end: 0 };
}
