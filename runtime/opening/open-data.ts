import { directoriesOf } from "../config/rules/official.ts";
import type { RunConfig } from "../config/run-config.ts";
import type { StrategyInfo } from "../contract.ts";
import { collate, lackedBy, sizesOf, uploadBatch, type HostBatch } from "../data/batch.ts";
import { bucketsOf, checkBuckets, sizesOfSamples } from "../data/buckets.ts";
import { datasetsOf, discoverAll, perBatch, type DataSet } from "../data/datasets.ts";
import { skippedLine, type Dataset, type Sample } from "../data/dataset.ts";
import { normalize, sourcesOf, type DataSource } from "../data/directories.ts";
import { checkGrids, type FedModality } from "../data/grids.ts";
import { createMixedOrder, type MixedSet } from "../data/mixed-order.ts";
import { createOrder } from "../data/order.ts";
import { prefetch } from "../data/prefetch.ts";
import { withDescription, withEntries } from "../data/entries.ts";
import { readSample, type HostSample, type OpenEntries } from "../data/sample.ts";
import { completing, patternsOf, type Patterns } from "../data/stand-ins.ts";
import { fail, FindingsError, together, type Finding, DATA_ROOT } from "../findings.ts";
import type { Engine } from "../engine/engine.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";
import { checkTextShape } from "../model/embeddings.ts";
import { affordable } from "./affordable.ts";
import { brokenSamples } from "./broken-samples.ts";
import { lookAtSamples, type Outline } from "./look-at-samples.ts";
import { checkWidths } from "./widths.ts";
import { permutation } from "../random/philox.ts";
import { checkMixture, divideSamples, mixedSets } from "./mixture.ts";
import type { LoadedBatch, RunData } from "../training/run-inputs.ts";
import type { TextContexts } from "./text-contexts.ts";

export interface OpenedData {
  /** Its samples are those to train on. */
  readonly dataset: Dataset;
  /** The size bucket of each sample; null when batches hold a single sample. */
  readonly buckets: ArrayLike<number> | null;
  /** Where batches have their share of several data sets: these, with the numbers of their samples; null where all are of one. */
  readonly mixture: readonly MixedSet[] | null;
  /** The samples to evaluate. */
  readonly heldOut: readonly Sample[];
  /** The samples whose headers were read, by those headers. */
  readonly outlines: readonly Outline[];
  readonly warnings: readonly Finding[];
  /** Reads a sample and checks that it fits the strategy and the model. */
  read(sample: Sample): Promise<HostSample>;
}

interface DataOptions {
  readonly params: Readonly<Record<string, unknown>>;
  /** What the data must fit; null when the model itself is broken, which is reported together with what is found in the data. */
  readonly model: ExaminedModel | null;
  /** Reads the contents of as many samples as is quickly done, not only of the first. */
  readonly isThorough?: boolean;
}

/**
 * Finds the samples of a strategy's sources, reads the first one and looks at the headers of the others.
 * @throws FindingsError LTX61xx, LTX6301, LTX6302 when there are too few samples (of one size) for a batch, LTX6320 when too many are held out
 */
