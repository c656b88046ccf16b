import type { Expression, Item } from "../1-parse/expression/ast.ts";
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
  const values: readonly (Expression | Item)[] = [
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
  const lists = [modality.text, modality.keep, modality.noiseMask, modality.references];
  return [...entries.flatMap((entry) => entry?.value ?? []), ...lists.flatMap((list) => list?.items ?? [])];
}

function expressionsIn(template: Template | null): Expression[] {
  return (template?.parts ?? []).flatMap((part) => (part.kind === "expression" ? [part.value] : []));
}
