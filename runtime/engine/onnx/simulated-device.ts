import type { HostTensor } from "../../contract.ts";
import { addCosts, costOf, noCost, type GraphCost } from "../../graph/cost.ts";
import type { Device } from "./device.ts";
import { byteSize, sizeOf, type Graph, type Value } from "../../graph/graph.ts";
import { memoryOf, type GraphMemory } from "../../graph/memory.ts";

/** What was asked of a simulated device so far. */
export interface Usage {
  /** Bytes of the values that it holds. */
  readonly held: number;
  /** The most bytes at any time: values sent to it, constants of graphs, and for each graph the most that it ever made. */
  readonly peak: number;
  /** Bytes of weights that graphs read in their files. */
  readonly files: number;
  /** Bytes of the graphs themselves, with their constants. */
  readonly graphs: number;
  readonly cost: GraphCost;
}

interface SimulatedDevice extends Device {
  usage(): Usage;
  /** The graphs that ran since `resetRuns`, each once, in the order of their first runs. */
  graphs(): readonly Graph[];
  /** Starts `usage().cost` at zero again, and `graphs()` with none. */
  resetRuns(): void;
}

interface Session {
  readonly graph: Graph;
  readonly outputs: readonly Sized[];
  /** Bytes of its outputs that are held. */
  live: number;
  /** The most that its outputs and a run took together: what its allocator has claimed, it keeps. */
  claimed: number;
  readonly memory: GraphMemory;
  readonly cost: GraphCost;
}

type Sized = Pick<Value, "shape" | "dtype">;

/** A value, and the graph that made it; null if it was sent. */
interface Held {
  readonly value: Sized;
  readonly maker: Session | null;
}

/** A device that computes nothing and keeps the books: what a real one would hold and do. Every number in it is zero. */
export function createSimulatedDevice(): SimulatedDevice {
  const sessions = new Map<number, Session>();
  const values = new Map<number, Held>();
  const files = new Map<string, number>();
  let numbers = 0;
  const ran = new Set<Graph>();
  let [sent, graphs, peak, cost] = [0, 0, 0, noCost];
  const sum = (of: (session: Session) => number) => [...sessions.values()].reduce((total, x) => total + of(x), 0);
  const note = (fed: number) => {
    peak = Math.max(peak, sent + fed + graphs + sum(({ claimed }) => claimed));
  };
  const hold = (value: Sized, maker: Session | null): number => {
    const id = numbers++;
    values.set(id, { value, maker });
    if (maker === null) sent += byteSize(value);
    else maker.live += byteSize(value);
    return id;
  };

  return {
    upload: ({ shape, dtype }) => {
      const id = hold({ shape, dtype }, null);
      note(0);
      return id;
    },
    open(graph) {
      const id = numbers++;
      const memory = memoryOf(graph);
      sessions.set(id, { graph, outputs: outputsOf(graph), memory, cost: costOf(graph), live: 0, claimed: 0 });
      graphs += memory.constants;
      for (const { bytes } of graph.initializers)
        if (!(bytes instanceof Uint8Array)) files.set(`${bytes.path}@${bytes.offset}`, bytes.length);
      return id;
    },
    run(number, feeds) {
      const session = found(sessions, number);
      ran.add(session.graph);
      cost = addCosts(cost, session.cost);
      session.claimed = Math.max(session.claimed, session.live + session.memory.peak);
      note(feeds.reduce<number>((total, feed) => total + (typeof feed === "number" ? 0 : byteSize(feed)), 0));
      return session.outputs.map((value) => hold(value, session));
    },
    read: async (id): Promise<HostTensor> => {
      const { shape, dtype } = found(values, id).value;
      const data = new Float32Array(sizeOf(shape));
      return { shape, dtype, data } as HostTensor;
    },
    free(id) {
      const { value, maker } = found(values, id);
      if (maker === null) sent -= byteSize(value);
      else maker.live -= byteSize(value);
      values.delete(id);
    },
    close(number) {
      graphs -= found(sessions, number).memory.constants;
      sessions.delete(number);
    },
    usage: () => ({
      held: [...values.values()].reduce((total, { value }) => total + byteSize(value), 0),
      peak,
      files: [...files.values()].reduce((a, b) => a + b, 0),
      graphs,
      cost,
    }),
    graphs: () => [...ran],
    resetRuns() {
      ran.clear();
      cost = noCost;
    },
  };
}

function found<Key, T>(known: ReadonlyMap<Key, T>, id: Key): T {
  const value = known.get(id);
  if (value === undefined) throw new Error("a value is used that was never made or is freed already");
  return value;
}

function outputsOf({ inputs, initializers, nodes, outputs }: Graph): Sized[] {
  const wanted = new Set(outputs);
  const made = [...inputs, ...initializers, ...nodes.flatMap((node) => node.outputs)];
  const byName = new Map(made.filter(({ name }) => wanted.has(name)).map((value) => [value.name, value]));
  return outputs.map((name) => found(byName, name));
}