export async function openData(
  config: RunConfig,
  strategy: StrategyInfo,
  { params, model, isThorough = false }: DataOptions,
): Promise<OpenedData> {
  const named = directoriesOf(config.training_strategy);
  const declared = sourcesOf(strategy.sources, params).map((source) => {
    const path = named.find(({ directory }) => normalize(directory) === source.directory)?.path;
    return path === undefined ? source : { place: path, ...source };
  });
  const { preprocessed_data_root: root } = config.data;
  const sets = await datasetsOf(strategy.datasets ?? [], { params, root, folders: config.runtime.datasets });
  const dataset = await discoverAll(root, sets, declared);
  const sources = declared.map((source) => (isLacked(source, sets) ? { ...source, optional: true } : source));
  const { batch_size: batchSize } = config.optimization;
  const read = sampleReader(sources, strategy, model, withEntries);
  const look = sampleReader(sources, strategy, model, withDescription);
  const [outlines, { training, heldOut, mixture }] = await together([
    () => lookAtAll(dataset.samples, read, look, isThorough),
    () => {
      const counts = perBatch(sets, batchSize);
      const divided = divideSamples(dataset.samples, config, sets, counts);
      return { ...divided, mixture: sets.length === 0 ? null : mixedSets(divided.training, sets, counts) };
    },
  ]);
  checkWidths(outlines, sources, strategy);
  const { patterns, buckets } = await divided(dataset.samples, training, sources, { strategy, batchSize });
  const warnings = [
    ...dataset.warnings,
    ...skipped(dataset),
    ...notesOf(dataset),
    ...(buckets === null ? [] : mixture === null ? checkBuckets(buckets, batchSize) : checkMixture(mixture, buckets)),
  ];
  return {
    dataset: { ...dataset, samples: training },
    buckets: buckets?.of ?? null,
    mixture,
    heldOut,
    outlines,
    warnings,
    read: completed(read, { sources, strategy, model, patterns, sets }),
  };
}

/** Whether a data set is without a source. */
const isLacked = ({ role }: DataSource, sets: readonly DataSet[]): boolean =>
  sets.some(({ without }) => without.includes(role));

/** By what samples can be put together, and what those that lack an optional source have in its place; null where nothing asks for it. */
async function divided(
  all: readonly Sample[],
  training: readonly Sample[],
  sources: readonly DataSource[],
  { strategy, batchSize }: { readonly strategy: StrategyInfo; readonly batchSize: number },
) {
  if (sources.every(({ optional }) => optional !== true)) {
    const buckets = batchSize === 1 ? null : bucketsOf(await sizesOfSamples(training, sources), sources);
    return { patterns: null, buckets };
  }
  const { fed } = fedBy(strategy, null);
  const references = new Set(fed.flatMap((modality) => modality.references));
  const patterns = patternsOf(all, await sizesOfSamples(all, sources), sources, references);
  const sizes = training.map((sample) => patterns.completed(sample));
  return { patterns, buckets: batchSize === 1 ? null : bucketsOf(sizes, sources) };
}

interface Completed {
  readonly sources: readonly DataSource[];
  readonly strategy: StrategyInfo;
  readonly model: ExaminedModel | null;
  readonly patterns: Patterns | null;
  readonly sets: readonly DataSet[];
}

/** Reads samples with stand-ins for the sources that they lack, and with marks of what they have and which data set they are of. */
function completed(read: Look, { patterns, sets, ...of }: Completed): Look {
  if (patterns === null && sets.length === 0) return read;
  const complete = patterns === null ? null : standingIn({ ...of, patterns });
  return async (sample) => {
    const own = await read(sample);
    const whole = complete === null ? own : await complete(sample, own);
    const ofSets = sets.map(({ name }) => [name, sample.set === name] as const);
    return { ...whole, marks: { ...whole.marks, ...Object.fromEntries(ofSets) } };
  };
}

function standingIn({
  sources,
  strategy,
  model,
  patterns,
}: Omit<Completed, "sets" | "patterns"> & { patterns: Patterns }) {
  const { fed, channels } = fedBy(strategy, model);
  return completing({
    sources,
    fed,
    patterns,
    read: (sample, roles) => {
      const wanted = sources.filter(({ role }) => roles.includes(role));
      return readSample(sample, wanted, channels);
    },
  });
}

/**
 * Sees that the files of all samples are whole, reads the first sample, or as many as \`affordable\` allows, and looks at the headers of
 * the others.
 * @throws FindingsError with what is wrong with the first of them that do not fit, each file once
 */
async function lookAtAll(
  samples: readonly Sample[],
  read: Look,
  look: Look,
  isThorough: boolean,
): Promise<readonly Outline[]> {
  const broken = await brokenSamples(samples);
  const whole = isThorough ? await affordable(samples) : new Set(samples.slice(0, 1));
  return lookAtSamples(samples, broken, async (sample) => {
    if (whole.has(sample)) await read(sample);
    return look(sample);
  });
}

