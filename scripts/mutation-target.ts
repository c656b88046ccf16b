/** A strategy to make mistakes in: what it consists of, and the edits that a mistake is. */
import type { Expression, Item } from "../compiler/1-parse/expression/ast.ts";
import { childrenOf } from "../compiler/1-parse/expression/children.ts";
import type { StrategySyntax } from "../compiler/1-parse/syntax.ts";
import type { Edit } from "../compiler/source/edits.ts";
import type { Span } from "../compiler/source/span.ts";

export interface Mutator {
  readonly kind: string;
  /** One list of edits for each way to make the mistake. */
  mutants(target: Target): readonly (readonly Edit[])[];
}

/** A strategy to make mistakes in, and its expressions with all their parts. */
export interface Target {
  readonly text: string;
  readonly syntax: StrategySyntax;
  readonly parts: readonly Expression[];
}

export function targetOf(text: string, syntax: StrategySyntax): Target {
  return { text, syntax, parts: rootsOf(syntax).flatMap(partsOf) };
}

export function modalitiesOf({ video, audio }: Pick<StrategySyntax, "video" | "audio">) {
  return [video, audio].flatMap((modality) => (modality === null ? [] : [modality]));
}

export function itemsOf(syntax: StrategySyntax): readonly Item[] {
  return modalitiesOf(syntax).flatMap(({ keep, noiseMask }) => [...(keep?.items ?? []), ...(noiseMask?.items ?? [])]);
}

/** Values of fields. */
function writtenIn(owner: Pick<StrategySyntax, "video" | "audio">): readonly Expression[] {
  return modalitiesOf(owner).flatMap(({ sigma, noise, noisy, target, denoised, attention, fps }) =>
    [sigma, noise, noisy, target, denoised, attention, fps].flatMap((entry) => entry?.value ?? []),
  );
}

/** Expressions of values; names of sources in `latents` and `references` are not among them. */
function rootsOf(syntax: StrategySyntax): readonly Expression[] {
  const items = itemsOf(syntax).flatMap(({ value, probability }) => [
    value,
    ...(probability === null ? [] : [probability]),
  ]);
  return [
    ...syntax.lets.map(({ value }) => value),
    ...writtenIn(syntax),
    ...items,
    ...syntax.losses.map(({ value }) => value),
    ...syntax.passes.flatMap(writtenIn),
    ...syntax.expect.map(({ value }) => value),
  ];
}

function partsOf(e: Expression): readonly Expression[] {
  return [e, ...childrenOf(e).flatMap(partsOf)];
}

type Of<Kind extends Expression["kind"]> = Extract<Expression, { kind: Kind }>;

export const ofKind = <Kind extends Expression["kind"]>({ parts }: Target, kind: Kind): Of<Kind>[] =>
  parts.filter((part): part is Of<Kind> => part.kind === kind);

export const textOf = ({ text }: Target, { start, end }: Span): string => text.slice(start, end);
export const replace = (span: Span, text: string): readonly Edit[] => [{ span, text }];
export const calls = (target: Target, ...names: readonly string[]): Of<"call">[] =>
  ofKind(target, "call").filter(({ callee }) => names.includes(callee.text));
export const members = (target: Target, ...names: readonly string[]): Of<"member">[] =>
  ofKind(target, "member").filter(({ member }) => names.includes(member.text));

/** Replaces the argument of a call by another text. */
export const argument = (call: Of<"call">, i: number, text: string): readonly (readonly Edit[])[] => {
  const span = call.args[i]?.value.span;
  return span === undefined ? [] : [replace(span, text)];
};

export const withoutLetter = (word: string): string => word.slice(0, -2) + word.slice(-1);

/** The whole line of a key. */
export function lineOf({ text }: Target, { start }: Span): Span {
  const end = text.indexOf("\n", start);
  return { start: text.lastIndexOf("\n", start) + 1, end: end < 0 ? text.length : end + 1 };
}

/** A line behind that of a key, indented alike. */
export function lineAfter(target: Target, key: Span, line: string): readonly Edit[] {
  const { start, end } = lineOf(target, key);
  const indent = /^ */.exec(target.text.slice(start, end))?.[0] ?? "";
  return [{ span: { start: end, end }, text: `${indent}${line}\n` }];
}

export const sourceNames = ({ syntax }: Target): readonly string[] => syntax.sources.map(({ name }) => name.text);
