import type { RunConfig } from "../config/run-config.ts";
import type { Finding, StrategyInfo, Tensor } from "../contract.ts";
import { collate, uploadBatch, type HostBatch, type TextContext } from "../data/batch.ts";
import { discover, skippedLine, type Dataset } from "../data/dataset.ts";
import { ROOT_PLACE, sourcesOf, type DataSource } from "../data/directories.ts";
import { createOrder } from "../data/order.ts";
import { prefetch } from "../data/prefetch.ts";
import { readSample, type HostSample } from "../data/sample.ts";
import type { Engine } from "../engine/engine.ts";
import type { EmbeddingsProcessor } from "../model/embeddings.ts";
import { permutation } from "./philox.ts";
import { checkBatchSize } from "./preflight.ts";
import type { LoadedBatch, RunData } from "./run.ts";

export interface OpenedData {
  readonly dataset: Dataset;
  readonly sources: readonly DataSource[];
  readonly warnings: readonly Finding[];
}

/**
 * Finds the samples of a strategy's sources and reads the first one, which is enough to notice data of the wrong kind.
 * @throws FindingsError LTX61xx, and LTX6301 when there are too few samples for a batch
 */
export async function openData(
  config: RunConfig,
  strategy: StrategyInfo,
  params: Readonly<Record<string, unknown>>,
): Promise<OpenedData> {
  const sources = sourcesOf(strategy.sources, params);
  const dataset = await discover(config.data.preprocessed_data_root, sources);
  const [first] = dataset.samples;
  if (first !== undefined) await readSample(first, sources);
  checkBatchSize(config, dataset.samples.length);
  return { dataset, sources, warnings: skipped(dataset) };
}

function skipped(dataset: Dataset): Finding[] {
  const message = skippedLine(dataset);
  const example = dataset.skipped[0];
  if (message === null || example === undefined) return [];
  const help = `for ${example.name}, ${example.reason}`;
  return [{ code: "LTX6304", severity: "warning", path: ROOT_PLACE, message, help }];
}

/** Reads micro-batches, ahead of time when the run config has data loader workers, and runs their captions through the connectors. */
export function loadBatches(
  engine: Engine,
  config: RunConfig,
  { dataset, sources }: OpenedData,
  embeddings: EmbeddingsProcessor,
): RunData & { close(): Promise<void> } {
  const { steps, batch_size: batchSize, gradient_accumulation_steps: microBatches } = config.optimization;
  const { samples } = dataset;
  const chosen = createOrder({ samples: samples.length, batchSize, seed: config.seed }, permutation);
  const read = async (index: number): Promise<HostBatch> => {
    const files = chosen(index).flatMap((i) => samples[i] ?? []);
    const read = await Promise.all(files.map((sample) => readSample(sample, sources)));
    return collate(read as [HostSample, ...HostSample[]]);
  };
  const batches = prefetch(read, { ahead: config.data.num_dataloader_workers, end: steps * microBatches });
  return {
    samples: samples.length,
    load: async (index) => prepareBatch(engine, await batches.load(index), embeddings),
    close: () => batches.close(),
  };
}

/** The connectors are never trained: they run here, outside of the step's tape. */
function prepareBatch(engine: Engine, host: HostBatch, embeddings: EmbeddingsProcessor): LoadedBatch {
  const contexts: Record<string, TextContext> = {};
  for (const [role, source] of Object.entries(host.sources)) {
    if (source.kind === "text_embeddings") contexts[role] = engine.tidy(() => embeddings.run(source));
  }
  const made = Object.values(contexts).flatMap(({ video, audio, mask }): (Tensor | null)[] => [video, audio, mask]);
  return {
    names: host.names,
    batch: () => uploadBatch(engine.ops, host, contexts),
    release: () => engine.dispose(...made),
  };
}
