import type { CheckedDataset, CheckedNetwork, CheckedPass } from "../../2-check/checked.ts";
import type { Program } from "../../3-lower/program.ts";
import { escapeControls } from "../../../runtime/escape.ts";
import { propertyName } from "./words.ts";

/** What a module says of itself, beside what its program says. */
export interface Origin {
  readonly compiler: string;
  readonly contract: number;
  readonly sourceHash: string;
  readonly paramsSchema: Readonly<Record<string, unknown>>;
}

function datasetInfo({ name, root, share, without }: CheckedDataset) {
  const known = { ...(root === null ? {} : { root }), ...(share === null ? {} : { share }) };
  return { name, ...known, ...(without.length === 0 ? {} : { without }) };
}

function networkInfo({ name, from, architecture, prefix, window, input }: CheckedNetwork) {
  const written = { ...(from === null ? {} : { from }), ...(prefix === "" ? {} : { prefix }) };
  return { name, architecture, ...written, ...(window === null ? {} : { window }), input };
}

function passInfo({ name, weights, latents, texts, references }: CheckedPass) {
  const written = Object.entries({ latents, texts, references }).filter(([, named]) => Object.keys(named).length > 0);
  return { name, weights, ...Object.fromEntries(written) };
}

/** `StrategyInfo` of the contract as an object literal. */
export function infoText(program: Program, { compiler, contract, sourceHash, paramsSchema }: Origin): string {
  const {
    name,
    description,
    language,
    sources,
    datasets,
    modalities,
    passes,
    terms,
    smallestBatch,
    undecided,
    outputs,
    weights,
    networks,
  } = program;
  const infoOf = (wanted: string) => {
    const found = modalities.find((modality) => modality.name === wanted);
    if (found === undefined) return null;
    const { generated, latents, text, texts, references } = found;
    const inserted = found.inserted.at(-1) ?? [];
    const more = { ...(texts.length > 1 ? { texts } : {}), ...(inserted.length > 0 ? { inserted } : {}) };
    return { generated, latents, text, ...more, references };
  };
  const info = {
    name,
    description,
    language,
    compiler,
    contract,
    sourceHash,
    sources: sources.map(({ name, kind, directory, shared, optional, key, axes, range, meets = [] }) => ({
      name,
      kind,
      directory,
      ...(shared ? { shared } : {}),
      ...(optional ? { optional } : {}),
      ...(key === null ? {} : { key }),
      ...(axes === null ? {} : { axes }),
      ...(range === null ? {} : { range }),
      ...(meets.length === 0 ? {} : { meets }),
    })),
    ...(datasets.length === 0 ? {} : { datasets: datasets.map(datasetInfo) }),
    params: paramsSchema,
    modalities: { video: infoOf("video"), audio: infoOf("audio") },
    ...(passes.length === 0 ? {} : { passes: passes.map(passInfo) }),
    losses: terms.map(({ name, modality, others }) => ({ name, modality, ...(others ? { others } : {}) })),
    ...(smallestBatch > 1 ? { smallestBatch } : {}),
    undecided,
    outputs,
    ...(weights.length === 0 ? {} : { weights }),
    ...(networks.length === 0 ? {} : { networks: networks.map(networkInfo) }),
  };
  // Keys are written as one writes them by hand; a line that begins with a quoted word is always a key.
  return escapeControls(JSON.stringify(info, null, 2)).replace(
    /^( *)"([A-Za-z_$][\w$]*)":/gm,
    (_, indent: string, key: string) => `${indent}${propertyName(key)}:`,
  );
}
