/** What of a module is about references: which take part, their tokens and places in the sequence, and those that are noised. */
import type { ModalityName, PassModality, Term } from "../../2-check/core.ts";
import { call, list, object, type Code } from "./code.ts";
import { host } from "./number.ts";
import type { Scope } from "./scope.ts";

/** `video`, or `near.video` where a pass has references of its own. */
export function ownerOf({ modality, pass }: { readonly modality: ModalityName; readonly pass?: string }): string {
  return pass === undefined ? modality : `${pass}.${modality}`;
}

/** Start of each token of references and target, in seconds. */
export function startTimes(owner: string, scope: Scope): Code {
  return call(scope.helper("startTimes"), ["ops", scope.inputName(), positionsCode(owner, scope)]);
}

/** The positions of references and target, of a modality or, where a pass has references of its own, of `near.video`. */
export function positionsCode(owner: string, scope: Scope): Code {
  scope.contextMember("positions");
  const references = scope.hasReferences(owner) ? [referencesName(owner, scope)] : [];
  if (isVideo(owner)) {
    const grid = object(
      "",
      ["frame", "height", "width"].map((axis) => scope.size(axis)),
    );
    return call("positions.video", [grid, scope.ref("video.fps"), ...references]);
  }
  const steps = references.map((name) => `${name}.map(({ steps }) => steps)`);
  return call("positions.audio", [scope.size("step"), scope.size("batch"), ...steps]);
}

const isVideo = (owner: string): boolean => owner.endsWith("video");

const referencesName = (owner: string, scope: Scope): string => scope.ref(`${owner}.references`);

/** A value for each token of references and target, as `value` says. */
export function perSequence(owner: string, value: string, scope: Scope): Code {
  const axes = isVideo(owner) ? ["frame", "height", "width"] : ["step"];
  const target = object(
    "",
    axes.map((axis) => scope.size(axis)),
  );
  // A pass may leave out all references of the step's own call.
  const references = scope.hasReferences(owner) ? [`...${referencesName(owner, scope)}`] : [];
  const parts = list([...references, target]);
  return call(scope.helper(isVideo(owner) ? "perVideoSequence" : "perAudioSequence"), ["ops", parts, value]);
}

/** The references that take part, in the order of the sequence: the last one listed comes first. */
export function referencesCode({ entries }: Term<"references">, scope: Scope): Code {
  const parts = entries.map(({ source, place, probability }): Code => {
    const own = scope.source(source);
    const name = JSON.stringify(source);
    const there = scope.isOptional(source) ? call(scope.helper("ifThere"), ["batch", name, own]) : null;
    if (probability === null) return there === null ? own : ["...", there];
    scope.contextMember("draws");
    const drawn = call("draws.chance", [`"${place}"`, host(probability, scope)]);
    return ["...(", drawn, " ? ", there ?? `[${own}]`, " : [])"];
  });
  return list(parts.toReversed());
}

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
