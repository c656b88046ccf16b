import { loraOf } from "../config/index.ts";
import type { RunConfig } from "../config/run-config.ts";
import type { Step, StrategyInfo } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { loadTfjsAlone } from "../engine/load-tfjs.ts";
import { recordingsFolder } from "../engine/recording/cache-folder.ts";
import { addTimes, type GraphCost } from "../graph/cost.ts";
import type { Graph } from "../graph/graph.ts";
import { createOnnxEngine } from "../engine/onnx/engine.ts";
import { createSimulatedDevice, type Usage } from "../engine/recording/simulated-device.ts";
import type { Device } from "../engine/recording/device.ts";
import { BUFFERS } from "../engine/torch/block-needs.ts";
import { createTorchEngine } from "../engine/torch/engine.ts";
import type { Sample } from "../data/dataset.ts";
import type { Outline, SourceOutline } from "../opening/look-at-samples.ts";
import { openExamined } from "../opening/open-run.ts";
import type { Preflight } from "../opening/preflight.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import type { Run } from "../training/run-inputs.ts";
import { contextOf, createOptimizer } from "../training/optimizer-context.ts";
import { accumulate } from "../training/optimizer-step.ts";
import type { DrawSource } from "../random/sampler.ts";
import { mostContextBytes } from "../opening/text-contexts.ts";
import { countBlocks, extrapolated, toRecord, withCounts, type BlockCounts } from "./extrapolate.ts";
import { recordingsFor } from "./known-recordings.ts";
import { withOwn, type Plan, type PlannedEngine, type StepPlan } from "./plan.ts";

/** A new object each time, since what was recorded is kept as long as it. */
const onnxOnCpu = (): PlannedEngine => ({ name: "onnx", provider: "cpu", precision: "float32" });

export interface PlanOptions {
  /**
   * Whether the run follows at once: all blocks are recorded then, and saved where the run looks for recordings, which so takes no longer
   * for them than without a plan. Default: false, a few blocks are recorded for all, and nothing is saved.
   */
  readonly isForRun?: boolean;
}

/**
 * Foretells what a step takes, by recording its graphs without running them. Exact in what the graphs do; what the runtime needs for
 * itself is estimated.
 * @param engine what the run computes with; default: the engine `onnx` on the CPU
 * @throws FindingsError as `openRun`
 */
export async function planOf(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  engine: PlannedEngine = onnxOnCpu(),
  { isForRun = false }: PlanOptions = {},
): Promise<Plan> {
  const { largest, commonest } = typicalOf(examined.data.outlines);
  const sizes = new Set(examined.data.outlines.map(sizeOf)).size;
  const planned = (outline: Outline) => planSample(config, step, examined, { outline, sizes, engine, isForRun });
  const first = await planned(largest);
  return {
    largest: first,
    commonest: commonest === largest ? first : await planned(commonest),
    sizes,
    passes: step.strategy.passes ?? [],
    networks: (step.strategy.networks ?? []).map(({ name }) => name),
  };
}

/** Whether a run leaves frozen weights of blocks on the host; with `auto` whoever asks has decided before. */
const isOffloaded = ({ runtime, model }: RunConfig, { name }: PlannedEngine): boolean =>
  name === "torch" && runtime.offload === "blocks" && model.training_mode === "lora";

interface SampleToPlan extends Required<PlanOptions> {
  readonly outline: Outline;
  readonly sizes: number;
  readonly engine: PlannedEngine;
}

async function planSample(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  { outline, sizes, engine, isForRun }: SampleToPlan,
): Promise<StepPlan> {
  const { sample } = outline;
  const layers = examined.model?.config.layers ?? 0;
  const samples = withOnly(sample, config, examined);
  const isWhole = isForRun || dependsOnBlocks(config, step);
  const recorded = isWhole
    ? await recordStep(config, step, samples, { engine, isForRun, blocks: undefined })
    : await recordFew(config, step, samples, { engine, layers });
  const { dataset, heldOut } = examined.data;
  const ofAll = recorded.memory.captions * contextsOf(step.strategy, outline, dataset.samples.length + heldOut.length);
  const captions = Math.min(ofAll, mostContextBytes());
  const memory = withOwn({ ...recorded.memory, captions }, { ...recorded, sizes }, engine);
  return {
    sample: sample.name,
    tokens: tokensOf(outline),
    memory,
    cost: recorded.cost,
    operations: Math.round(recorded.operations),
  };
}

