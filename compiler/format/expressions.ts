import type { Expected, Expression, Item, ReferenceItem } from "../1-parse/expression/ast.ts";
import { spacingEdits } from "../1-parse/expression/spacing.ts";
import type { ModalitySyntax, StrategySyntax, Template } from "../1-parse/syntax.ts";
import type { Edit } from "../source/edits.ts";
import type { Span } from "../source/span.ts";

/** The changes that give all expressions of a strategy one way of spacing. */
export function expressionEdits(text: string, syntax: StrategySyntax): Edit[] {
  return unique(placesIn(syntax)).flatMap(({ start, end }) =>
    spacingEdits(text.slice(start, end)).map(({ span, text: gap }) => ({
      span: { start: start + span.start, end: start + span.end },
      text: gap,
    })),
  );
}

/** An alias of YAML gives one text several uses. */
function unique(spans: readonly Span[]): Span[] {
  return [...new Map(spans.map((span) => [span.start, span])).values()];
}

function placesIn({ lets, losses, expect, sources, metadata, video, audio }: StrategySyntax): Span[] {
  const values: readonly (Expected | Expression | Item)[] = [
    ...lets.map(({ value }) => value),
    ...losses.map(({ value }) => value),
    ...expect,
    ...[video, audio].flatMap((modality) => (modality === null ? [] : valuesOf(modality))),
  ];
  const templates = [
    ...sources.flatMap(({ directory, file }) => [directory, file]),
    ...metadata.map(({ value }) => value),
  ];
  return [...values, ...lets.map(({ binder }) => binder), ...templates.flatMap(expressionsIn)].map(({ span }) => span);
}

function valuesOf(modality: ModalitySyntax): (Expression | Item)[] {
  const { latents, fps, sigma, noise, noisy, target, denoised, attention, keyframes } = modality;
  const entries = [latents, fps, sigma, noise, noisy, target, denoised, attention, keyframes];
  const lists = [modality.text, modality.keep, modality.noiseMask];
  const references = (modality.references?.items ?? []).flatMap(partsOf);
  return [
    ...entries.flatMap((entry) => entry?.value ?? []),
    ...lists.flatMap((list) => list?.items ?? []),
    ...references,
  ];
}

/** The text of a short entry, or the values of a mapping. */
function partsOf(item: ReferenceItem): (Expression | Item)[] {
  const { value, probability, sigma, noise, isMapping } = item;
  if (!isMapping) return [item];
  const values = [value, probability, sigma?.value ?? null, noise?.value ?? null];
  return values.flatMap((part) => (part === null || part.kind === "error" ? [] : [part]));
}

function expressionsIn(template: Template | null): Expression[] {
  return (template?.parts ?? []).flatMap((part) => (part.kind === "expression" ? [part.value] : []));
}
