/** Every expression of a strategy, with all that it is made of. */
import type { Expression, Item } from "./expression/ast.ts";
import { nodesOf } from "./expression/children.ts";
import type { ModalitySyntax, StrategySyntax, Template } from "./syntax.ts";

/** From the outermost to the innermost, in the order of the sections. */
export const allExpressions = (syntax: StrategySyntax): Iterable<Expression> => nodesOf(...rootsOf(syntax));

function rootsOf({
  lets,
  passes,
  video,
  audio,
  losses,
  expect,
  metadata,
  sources,
  outputs,
}: StrategySyntax): readonly Expression[] {
  const templates = [
    ...sources.flatMap(({ directory, file }) => [directory, file]),
    ...metadata.map(({ value }) => value),
  ];
  return [
    ...lets.map(({ value }) => value),
    ...[...passes, { video, audio }]
      .flatMap((each) => [each.video, each.audio])
      .flatMap((modality) => (modality === null ? [] : valuesOf(modality))),
    ...losses.map(({ value }) => value),
    ...expect.flatMap(({ value, share }) =>
      share === null ? [value] : [value, share.about, share.within ?? []].flat(),
    ),
    ...templates.flatMap(expressionsIn),
    ...outputs.flatMap(({ given }) => given ?? []),
  ];
}

function valuesOf(modality: ModalitySyntax): readonly Expression[] {
  const { fps, sigma, noise, noisy, target, denoised, attention, keyframes } = modality;
  const single = [fps, sigma, noise, noisy, target, denoised, attention, keyframes];
  const lists = [modality.keep, modality.noiseMask, modality.references, modality.text];
  const ofReferences = modality.references?.items.flatMap((item) => [item.sigma, item.noise]) ?? [];
  return [
    ...single.flatMap((entry) => entry?.value ?? []),
    ...lists.flatMap((list) => list?.items ?? []).flatMap(partsOf),
    ...ofReferences.flatMap((entry) => entry?.value ?? []),
  ];
}

const partsOf = ({ value, probability }: Item): readonly Expression[] =>
  probability === null ? [value] : [value, probability];

const expressionsIn = (template: Template | null): readonly Expression[] =>
  (template?.parts ?? []).flatMap((part) => (part.kind === "expression" ? [part.value] : []));
