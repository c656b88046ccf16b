import type { HostTensor, Ops, Tensor } from "../contract.ts";
import { gradientsOf } from "./autodiff.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Differentiated, Engine, EngineName } from "./engine.ts";
import { convolveInLoops } from "./convolution-in-loops.ts";
import { computingOps, type ComputingOps } from "./ops.ts";
import type { Tf, TfOps, TfTensor } from "../graph/record/tfjs-types.ts";

/**
 * An engine over one backend of tfjs, which must be initialised. tfjs has one current backend per process, so every call selects the
 * engine's own first; several engines can then be used in turns.
 */
export function createTfjsEngine(tf: Tf, name: EngineName, backend: string, isGpu = false): Engine {
  const select = () => {
    // Takes effect at once, since the backend is initialised; the returned promise tells nothing new.
    if (tf.getBackend() !== backend) void tf.setBackend(backend);
  };
  return {
    name,
    isGpu,
    ops: createOps(tf, select, name === "cpu" ? { convolve: convolveInLoops(tf) } : {}),
    keep: (value) => {
      select();
      return tf.keep(upload(tf, value)) as Tensor;
    },
    zeros: (shape) => {
      select();
      return tf.keep(tf.zeros([...shape])) as Tensor;
    },
    read: (x) => readBack(x as TfTensor),
    dispose: (...tensors) => tensors.forEach((x) => (x as TfTensor | null)?.dispose()),
    tidy: <T>(f: () => T): T => {
      select();
      return tf.tidy(f as () => never) as T;
    },
    differentiate: (forward, parameters) => {
      select();
      return differentiate(tf, forward, parameters);
    },
    checkpoint: (f, given) => {
      select();
      return checkpoint(tf, f as unknown as (given: readonly TfTensor[]) => TfTensor, given as never) as Tensor;
    },
    memory: () => ({ tensors: tf.memory().numTensors, bytes: tf.memory().numBytes }),
  };
}

/** `own` are operations for which the backend has something faster. */
function createOps(tf: Tf, select: () => void, own: Partial<ComputingOps>): Ops {
  const ops: TfOps = {
    ...computingOps(tf, own),
    input: (_name, value) => upload(tf, value),
    constant: (value) => upload(tf, value),
  };
  const wrap =
    (f: (...args: never[]) => TfTensor | TfTensor[]) =>
    (...args: never[]) => {
      select();
      return f(...args);
    };
  return Object.fromEntries(Object.entries(ops).map(([key, f]) => [key, wrap(f)])) as unknown as Ops;
}

/** Copies the values, since some backends keep reading the caller's array. */
function upload(tf: Tf, { data, shape, dtype }: HostTensor): TfTensor {
  return tf.tensor(data.slice(), [...shape], dtype);
}

async function readBack(x: TfTensor): Promise<HostTensor> {
  const data = await x.data<"float32" | "int32" | "bool">();
  // A copy, since the cpu backend returns its own array.
  return { shape: x.shape, dtype: x.dtype as HostTensor["dtype"], data: data.slice() };
}

function differentiate<Outputs extends Readonly<Record<string, Tensor>>>(
  tf: Tf,
  forward: () => { loss: Tensor; outputs: Outputs },
  parameters: readonly Tensor[],
): Differentiated<Outputs> {
  const survive = (x: TfTensor) => tf.keep(tf.clone(x));
  let kept: [string, TfTensor][] = [];
  const run = () => {
    const { loss, outputs } = forward();
    kept = Object.entries(outputs).map(([key, x]) => [key, survive(x as TfTensor)]);
    return loss as TfTensor;
  };
  return tf.tidy(() => {
    const { value, grads } = gradientsOf(tf, run, parameters as readonly TfTensor[]);
    return {
      loss: survive(value) as Tensor,
      outputs: Object.fromEntries(kept) as unknown as Outputs,
      gradients: grads.map((x) => (x === undefined ? null : (survive(x) as Tensor))),
    } as never;
  });
}