/** What all blocks take, by recording a few of each kind. */
async function recordFew(
  config: RunConfig,
  step: Step,
  samples: Preflight,
  { engine, layers }: Pick<Recording, "engine"> & { readonly layers: number },
): Promise<Omit<Recorded, "graphs">> {
  const counts = countBlocks(layers, loraOf(config)?.blocks ?? null);
  const { few, more } = toRecord(counts);
  const record = async (own: BlockCounts) => {
    const blocks = own.reduce((a, b) => a + b);
    return await recordStep(withCounts(config, own, layers), step, samples, { engine, blocks });
  };
  const first = await record(few);
  const others: { counts: BlockCounts; recorded: Recorded }[] = [];
  for (const own of more) others.push({ counts: own, recorded: await record(own) });
  const extend = <Parts extends object>(part: (recorded: Recorded) => Parts): Parts =>
    extrapolated(
      counts,
      part(first),
      others.map((one) => ({ counts: one.counts, parts: part(one.recorded) })),
    );
  return {
    memory: extend(({ memory }) => memory),
    cost: extend(({ cost }) => cost),
    ...extend(({ operations, largest }) => ({ operations, largest })),
  };
}

/**
 * The graphs that an optimizer step with the largest sample runs, each once, in the order of their first runs: as the engine hands them
 * to its runtime. `printGraph` (`graph/text.ts`) writes one as text.
 * @param engine default: `onnx` on the CPU
 * @param blocks how many of the transformer's blocks are recorded, counted from the first; all without it
 * @throws FindingsError as `openRun`
 */
export async function graphsOf(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  { engine = onnxOnCpu(), blocks }: Partial<Recording> = {},
): Promise<readonly Graph[]> {
  const { sample } = typicalOf(examined.data.outlines).largest;
  return (await recordStep(config, step, withOnly(sample, config, examined), { engine, blocks })).graphs;
}

interface Recording extends PlanOptions {
  readonly engine: PlannedEngine;
  readonly blocks: number | undefined;
}

/** The engine with a device that computes nothing. */
async function simulated({ engine, isForRun = false }: Recording, device: Device): Promise<Engine> {
  const { name, provider, precision } = engine;
  const tf = await loadTfjsAlone();
  const kept = { saved: recordingsFor(engine), folder: isForRun ? recordingsFolder() : null };
  if (name === "onnx") return createOnnxEngine(tf, device, { provider, ...kept });
  return createTorchEngine(tf, device, { provider: provider === "cuda" ? "cuda" : "cpu", precision, ...kept });
}

/** What the graphs themselves take. */
type RecordedMemory = Omit<StepPlan["memory"], "allocator" | "program">;

interface Recorded extends Pick<StepPlan, "cost" | "operations"> {
  readonly memory: RecordedMemory;
  /** Bytes of the largest value that a graph makes. */
  readonly largest: number;
  readonly graphs: readonly Graph[];
}

/** So many micro-batches of a step are recorded at most; the others take what the later ones of these take on average. */
const MOST_BATCHES = 8;

/** The cost of a step with more micro-batches than were recorded, whose costs before each of them are given. */
function withMoreBatches(cost: GraphCost, before: readonly GraphCost[], more: number): GraphCost {
  const [second, last] = [before[1], before.at(-1)];
  if (more === 0 || second === undefined || last === undefined) return cost;
  return addTimes(cost, more / (before.length - 2), addTimes(last, -1, second));
}

/** Records two optimizer steps and returns what the second one takes: from then on the optimizer has its state. */
async function recordStep(config: RunConfig, step: Step, examined: Preflight, recording: Recording): Promise<Recorded> {
  const { engine, blocks } = recording;
  const blockBuffers = isOffloaded(config, engine) ? BUFFERS : 0;
  const device = createSimulatedDevice({ keepsMemory: engine.name === "onnx", blockBuffers });
  const planned = { isBlank: true, ...(blocks === undefined ? {} : { blocks }) };
  const { run, close } = await openExamined(await simulated(recording, device), config, step, examined, planned);
  const optimizer = createOptimizer(run);
  try {
    const trained = run.trainable.tensors().reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    const opened = device.usage();
    const batches = config.optimization.gradient_accumulation_steps;
    const { caption, before } = await runSteps(run, optimizer, device, batches);
    const average = run.ema === null ? 0 : trained;
    const taken = recordedOf(opened, device.usage(), { trained, caption, average }, config);
    return { ...taken, cost: withMoreBatches(taken.cost, before, batches - before.length), graphs: device.graphs() };
  } finally {
    optimizer.dispose();
    await close();
  }
}

