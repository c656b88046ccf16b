/** What of a module is about references: which take part, how many tokens they have, and those that are noised. */
import type { PassModality } from "../../2-check/core.ts";
import type { Code } from "./code.ts";
import type { Scope } from "./scope.ts";

/** Tokens and timesteps of the references that take part, where some are noised; null where all are clean. */
export function noisyReferences(
  { name, noisyReferences: noised }: PassModality,
  tokens: string,
  values: { of(key: string): string },
  scope: Scope,
): Code[] | null {
  if (noised.length === 0) return null;
  const choices = noised.map((source): Code => [
    `    if (part === ${scope.source(source)}) `,
    `return [${values.of(`${source}.noisy`)}, ${values.of(`${source}.timesteps`)}] as const;`,
  ]);
  return [
    `  ${values.of(`${name}.references`)}.map((part) => {`,
    ...choices,
    `    return [${tokens}(ops, part.latents), null] as const;`,
    "  }),",
  ];
}

/** Number of tokens of references and target, after the statement that says which references take part. */
export function sequenceLength(key: string, scope: Scope): Code[] {
  const [, owner = "", modality] = /^((?:.*\.)?(video|audio))\.references$/.exec(key) ?? [];
  const name = modality === undefined ? "" : scope.sequenceName(owner);
  if (!scope.sizes.has(name)) return [];
  const sum =
    modality === "video"
      ? "(sum, { frames, height, width }) => sum + frames * height * width"
      : "(sum, { steps }) => sum + steps";
  return [`const ${name} = ${scope.ref(key)}.reduce(${sum}, ${modality}Tokens);`];
}
