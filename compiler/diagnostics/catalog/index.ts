import { entries as parse } from "./1-parse.ts";
import { entries as structure } from "./2-structure.ts";
import { entries as names } from "./3-names.ts";
import { entries as types } from "./4-types.ts";
import { entries as units } from "./405-units.ts";
import { entries as meaning } from "./5-meaning.ts";
import { entries as suspicious } from "./503-suspicious.ts";
import { entries as imports } from "./505-imports.ts";
import { entries as passes } from "./506-passes.ts";
import { entries as ownWeights } from "./507-own-weights.ts";
import { entries as optionalSources } from "./5072-optional-sources.ts";
import { entries as networks } from "./5079-networks.ts";
import { entries as batches } from "./509-texts-and-batches.ts";
import { entries as withoutEffect } from "./5097-without-effect.ts";
import { entries as repeatedCalls } from "./511-repeated-calls.ts";
import { entries as config } from "./60-config.ts";
import { entries as data } from "./61-data.ts";
import { entries as compared } from "./614-shared-and-compared.ts";
import { entries as changes } from "./616-changes.ts";
import { entries as writing } from "./619-writing.ts";
import { entries as model } from "./62-model.ts";
import { entries as training } from "./63-training.ts";
import { entries as lora } from "./636-lora.ts";
import { entries as ofSamples } from "./6383-samples.ts";
import { entries as memory } from "./639-memory.ts";
import { entries as folder } from "./64-folder.ts";
import { entries as build } from "./65-build.ts";
import { entries as target } from "./66-target.ts";
import { entries as media } from "./68-media.ts";
import { entries as runtime } from "./7-runtime.ts";
import { entries as trial } from "./71-trial.ts";
import { entries as oracle } from "./711-oracle.ts";
import type { Entry } from "./entry.ts";

/** Every entry, in the order of the codes. A new file of entries gets a line here. */
const entries = [
  ...parse,
  ...structure,
  ...names,
  ...types,
  ...units,
  ...meaning,
  ...suspicious,
  ...imports,
  ...passes,
  ...ownWeights,
  ...optionalSources,
  ...networks,
  ...batches,
  ...withoutEffect,
  ...repeatedCalls,
  ...config,
  ...data,
  ...compared,
  ...changes,
  ...writing,
  ...model,
  ...training,
  ...lora,
  ...ofSamples,
  ...memory,
  ...folder,
  ...build,
  ...target,
  ...media,
  ...runtime,
  ...trial,
  ...oracle,
] as const;

/** A code of the catalog: a finding cannot be made with any other. */
export type Code = (typeof entries)[number]["code"];

export interface CatalogEntry extends Entry {
  readonly code: Code;
}

export const catalog: readonly CatalogEntry[] = entries;

const byName: ReadonlyMap<string, CatalogEntry> = new Map(
  catalog.flatMap((entry) => [
    [entry.code, entry],
    [entry.slug, entry],
  ]),
);

/** Finds an entry by its code, in any case and with or without `LTX`, or by its slug. */
export function lookUp(codeOrSlug: string): CatalogEntry | null {
  const name = codeOrSlug.trim();
  const code = `LTX${name.replace(/^ltx/i, "")}`;
  return byName.get(code) ?? byName.get(name.toLowerCase()) ?? null;
}

/** The entry of a code that our own source names. Throws where there is none, which only the runtime's findings allow: a bug of ours. */
export function entryOf(code: string): CatalogEntry {
  const entry = byName.get(code);
  if (entry === undefined) throw new Error(`the code ${code} is missing in the catalog`);
  return entry;
}
