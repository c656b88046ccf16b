import type { HostTensor, Shape } from "../../contract.ts";
import { addCosts, costOf, noCost, type GraphCost } from "../../graph/cost.ts";
import { byteSize, sizeOf, type Graph, type Value } from "../../graph/graph.ts";
import { memoryOf, type GraphMemory } from "../../graph/memory.ts";
import { executionOrder } from "../../graph/order.ts";
import type { Device, Feed, OpenListener } from "./device.ts";

/** What a simulated device had to do so far. */
export interface Usage {
  /** Bytes of the values that it holds. */
  readonly held: number;
  /** The most bytes that it needed at any time: uploaded values, constants of graphs, and what each graph has claimed for its values. */
  readonly peak: number;
  /** The largest value that a graph makes. */
  readonly largest: number;
  /** Bytes of the weights that graphs read from files; of those that wait on the host, the buffers that they are brought to. */
  readonly files: number;
  /** Of the graphs that ran since `resetRuns`. */
  readonly cost: GraphCost;
  /** Operations of all graphs that were opened, each graph once. */
  readonly operations: number;
}

interface Session {
  readonly graph: Graph;
  readonly outputs: readonly Sized[];
  readonly memory: GraphMemory;
  readonly cost: GraphCost;
  /** Bytes of its outputs that are held. */
  live: number;
  /** The most bytes that its outputs and a run took together: what stays claimed, see `keepsMemory`. */
  claimed: number;
}

type Sized = Pick<Value, "shape" | "dtype">;

/** A value, and the session that computed it; null if it was uploaded. */
interface Held {
  readonly value: Sized;
  readonly maker: Session | null;
}

/** What a graph takes; it is opened again by each plan that it is a part of. */
const known = new WeakMap<Graph, { readonly memory: GraphMemory; readonly cost: GraphCost }>();

function needsOf(graph: Graph) {
  const needs = known.get(graph) ?? { memory: memoryOf(graph), cost: costOf(graph) };
  known.set(graph, needs);
  return needs;
}

interface SimulatedOptions {
  /**
   * Whether each graph keeps the memory that it has once claimed, and its outputs are copies, as in ONNX Runtime; otherwise what is freed serves
   * all others, and outputs stay where they are.
   */
  readonly keepsMemory?: boolean;
  /** Whether weights of blocks wait on the host until their block's turn comes; there are so many buffers for them. 0: they do not. */
  readonly blockBuffers?: number;
}

/** A device that computes nothing: it counts what a runtime would hold and do. All numbers that are read from it are zero. */
export function createSimulatedDevice(options: SimulatedOptions = {}): SimulatedDevice {
  return new SimulatedDevice(options);
}

class SimulatedDevice implements Device {
  readonly #sessions = new Map<number, Session>();
  readonly #values = new Map<number, Held>();
  /** Bytes by range of a file. */
  readonly #files = new Map<string, number>();
  readonly #ran = new Set<Graph>();
  /** The same of blocks that wait on the host, by block. */
  readonly #blocks = new Map<string, Map<string, number>>();
  readonly #keepsMemory: boolean;
  readonly #blockBuffers: number;
  #ids = 0;
  /** Bytes of the uploaded values, and of the constants of all open graphs. */
  #uploaded = 0;
  #constants = 0;
  #peak = 0;
  #largest = 0;
  #cost = noCost;
  #operations = 0;

  constructor({ keepsMemory = true, blockBuffers = 0 }: SimulatedOptions) {
    this.#keepsMemory = keepsMemory;
    this.#blockBuffers = blockBuffers;
  }

  upload({ shape, dtype }: Sized): number {
    const id = this.#hold({ shape, dtype }, null);
    this.#updatePeak(0);
    return id;
  }

  zeros(shape: Shape): number {
    return this.upload({ shape, dtype: "float32" });
  }

