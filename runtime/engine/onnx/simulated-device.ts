import type { HostTensor } from "../../contract.ts";
import { addCosts, costOf, noCost, type GraphCost } from "./cost.ts";
import type { Device } from "./device.ts";
import { byteSize, sizeOf, type Graph, type Value } from "./graph.ts";
import { memoryOf, type GraphMemory } from "./memory.ts";
import type { Feed } from "./protocol.ts";

/** What was asked of a simulated device so far. */
export interface Usage {
  /** Bytes of the values that it holds. */
  readonly held: number;
  /** The most bytes at any time: values held, constants of graphs, and what a running graph makes. */
  readonly peak: number;
  /** Bytes of weights that graphs read in their files. */
  readonly files: number;
  /** Bytes of the graphs themselves, with their constants. */
  readonly graphs: number;
  readonly cost: GraphCost;
}

export interface SimulatedDevice extends Device {
  usage(): Usage;
  /** Counts cost and peak anew. */
  reset(): void;
}

interface Session {
  readonly outputs: readonly Sized[];
  readonly memory: GraphMemory;
  readonly cost: GraphCost;
}

type Sized = Pick<Value, "shape" | "dtype">;

/** A device that computes nothing and keeps the books: what a real one would hold and do. Every number in it is zero. */
export function createSimulatedDevice(): SimulatedDevice {
  const sessions = new Map<number, Session>();
  const values = new Map<number, Sized>();
  const files = new Map<string, number>();
  let numbers = 0;
  let [held, graphs, peak, cost] = [0, 0, 0, noCost];
  const hold = (value: Sized): number => {
    const id = numbers++;
    values.set(id, value);
    held += byteSize(value);
    return id;
  };
  const note = (making: number) => {
    peak = Math.max(peak, held + graphs + making);
  };
  const sizeOfFeed = (feed: Feed) => (typeof feed === "number" ? 0 : byteSize(feed));

  return {
    upload: ({ shape, dtype }) => {
      const id = hold({ shape, dtype });
      note(0);
      return id;
    },
    open(graph) {
      const id = numbers++;
      const session = { outputs: outputsOf(graph), memory: memoryOf(graph), cost: costOf(graph) };
      sessions.set(id, session);
      graphs += session.memory.constants;
      for (const { bytes } of graph.initializers)
        if (!(bytes instanceof Uint8Array)) files.set(`${bytes.path}@${bytes.offset}`, bytes.length);
      return id;
    },
    run(number, feeds) {
      const { outputs, memory, cost: own } = found(sessions, number);
      cost = addCosts(cost, own);
      note(memory.peak + feeds.reduce<number>((sum, feed) => sum + sizeOfFeed(feed), 0));
      return outputs.map(hold);
    },
    read: async (id): Promise<HostTensor> => {
      const { shape, dtype } = found(values, id);
      const data = new Float32Array(sizeOf(shape));
      return { shape, dtype, data } as HostTensor;
    },
    free(id) {
      held -= byteSize(found(values, id));
      values.delete(id);
    },
    close(number) {
      graphs -= found(sessions, number).memory.constants;
      sessions.delete(number);
    },
    usage: () => ({ held, peak, files: [...files.values()].reduce((a, b) => a + b, 0), graphs, cost }),
    reset() {
      [peak, cost] = [held + graphs, noCost];
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
