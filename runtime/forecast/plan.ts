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
    /** What Node.js, this program with its recorded graphs, and the runtime take themselves; estimated. */
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
  /** Bytes that Node.js, this program and the runtime take, with the recorded graphs; on a GPU, its driver and libraries. */
  readonly program: number;
  /** Bytes that its allocator keeps, of a step that makes so much at one time, values of so many bytes at most, and all else. */
  kept(step: number, largest: number, others: number): number;
}

/** Bytes of a recorded graph for each of its operations, in JavaScript and in the runtime: those of the first size, and of each further one. */
const [OPERATION_BYTES, FURTHER_OPERATION_BYTES] = [12 * 2 ** 10, 4.5 * 2 ** 10];

/**
 * What a runtime takes for itself, with graphs of so many operations for each of so many sizes: measured on the CPU, estimated on GPUs. ONNX
 * Runtime's allocator keeps 4 to 10 times the largest value, however much a step takes in all. Of what PyTorch frees, C's allocator keeps
 * what a step makes in pieces, until it is given back to the system (see `FreedMemory`): so much was measured.
 */
function ownOf({ name, provider }: PlannedEngine, operations: number, sizes: number): Own {
  // Graphs lie in the host's memory there.
  if (provider === "cuda") return { program: 600 * 2 ** 20, kept: (step) => 0.1 * step };
  const graphs = operations * (OPERATION_BYTES + (sizes - 1) * FURTHER_OPERATION_BYTES);
  if (name === "onnx") return { program: 185 * 2 ** 20 + graphs, kept: (_, largest) => 7 * largest };
  const kept = (step: number, _: number, others: number) => Math.min(2 * step, 2 ** 26 + (step + others) / 12);
  return { program: 275 * 2 ** 20 + graphs, kept };
}

/**
 * By which share of the memory of a plan runs took more or less at most, in twelve settings on the CPU (`npm run bench -- plan-memory`); null
 * where none were compared. Saving checkpoints is not counted.
 */
export const memoryTolerance = ({ provider }: PlannedEngine): number | null => (provider === "cpu" ? 0.1 : null);

type Memory = StepPlan["memory"];

interface Graphs {
  /** Bytes of the largest value that a graph makes. */
  readonly largest: number;
  /** Of all graphs of one size. */
  readonly operations: number;
  /** How many sizes of samples there are, with graphs of their own. */
  readonly sizes: number;
}

/** The parts of a run's memory, in whole bytes: those that its graphs make, and what comes on top. */
export function withOwn(
  recorded: Omit<Memory, "allocator" | "program">,
  { largest, operations, sizes }: Graphs,
  engine: PlannedEngine,
): Memory {
  const { program, kept } = ownOf(engine, operations, sizes);
  const { step, ...others } = { ...recorded, program };
  const parts = { step, ...others, allocator: kept(step, largest, sum(others)) };
  return Object.fromEntries(Object.entries(parts).map(([name, size]) => [name, Math.round(size)])) as unknown as Memory;
}

/** Resident memory of a run, in bytes: the sum of its parts. */
export function residentBytes({ memory }: Pick<StepPlan, "memory">): number {
  return sum(memory);
}

const sum = (parts: Readonly<Record<string, number>>): number =>
  Object.values(parts).reduce((all, part) => all + part, 0);

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