  open(graph: Graph, listener?: OpenListener): number {
    const id = this.#ids++;
    const { memory, cost: ownCost } = needsOf(graph);
    const copiedBytes = copiedBytesOf(graph, this.#blockBuffers);
    const cost = { ...ownCost, copiedBytes };
    const session = { graph, outputs: outputsOf(graph), memory, cost, live: 0, claimed: 0 };
    this.#sessions.set(id, session);
    this.#constants += memory.constants;
    this.#operations += graph.nodes.length;
    this.#largest = Math.max(this.#largest, memory.largest);
    for (const { bytes } of graph.initializers)
      if (!(bytes instanceof Uint8Array)) this.#ranges(bytes.block).set(`${bytes.path}@${bytes.offset}`, bytes.length);
    listener?.onOpened(0);
    return id;
  }

  run(id: number, feeds: readonly Feed[]): number[] {
    const session = found(this.#sessions, id);
    this.#ran.add(session.graph);
    this.#cost = addCosts(this.#cost, session.cost);
    const copied = this.#keepsMemory ? session.outputs.reduce((sum, value) => sum + byteSize(value), 0) : 0;
    const needed = session.live + session.memory.peak + copied;
    session.claimed = this.#keepsMemory ? Math.max(session.claimed, needed) : needed;
    this.#updatePeak(feeds.reduce<number>((sum, feed) => sum + (typeof feed === "number" ? 0 : byteSize(feed)), 0));
    const outputs = session.outputs.map((value) => this.#hold(value, session));
    if (!this.#keepsMemory) session.claimed = session.live;
    return outputs;
  }

  async read(id: number): Promise<HostTensor> {
    const { shape, dtype } = found(this.#values, id).value;
    return { shape, dtype, data: new Float32Array(sizeOf(shape)) } as HostTensor;
  }

  free(id: number): void {
    const { value, maker } = found(this.#values, id);
    if (maker === null) this.#uploaded -= byteSize(value);
    else {
      maker.live -= byteSize(value);
      if (!this.#keepsMemory) maker.claimed = maker.live;
    }
    this.#values.delete(id);
  }

  close(id: number): void {
    this.#constants -= found(this.#sessions, id).memory.constants;
    this.#sessions.delete(id);
  }

  usage(): Usage {
    return {
      held: [...this.#values.values()].reduce((sum, { value }) => sum + byteSize(value), 0),
      peak: this.#peak,
      largest: this.#largest,
      files: sum(this.#files) + this.#bufferBytes(),
      cost: this.#cost,
      operations: this.#operations,
    };
  }

  /** What the buffers take that blocks come to: no more buffers than there are blocks. */
  #bufferBytes(): number {
    const sizes = [...this.#blocks.values()].map(sum);
    return Math.min(this.#blockBuffers, sizes.length) * Math.max(0, ...sizes);
  }

  /** The graphs that ran since `resetRuns`, each once, in the order of their first runs. */
  graphs(): readonly Graph[] {
    return [...this.#ran];
  }

  /** Starts `usage().cost` at zero again, and `graphs()` with none. */
  resetRuns(): void {
    this.#ran.clear();
    this.#cost = noCost;
  }

  /** Where the ranges of a block are counted; undefined for those outside of blocks. */
  #ranges(block: string | undefined): Map<string, number> {
    if (block === undefined || this.#blockBuffers === 0) return this.#files;
    const known = this.#blocks.get(block) ?? new Map<string, number>();
    this.#blocks.set(block, known);
    return known;
  }

  #hold(value: Sized, maker: Session | null): number {
    const id = this.#ids++;
    this.#values.set(id, { value, maker });
    if (maker === null) this.#uploaded += byteSize(value);
    else maker.live += byteSize(value);
    return id;
  }

  /** @param fed bytes of the values that are sent along with a run */
  #updatePeak(fed: number): void {
    const claimed = [...this.#sessions.values()].reduce((sum, session) => sum + session.claimed, 0);
    this.#peak = Math.max(this.#peak, this.#uploaded + fed + this.#constants + claimed);
  }
}

const sum = (sizes: ReadonlyMap<string, number>): number => [...sizes.values()].reduce((a, b) => a + b, 0);

/** Bytes of weights that a run of the graph brings to the device: a block each time that it is not in its buffer. */
function copiedBytesOf(graph: Graph, buffers: number): number {
  if (buffers === 0) return 0;
  const sizes = new Map<string, number>();
  const blockOf = new Map<string, string>();
  for (const { name, bytes } of graph.initializers) {
    if (bytes instanceof Uint8Array || bytes.block === undefined) continue;
    blockOf.set(name, bytes.block);
    sizes.set(bytes.block, (sizes.get(bytes.block) ?? 0) + bytes.length);
  }
  const order = [...sizes.keys()];
  const held = new Map<number, string>();
  let copied = 0;
  for (const { inputs } of executionOrder(graph)) {
    for (const block of new Set(inputs.flatMap((name) => blockOf.get(name) ?? []))) {
      const buffer = order.indexOf(block) % buffers;
      if (held.get(buffer) === block) continue;
      held.set(buffer, block);
      copied += sizes.get(block) ?? 0;
    }
  }
  return copied;
}

function found<Key, T>(known: ReadonlyMap<Key, T>, id: Key): T {
  const value = known.get(id);
  if (value === undefined) throw new Error("a value is used that does not exist, or was freed already");
  return value;
}

function outputsOf({ inputs, initializers, nodes, outputs }: Graph): Sized[] {
  const wanted = new Set(outputs);
  const made = [...inputs, ...initializers, ...nodes.flatMap((node) => node.outputs)];
  const byName = new Map(made.filter(({ name }) => wanted.has(name)).map((value) => [value.name, value]));
  return outputs.map((name) => found(byName, name));
}
