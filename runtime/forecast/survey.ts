import type { StrategyInfo } from "../contract.ts";
import type { OpenedData } from "../opening/open-data.ts";
import type { Outline, SourceOutline } from "../opening/look-at-samples.ts";
import { shiftOf } from "../random/samplers.ts";

/** A value and how many of the samples that were looked at have it. */
export interface Counted<Value> {
  readonly value: Value;
  readonly samples: number;
}

/** Latents of one size. */
export interface SizeOfLatents {
  /** The strategy's name for them. */
  readonly source: string;
  /** In latent cells: frames, rows and columns, or steps. */
  readonly grid: readonly number[];
  readonly tokens: number;
  /** What the noise levels' mean is shifted to by this many tokens; null for what is not generated. */
  readonly shift: number | null;
  /** How the files store them. */
  readonly storage: string;
}

/** What a run has to train on. */
export interface Survey {
  /** Samples to train on and to evaluate. */
  readonly training: number;
  readonly heldOut: number;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Where several data sets are mixed: how many samples of each there are to train on, and how many a batch has. */
  readonly datasets: readonly { readonly name: string; readonly samples: number; readonly perBatch: number }[];
  /** Samples whose headers were looked at; what follows is of these. */
  readonly lookedAt: number;
  /** The commonest first, as all that follows. */
  readonly sizes: readonly Counted<SizeOfLatents>[];
  readonly framesPerSecond: readonly Counted<number>[];
  /** Tokens of captions, by the source that has them; one file for all samples is that of each. */
  readonly captions: readonly (Counted<number> & { readonly source: string })[];
}

/** Counts what the headers of a run's samples say. */
export function surveyOf({ modalities }: StrategyInfo, { dataset, mixture, heldOut, outlines }: OpenedData): Survey {
  const generated = new Set(
    Object.values(modalities).flatMap((modality) => (modality?.generated === true ? [modality.latents] : [])),
  );
  const all = <Kind extends SourceOutline["kind"]>(kind: Kind) => sourcesOfKind(outlines, kind);
  const sizes = [...all("video_latents"), ...all("audio_latents")].map(({ role, source: { grid, storage } }) => {
    const tokens = grid.reduce((a, b) => a * b, 1);
    return { source: role, grid, tokens, shift: generated.has(role) ? shiftOf(tokens) : null, storage };
  });
  return {
    training: dataset.samples.length,
    heldOut: heldOut.length,
    skipped: dataset.skipped,
    datasets: (mixture ?? []).map(({ name, samples, perBatch }) => ({ name, samples: samples.length, perBatch })),
    lookedAt: outlines.length,
    sizes: count(sizes),
    framesPerSecond: count(
      all("video_latents").flatMap(({ role, source }) => (generated.has(role) ? [source.fps] : [])),
    ),
    captions: count(all("text_embeddings").map(({ role, source }) => ({ source: role, tokens: source.tokens }))).map(
      ({ value: { source, tokens }, samples }) => ({ value: tokens, samples, source }),
    ),
  };
}

function sourcesOfKind<Kind extends SourceOutline["kind"]>(outlines: readonly Outline[], kind: Kind) {
  type OfKind = SourceOutline & { readonly kind: Kind };
  return outlines.flatMap(({ sources }) =>
    Object.entries(sources).flatMap(([role, source]) =>
      source.kind === kind ? [{ role, source: source as OfKind }] : [],
    ),
  );
}

/** Equal values together, the commonest first. */
function count<Value>(values: readonly Value[]): Counted<Value>[] {
  const counts = new Map<string, { value: Value; samples: number }>();
  for (const value of values) {
    const key = JSON.stringify(value);
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { value, samples: 1 });
    else known.samples++;
  }
  return [...counts.values()].toSorted((a, b) => b.samples - a.samples);
}