/** Runs two steps. Returns the bytes of one sample's captions, and what was done in the second step before each micro-batch. */
async function runSteps(
  run: Run,
  optimizer: Optimizer,
  device: ReturnType<typeof createSimulatedDevice>,
  batches: number,
) {
  const context = contextOf(run, optimizer);
  let caption = 0;
  let before: GraphCost[] = [];
  for (let j = 0; j < 2; j++) {
    device.resetRuns();
    before = [];
    const next = async (i: number) => {
      const { held, cost } = device.usage();
      before.push(cost);
      const batch = await run.data.load(i);
      // Of several samples, which are the same one here, there is also the batch's own context.
      caption ||= (device.usage().held - held) / (batch.names.length === 1 ? 1 : batch.names.length + 1);
      const progress = { globalStep: j, progress: 0 };
      return { ...batch, size: batch.names.length, draws: blankNormals(run.draws(j, i)), progress };
    };
    const gradients = await accumulate(context, Math.min(batches, MOST_BATCHES), next, batches);
    await gradients.apply(0);
  }
  return { caption, before };
}

/** Numbers that decide what a step does are drawn as in a run. Noise is not: it takes as long as all else of a plan. */
const blankNormals = ({ rand }: DrawSource): DrawSource => ({ rand, randn: (_, count) => new Float32Array(count) });

function recordedOf(
  opened: Usage,
  { held, peak, largest, files, cost, operations }: Usage,
  { trained, caption, average }: { readonly trained: number; readonly caption: number; readonly average: number },
  config: RunConfig,
): Omit<Recorded, "graphs"> {
  // Moments of eight bits are on the host, two to a trained number.
  const ofHost = config.optimization.optimizer_type === "adamw8bit" ? trained / 2 : 0;
  const memory = {
    weights: files + opened.held - trained - average,
    trained,
    average,
    optimizer: held - opened.held - caption + ofHost,
    captions: caption,
    step: peak - held,
  };
  return { memory, largest, cost, operations };
}

/** Whether single blocks are named, so that they are not all alike. */
function dependsOnBlocks({ model, lora }: RunConfig, { strategy }: Step): boolean {
  const targets = model.training_mode === "full" ? [] : (lora?.target_modules ?? []);
  return strategy.outputs.length > 0 || targets.some((target) => target.includes("transformer_blocks"));
}

/** The run with batches of one sample. */
function withOnly(sample: Sample, { optimization }: RunConfig, examined: Preflight): Preflight {
  const samples = Array.from({ length: optimization.batch_size }, () => sample);
  const { data } = examined;
  return { ...examined, data: { ...data, dataset: { ...data.dataset, samples }, buckets: null, mixture: null } };
}

/** How many times what one sample's captions take is kept for all of them: a file that they share is kept once. */
export function contextsOf({ sources }: Pick<StrategyInfo, "sources">, outline: Outline, samples: number): number {
  const shared = new Set(sources.flatMap((source) => (source.shared === true ? [source.name] : [])));
  const tokens = { own: 0, shared: 0 };
  for (const [role, source] of Object.entries(outline.sources))
    if (source.kind === "text_embeddings") tokens[shared.has(role) ? "shared" : "own"] += source.tokens;
  const all = tokens.own + tokens.shared;
  return all === 0 ? samples : (tokens.own * samples + tokens.shared) / all;
}

/** The sample with the most tokens, and one of the commonest size. */
export function typicalOf(outlines: readonly Outline[]): { readonly largest: Outline; readonly commonest: Outline } {
  const [first] = outlines;
  if (first === undefined) throw new RangeError("a data set has at least one sample");
  const largest = outlines.reduce((a, b) => (tokensOf(b) > tokensOf(a) ? b : a), first);
  const counts = new Map<string, number>();
  for (const size of outlines.map(sizeOf)) counts.set(size, (counts.get(size) ?? 0) + 1);
  const countOf = (outline: Outline) => counts.get(sizeOf(outline)) ?? 0;
  const commonest = outlines.reduce((a, b) => (countOf(b) > countOf(a) ? b : a), first);
  return { largest, commonest: sizeOf(commonest) === sizeOf(largest) ? largest : commonest };
}

const gridOf = (source: SourceOutline): readonly number[] => ("grid" in source ? source.grid : []);

function tokensOf({ sources }: Outline): number {
  const grids = Object.values(sources).flatMap((source) => ("grid" in source ? [source.grid] : []));
  return grids.reduce((sum, grid) => sum + grid.reduce((a, b) => a * b, 1), 0);
}

function sizeOf({ sources }: Outline): string {
  return Object.values(sources)
    .map((source) => gridOf(source).join("x"))
    .join();
}