type Look = (sample: Sample) => Promise<HostSample>;

/** What a strategy feeds to the model, and the channels that this takes of each source. */
function fedBy({ modalities, passes = [] }: StrategyInfo, model: ExaminedModel | null) {
  const channels = new Map<string, number>();
  const fed: FedModality[] = [];
  for (const stream of ["video", "audio"] as const) {
    const modality = modalities[stream];
    if (modality === null) continue;
    const { latents: target } = modality;
    const ofPasses = passes.flatMap((pass) => [pass.latents?.[stream] ?? [], pass.references?.[stream] ?? []].flat());
    const references = [...modality.references, ...passes.flatMap((pass) => pass.references?.[stream] ?? [])];
    fed.push({ target, references });
    const expected = model?.config[stream]?.inChannels;
    if (expected === undefined) continue;
    for (const role of [target, ...references, ...ofPasses]) channels.set(role, expected);
  }
  return { fed, channels: Object.fromEntries(channels) };
}

/** Reads samples by way of `open`, and checks that they fit the strategy and the model. */
function sampleReader(
  sources: readonly DataSource[],
  strategy: StrategyInfo,
  model: ExaminedModel | null,
  open: OpenEntries,
) {
  const { fed, channels: expected } = fedBy(strategy, model);
  const own = sources.filter(({ shared }) => shared !== true);
  const ofAll = sources.filter(({ shared }) => shared === true);
  // What all samples share is read once, with the first of them.
  let known: Promise<HostSample> | null = null;
  return async (sample: Sample): Promise<HostSample> => {
    known ??= readSample(sample, ofAll, expected, open);
    const [shared, { name, sources: ofSample }] = await Promise.all([known, readSample(sample, own, expected, open)]);
    const read = { name, sources: { ...ofSample, ...shared.sources } };
    checkGrids(sample, read, fed, sources);
    checkText(read, strategy, model);
    return read;
  };
}

/** Whether a sample's text features fit the connectors. Errors: FindingsError LTX6213, with the sample's name. */
function checkText({ name, sources }: HostSample, strategy: StrategyInfo, model: ExaminedModel | null): void {
  const { modalities, passes = [] } = strategy;
  for (const stream of ["video", "audio"] as const) {
    const modality = modalities[stream];
    const connector = model?.connectors[stream];
    const own = modality?.texts ?? (modality === null ? [] : [modality.text]);
    const ofCalls = [own, ...passes.flatMap(({ texts }) => (texts?.[stream] === undefined ? [] : [texts[stream]]))];
    for (const roles of ofCalls) checkTexts(stream, roles, sources);
    for (const role of new Set(ofCalls.flat())) {
      const text = sources[role];
      if (text?.kind !== "text_embeddings" || connector === undefined || connector === null) continue;
      const [tokens = 0, channels = 0] = text[stream]?.shape ?? [];
      if (text[stream] !== null) named(name, () => checkTextShape(stream, connector, tokens, channels));
    }
  }
}

/** Texts of which a sample gets one are of one size. Errors: FindingsError LTX6145. */
function checkTexts(stream: "video" | "audio", roles: readonly string[], sources: HostSample["sources"]): void {
  const sizeOf = (role: string): string => {
    const text = sources[role];
    const shape = text?.kind === "text_embeddings" ? text[stream]?.shape : undefined;
    return shape === undefined ? "none" : `[${shape.join(", ")}]`;
  };
  const last = roles.at(-1);
  const present = roles.filter((role) => sources[role] !== undefined);
  const other = last === undefined ? undefined : present.find((role) => sizeOf(role) !== sizeOf(last));
  if (last === undefined || other === undefined) return;
  const sizes = `${stream}_prompt_embeds of \`${other}\`: ${sizeOf(other)}; of \`${last}\`: ${sizeOf(last)}`;
  const help = "encode them with the same settings, padded to the same number of tokens";
  fail("LTX6145", `the texts of \`${stream}\` differ in size: ${sizes}`, help, DATA_ROOT);
}

