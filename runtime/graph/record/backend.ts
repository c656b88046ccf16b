import type { DataId, TensorInfo } from "@tensorflow/tfjs";
import type { DType, HostTensor, Shape } from "../../contract.ts";
import type { Value } from "../graph.ts";
import type { Tf, TfTensor } from "./tfjs-types.ts";
import type { GraphBuilder } from "./builder.ts";

type Elements = HostTensor["data"];

/** What tfjs calls the backend. */
export const BACKEND = "recorder";

interface Entry {
  refCount: number;
  /** The place in the graph; of host numbers none until they are used. */
  value: Value | null;
  readonly host: { readonly data: Elements; readonly shape: Shape; readonly dtype: DType } | null;
}

/**
 * A backend of tfjs whose kernels do not compute: they append to a graph. Its tensors have a shape and a type and no numbers.
 * tfjs's own autodiff runs on them as on any others, so the graph of a step comes out with its gradients.
 */
export interface Recorder {
  /** Records into this graph from now on. */
  begin(builder: GraphBuilder): void;
  readonly graph: GraphBuilder;
  /** What a tensor is in the graph. */
  valueOf(x: TensorInfo): Value;
  /** A new tensor for a place in the graph, as kernels return it. */
  infoOf(value: Value): TensorInfo;
  /** The same as a tensor for tfjs's operations. */
  tensorOf(value: Value): TfTensor;
  /** The same value as another tensor, as kernels that change nothing return it. */
  again(x: TensorInfo): TensorInfo;
}

/** tfjs knows one backend of a name, so all engines of a tfjs share it; they record by turns. */
const recorders = new WeakMap<Tf, Recorder>();

/** The backend, which tfjs is told of the first time. `register` adds its kernels. */
export function recorderOf(tf: Tf, register: (tf: Tf, recorder: Recorder) => void): Recorder {
  const known = recorders.get(tf);
  if (known !== undefined) return known;
  const recorder = createRecorder(tf);
  register(tf, recorder);
  recorders.set(tf, recorder);
  return recorder;
}

function createRecorder(tf: Tf): Recorder {
  const entries = new Map<DataId, Entry>();
  let builder: GraphBuilder | null = null;
  const graph = () => {
    if (builder === null) throw new Error("nothing is being recorded");
    return builder;
  };
  const entryOf = (id: DataId) => {
    const entry = entries.get(id);
    if (entry === undefined) throw new Error("a tensor of an earlier recording, or one that was disposed of, is used");
    return entry;
  };
  const add = (entry: Omit<Entry, "refCount">): DataId => {
    const id = {};
    entries.set(id, { ...entry, refCount: 1 });
    return id;
  };
  const infoOf = ({ shape, dtype, ...value }: Value): TensorInfo => ({
    dataId: add({ value: { ...value, shape, dtype }, host: null }),
    shape: [...shape],
    dtype: dtype as DType,
  });
  const release = (id: DataId, force = false): boolean => {
    const entry = entries.get(id);
    if (entry !== undefined && !force && --entry.refCount > 0) return false;
    entries.delete(id);
    return true;
  };

  /** What tfjs demands of a backend, beside kernels. */
  class RecorderBackend extends tf.KernelBackend {
    override write(data: Elements, shape: number[], dtype: DType): DataId {
      return add({ value: null, host: { data, shape, dtype } });
    }
    override move(id: DataId, data: Elements, shape: number[], dtype: DType, refCount: number): void {
      entries.set(id, { refCount, value: null, host: { data, shape, dtype } });
    }
    override readSync(id: object): Elements {
      const { host } = entryOf(id);
      if (host === null) throw new Error("a step must not read values back: what it does may not depend on them");
      return host.data;
    }
    override read(id: object): Promise<Elements> {
      return Promise.resolve(this.readSync(id));
    }
    override disposeData(id: object, force?: boolean): boolean {
      return release(id, force);
    }
    override refCount(id: DataId): number {
      return entries.get(id)?.refCount ?? 0;
    }
    override incRef(id: DataId): void {
      entryOf(id).refCount++;
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
  tf.registerBackend(BACKEND, () => new RecorderBackend(), 0);

  return {
    begin: (next) => {
      builder = next;
    },
    get graph() {
      return graph();
    },
    valueOf(x) {
      const entry = entryOf(x.dataId);
      const { host } = entry;
      if (host !== null) entry.value ??= graph().constant(host.data, host.shape, host.dtype);
      if (entry.value === null) throw new Error("a tensor without a place in the graph");
      return graph().reshape(entry.value, x.shape);
    },
    infoOf,
    tensorOf: (value) => tf.engine().makeTensorFromTensorInfo(infoOf(value)) as TfTensor,
    again({ dataId, shape, dtype }) {
      entryOf(dataId).refCount++;
      return { dataId, shape, dtype };
    },
  };
}
