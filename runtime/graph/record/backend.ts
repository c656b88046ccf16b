import type { DataId, TensorInfo } from "@tensorflow/tfjs";
import type { DType, HostTensor, Shape } from "../../contract.ts";
import type { Value } from "../graph.ts";
import type { Tf, TfTensor } from "./tfjs-types.ts";
import type { GraphBuilder } from "./builder.ts";

type Elements = HostTensor["data"];

/** What tfjs calls the backend. */
export const BACKEND = "recorder";

/** What a tensor of the backend stands for. */
interface Entry {
  refCount: number;
  /** A value of the graph; null for host numbers that were not used yet. */
  value: Value | null;
  readonly host: { readonly data: Elements; readonly shape: Shape; readonly dtype: DType } | null;
}

/**
 * A backend of tfjs whose kernels do not compute: they append nodes to a graph. Its tensors have a shape and a type, but no numbers.
 * tfjs's own autodiff runs on them as on any others, so the graph of a step includes its gradients.
 */
export interface RecordingBackend {
  /** Makes the kernels append to this graph from now on. */
  begin(builder: GraphBuilder): void;
  readonly graph: GraphBuilder;
  /** The value of the graph that a tensor stands for. */
  valueOf(x: TensorInfo): Value;
  /** A new tensor for a value of the graph, in the form that kernels return. */
  infoOf(value: Value): TensorInfo;
  /** A new tensor for a value of the graph, in the form that tfjs's operations take. */
  tensorOf(value: Value): TfTensor;
  /** Another tensor for the same value, which a kernel returns when its result is one of its inputs. */
  again(x: TensorInfo): TensorInfo;
}

/** Engines with the same tfjs share one backend, since tfjs has one backend per name. They never record at the same time. */
const backends = new WeakMap<Tf, RecordingBackend>();

/** The recording backend of a tfjs. The first call registers it there, and `register` its kernels. */
export function recordingBackendOf(tf: Tf, register: (tf: Tf, backend: RecordingBackend) => void): RecordingBackend {
  const known = backends.get(tf);
  if (known !== undefined) return known;
  const backend = createBackend(tf);
  register(tf, backend);
  backends.set(tf, backend);
  return backend;
}

function createBackend(tf: Tf): RecordingBackend {
  const entries = new Entries();
  registerBackend(tf, entries);
  let builder: GraphBuilder | null = null;
  const graph = () => {
    if (builder === null) throw new Error("nothing is being recorded");
    return builder;
  };
  const infoOf = ({ shape, dtype, ...value }: Value): TensorInfo => ({
    dataId: entries.add({ value: { ...value, shape, dtype }, host: null }),
    shape: [...shape],
    dtype: dtype as DType,
  });
  return {
    begin: (next) => {
      builder = next;
    },
    get graph() {
      return graph();
    },
    valueOf(x) {
      const entry = entries.get(x.dataId);
      const { host } = entry;
      if (host !== null) entry.value ??= graph().constant(host.data, host.shape, host.dtype);
      if (entry.value === null) throw new Error("a tensor stands for no value of the graph");
      return graph().reshape(entry.value, x.shape);
    },
    infoOf,
    tensorOf: (value) => tf.engine().makeTensorFromTensorInfo(infoOf(value)) as TfTensor,
    again({ dataId, shape, dtype }) {
      entries.get(dataId).refCount++;
      return { dataId, shape, dtype };
    },
  };
}

/** The data of all tensors of the backend; tfjs counts how many tensors share it. */
class Entries {
  readonly #entries = new Map<DataId, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  get(id: DataId): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error("a tensor of an earlier recording, or one that was disposed of, is used");
    return entry;
  }

  add(entry: Omit<Entry, "refCount">): DataId {
    const id = {};
    this.set(id, { ...entry, refCount: 1 });
    return id;
  }

  set(id: DataId, entry: Entry): void {
    this.#entries.set(id, entry);
  }

  refCount(id: DataId): number {
    return this.#entries.get(id)?.refCount ?? 0;
  }

  /** Whether the entry is gone now. */
  release(id: DataId, force: boolean): boolean {
    const entry = this.#entries.get(id);
    if (entry !== undefined && !force && --entry.refCount > 0) return false;
    this.#entries.delete(id);
    return true;
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** Registers what tfjs demands of a backend besides its kernels. */
function registerBackend(tf: Tf, entries: Entries): void {
  class Backend extends tf.KernelBackend {
    override write(data: Elements, shape: number[], dtype: DType): DataId {
      return entries.add({ value: null, host: { data, shape, dtype } });
    }
    override move(id: DataId, data: Elements, shape: number[], dtype: DType, refCount: number): void {
      entries.set(id, { refCount, value: null, host: { data, shape, dtype } });
    }
    override readSync(id: object): Elements {
      const { host } = entries.get(id);
      if (host === null) throw new Error("a step must not read values back: what it does may not depend on them");
      return host.data;
    }
    override read(id: object): Promise<Elements> {
      return Promise.resolve(this.readSync(id));
    }
    override disposeData(id: object, force = false): boolean {
      return entries.release(id, force);
    }
    override refCount(id: DataId): number {
      return entries.refCount(id);
    }
    override incRef(id: DataId): void {
      entries.get(id).refCount++;
    }
    override numDataIds(): number {
      return entries.size;
    }
    override memory() {
      return { unreliable: true, reasons: [] };
    }
    override floatPrecision(): 16 | 32 {
      return 32;
    }
    override epsilon(): number {
      return 1e-7;
    }
    override timerAvailable(): boolean {
      return false;
    }
    override dispose(): void {
      entries.clear();
    }
  }
  tf.registerBackend(BACKEND, () => new Backend(), 0);
}
