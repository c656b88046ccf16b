import type { HostBatch } from "../../../runtime/data/batch.ts";
import type { Engine } from "../../../runtime/engine/engine.ts";
import type { Progress } from "../../../runtime/training/forward.ts";
import type { MicroBatch } from "../../../runtime/training/optimizer-step.ts";
import type { TextContexts } from "../../../runtime/opening/text-contexts.ts";
import { golden, type Case, type GoldenTensor } from "../../case.ts";
import type { CaseStrategy } from "../../compiled.ts";
import { goldenBatch, textFeatures } from "../../golden-batch.ts";
import { recordedDraws } from "../../recorded-draws.ts";

/** The case's micro-batch number `index`, with its recorded draws; its captions go through the connectors where there are some. */
export function microBatch(
  { manifest, tensors }: Case,
  engine: Engine,
  { section, step, keyOf }: CaseStrategy,
  contexts: TextContexts | null,
  index: number,
  progress: Progress,
): MicroBatch {
  const samples: readonly number[] = manifest["batches"][index];
  const draws = manifest["draws"].filter((draw: { micro_step: number }) => draw.micro_step === index);
  const batch = collate(tensors, samples);
  const { sources } = step.strategy;
  const texts = sources
    .filter(({ kind }) => kind === "text_embeddings")
    .map((source) => [source.name, textFeatures(batch, `batch.${keyOf(source)}`)] as const);
  const host: HostBatch = { size: samples.length, names: samples.map(String), sources: Object.fromEntries(texts) };
  const made = contexts?.of(host);
  return {
    size: samples.length,
    progress,
    draws: recordedDraws(draws, { section, sampler: manifest["sampler"] }, (name) => golden(tensors, name)),
    batch: () => goldenBatch(batch, sources, keyOf, engine.ops, made?.contexts),
    release: () => made?.release(),
  };
}

/** `sample.<i>.<field>` of the chosen samples, stacked to `batch.<field>`. */
function collate(tensors: Case["tensors"], samples: readonly number[]): Map<string, GoldenTensor> {
  const batch = new Map<string, GoldenTensor>();
  const first = `sample.${samples[0]}.`;
  for (const [name, { dtype, shape }] of tensors) {
    if (!name.startsWith(first)) continue;
    const field = name.slice(first.length);
    const parts = samples.map((sample) => golden(tensors, `sample.${sample}.${field}`).data);
    const data = Float64Array.from(parts.flatMap((part) => [...part]));
    batch.set(`batch.${field}`, { dtype, shape: [samples.length, ...shape], data });
  }
  return batch;
}
