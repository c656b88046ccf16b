/** What a run takes, by its parts. The constants are measured, see `bench/RESULTS.md`. */
import type { PassInfo } from "../contract.ts";
import type { EngineSpeed } from "../engine/measure.ts";
import type { Precision } from "../engine/engine.ts";
import type { Provider } from "../engine/onnx/provider.ts";
import type { GraphCost } from "../graph/cost.ts";

/** The engine that a plan is for: one that records its steps. */
export interface PlannedEngine {
  readonly name: "onnx" | "torch";
  readonly provider: Provider;
  readonly precision: Precision;
}

/** What training steps of one size take on an engine; bytes, of the device that it computes with. */
export interface StepPlan {
  /** The sample whose size it is. */
  readonly sample: string;
  /** Of all latents together. */
  readonly tokens: number;
  readonly memory: {
    /** The weights of the base model and of frozen networks: those left in their file, and those in memory. */
    readonly weights: number;
    /** What is trained, and what the optimizer remembers of it. */
    readonly trained: number;
    readonly optimizer: number;
    /** The moving average of what is trained. */
    readonly average: number;
    /** Contexts of captions, which are kept. */
    readonly captions: number;
    /** What a step makes, at most at one time: activations, gradients, widened weights. */
    readonly step: number;
    /** What the runtime's allocator keeps of memory that a step has freed, in pieces that do not fit what is asked for next; estimated. */
    readonly allocator: number;
    /** What Node.js, this program and the runtime take themselves; estimated. */
    readonly program: number;
  };
  /** Of an optimizer step. */
  readonly cost: GraphCost;
  /** Operations of all graphs that are recorded before steps of this size run. */
  readonly operations: number;
}

export interface Plan {
  /** Steps with the largest samples, which decide on the memory. */
  readonly largest: StepPlan;
  /** Steps with the samples of the size that most have. */
  readonly commonest: StepPlan;
  /** How many sizes the samples have; the graphs of each are recorded. */
  readonly sizes: number;
  /** Calls of the model in a step besides its own; they are in all of these numbers. */
  readonly passes: readonly PassInfo[];
  /** Names of the frozen networks, whose weights are counted with those of the base model. */
  readonly networks: readonly string[];
}

interface Own {
  /** Bytes that Node.js, this program and the runtime take; on a GPU, its driver and libraries. */
  readonly program: number;
  /** Bytes that its allocator keeps, of a step that makes so much at one time, and values of so many bytes at most. */
  kept(step: number, largest: number): number;
}

const aTenth = (step: number): number => 0.1 * step;

/**
 * What a runtime takes for itself: measured on the CPU, estimated on GPUs. ONNX Runtime's allocator keeps 4 to 10 times the largest value,
 * however much a step takes in all.
 */
function ownOf({ name, provider }: PlannedEngine): Own {
  if (provider === "cuda") return { program: 600 * 2 ** 20, kept: aTenth };
  if (name === "torch") return { program: 400 * 2 ** 20, kept: aTenth };
  return { program: 290 * 2 ** 20, kept: (_, largest) => 7 * largest };
}

/**
 * By which share of the memory of a plan runs took more or less at most, in twelve settings on the CPU (`npm run bench -- plan-memory`); null
 * where none were compared. Saving checkpoints is not counted.
 */
export const memoryTolerance = ({ provider }: PlannedEngine): number | null => (provider === "cpu" ? 0.1 : null);

type Memory = StepPlan["memory"];

/**
 * The parts of a run's memory, in whole bytes: those of its graphs, and what comes on top.
 * @param largest bytes of the largest value that a graph makes
 */
export function withOwn(
  recorded: Omit<Memory, "allocator" | "program">,
  largest: number,
  engine: PlannedEngine,
): Memory {
  const { program, kept } = ownOf(engine);
  const parts = { ...recorded, allocator: kept(recorded.step, largest), program };
  return Object.fromEntries(Object.entries(parts).map(([name, size]) => [name, Math.round(size)])) as unknown as Memory;
}

/** Resident memory of a run, in bytes: the sum of its parts. */
export function residentBytes({ memory }: Pick<StepPlan, "memory">): number {
  return Object.values(memory).reduce((sum, part) => sum + part, 0);
}

/** The same with the largest sample: what the run takes. */
export const planBytes = ({ largest }: Pick<Plan, "largest">): number => residentBytes(largest);

/** What calling a kernel takes, in seconds. */
const KERNEL_SECONDS = 5e-6;

/** What an optimizer step spends its time on, in seconds. */
interface StepSeconds {
  /** Matrix products. */
  readonly products: number;
  /** Reading and writing numbers in all other operations. */
  readonly moving: number;
  /** Calling the kernels. */
  readonly calls: number;
  /** Waiting for weights that come from the host, where that takes longer than all else. */
  readonly copying: number;
}

/** The parts of an optimizer step's time on an engine of this speed. */
export function partsOfStep({ cost }: Pick<StepPlan, "cost">, speed: EngineSpeed): StepSeconds {
  const products = cost.matmulFlops / (1e9 * speed.matmulGflops);
  const moving = cost.movedBytes / (1e9 * speed.bandwidthGBs);
  const calls = cost.nodes * KERNEL_SECONDS;
  const bus = cost.copiedBytes / (1e9 * (speed.busGBs ?? speed.bandwidthGBs));
  return { products, moving, calls, copying: Math.max(0, bus - products - moving - calls) };
}

/** Seconds of an optimizer step on an engine of this speed: the sum of its parts. */
export function stepSeconds(plan: Pick<StepPlan, "cost">, speed: EngineSpeed): number {
  const { products, moving, calls, copying } = partsOfStep(plan, speed);
  return products + moving + calls + copying;
}

/** The first recording of a process, however small, and then each operation, until its graph can run; in seconds. */
const [WARM_UP_SECONDS, OPERATION_SECONDS] = [1, 2e-4];

/** Seconds that go by before the steps of a run are recorded, if no earlier run has saved the recordings. */
export function recordingSeconds({ largest, commonest, sizes }: Pick<Plan, "largest" | "commonest" | "sizes">): number {
  const operations = Math.max(largest.operations, commonest.operations);
  return WARM_UP_SECONDS + sizes * operations * OPERATION_SECONDS;
}

/** Seconds of a run of so many optimizer steps: recording them, and taking them. */
export function runSeconds(plan: Plan, steps: number, speed: EngineSpeed): number {
  return recordingSeconds(plan) + steps * stepSeconds(plan.commonest, speed);
}