/** Findings of `f` with the sample's name before them. */
function named(name: string, f: () => void): void {
  try {
    f();
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    throw new FindingsError(error.findings.map((finding) => ({ ...finding, message: `${name}: ${finding.message}` })));
  }
}

function notesOf({ notes }: Dataset): Finding[] {
  const [first] = notes;
  if (first === undefined) return [];
  const message = `${notes.length} files that macOS made for its own notes are left out, such as ${first}`;
  const help = "they hold nothing of the samples; `dot_clean` on macOS removes them";
  return [{ code: "LTX6143", severity: "warning", path: DATA_ROOT, message, help }];
}

function skipped(dataset: Dataset): Finding[] {
  const message = skippedLine(dataset);
  const example = dataset.skipped[0];
  if (message === null || example === undefined) return [];
  const help = `for ${example.name}, ${example.reason}`;
  return [{ code: "LTX6304", severity: "warning", path: DATA_ROOT, message, help }];
}

/** Reads micro-batches, ahead of time when the run config has data loader workers. */
export function loadBatches(
  engine: Engine,
  config: RunConfig,
  { dataset, buckets, mixture, read: readOne }: OpenedData,
  contexts: TextContexts,
): RunData & { close(): Promise<void> } {
  const { steps, batch_size: batchSize, gradient_accumulation_steps: microBatches } = config.optimization;
  const { samples } = dataset;
  const divided = buckets === null ? {} : { buckets };
  const { seed } = config;
  const [first, ...others] = mixture ?? [];
  const chosen =
    first === undefined
      ? createOrder({ samples: samples.length, batchSize, seed, ...divided }, permutation)
      : createMixedOrder({ sets: [first, ...others], seed, ...divided }, permutation);
  const setOf = setsOf(mixture);
  const read = async (index: number): Promise<HostBatch> => {
    const files = chosen(index).flatMap((i) => samples[i] ?? []);
    const read = await Promise.all(files.map(readOne));
    return collate(read as [HostSample, ...HostSample[]]);
  };
  const batches = prefetch(read, { ahead: config.data.num_dataloader_workers, end: steps * microBatches });
  return {
    samples: samples.length,
    load: async (index) => setOf(await prepareBatch(engine, () => batches.load(index), contexts)),
    close: () => batches.close(),
  };
}

/** Says of a batch's samples which data sets they are of, with which their names begin. */
function setsOf(mixture: OpenedData["mixture"]): (batch: LoadedBatch) => LoadedBatch {
  if (mixture === null) return (batch) => batch;
  return (batch) => ({ ...batch, sets: batch.names.map((name) => name.split("/")[0] ?? "") });
}

/** Reads held-out samples, each as a batch; null where there are none. */
export function loadHeldOut(
  engine: Engine,
  { heldOut, mixture, read }: OpenedData,
  contexts: TextContexts,
): RunData | null {
  if (heldOut.length === 0) return null;
  const setOf = setsOf(mixture);
  return {
    samples: heldOut.length,
    async load(index) {
      const sample = heldOut[index];
      if (sample === undefined) throw new RangeError(`there is no held-out sample ${index}`);
      return setOf(await prepareBatch(engine, async () => collate([await read(sample)]), contexts));
    },
  };
}

/** Captions have been through the connectors, outside of the step's tape. */
async function prepareBatch(
  engine: Engine,
  read: () => Promise<HostBatch>,
  contexts: TextContexts,
): Promise<LoadedBatch> {
  const began = performance.now();
  const host = await read();
  const waitSeconds = (performance.now() - began) / 1000;
  const { contexts: ofBatch, release } = contexts.of(host);
  return {
    names: host.names,
    sizes: sizesOf(host),
    lacks: lackedBy(host),
    waitSeconds,
    batch: () => uploadBatch(engine.ops, host, ofBatch),
    release,
  };
}
