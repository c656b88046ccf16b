import type { HostTensor, Shape, DType, Tensor } from "../../contract.ts";
import { gradientsOf } from "../autodiff.ts";
import { checkpoint, type Checkpointed } from "../checkpoint.ts";
import type { StoredTensor } from "../../graph/stored-tensor.ts";
import type { ComputingOps } from "../ops.ts";
import type { Tf, TfTensor } from "../../graph/record/tfjs-types.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { BACKEND, type Recorder } from "../../graph/record/backend.ts";
import { GraphBuilder } from "../../graph/record/builder.ts";
import { DeviceTensor } from "./tensor.ts";
import { placeOfCall } from "../../places.ts";
import { takesNumbers, type Argument, type OpName, type Place, type Trace } from "./trace.ts";

/** The tools of every recording. */
export interface Studio {
  readonly tf: Tf;
  readonly recorder: Recorder;
  readonly ops: ComputingOps;
}

/** A graph in the making: operations on tensors from outside become its nodes. */
export class Take {
  /** What each input of the graph is fed with. */
  readonly places: Place[] = [];
  readonly #studio: Studio;
  readonly #trace: Trace;
  readonly #fed: ReadonlySet<number>;
  readonly #graph = new GraphBuilder();
  readonly #leaves = new Map<DeviceTensor, TfTensor>();
  readonly #symbols: TfTensor[] = [];
  readonly #inputs = new Map<string, Tensor>();

  /** @param fed numbers by their index in the trace that become inputs of the graph, since they change from run to run */
  constructor(studio: Studio, trace: Trace, fed: ReadonlySet<number>) {
    this.#studio = studio;
    this.#trace = trace;
    this.#fed = fed;
  }

  /** Records what `body` does, and gives what it returns. Symbolic tensors do not outlive it. */
  run<T>(body: () => T): T {
    const { tf, recorder } = this.#studio;
    if (tf.getBackend() !== BACKEND) void tf.setBackend(BACKEND);
    recorder.begin(this.#graph);
    const results: T[] = [];
    try {
      tf.tidy(() => {
        results.push(body());
      });
      return results[0] as T;
    } finally {
      for (const tensor of this.#symbols) tensor.dispose();
    }
  }

  /** A call of the function, which the trace has just described; the first of its numbers is the trace's `firstNumber`-th. */
  call(op: OpName, args: readonly Argument[], firstNumber: number): Tensor {
    if (op === "constant") return this.#host(args[0] as HostTensor);
    if (op === "input") {
      const made = this.#host(args[1] as HostTensor);
      this.#inputs.set(args[0] as string, made);
      return made;
    }
    let index = firstNumber;
    const operands = args.map((x) => {
      if (typeof x !== "number" || !takesNumbers.has(op)) return x;
      const place: Place = { kind: "number", index: index++ };
      return this.#fed.has(place.index) ? this.#symbol(place, [], "float32") : x;
    });
    const result = this.compute(op, operands as readonly Argument[]);
    // A result that is an operand needs a name of its own.
    return this.#trace.has(result) ? (this.#studio.tf.clone(result as never) as Tensor) : result;
  }

  /** A call on the way back, of which the trace knows nothing: it follows from the way forth. */
  compute(op: OpName, args: readonly Argument[]): Tensor {
    if (op === "input") return this.#again(args[0] as string);
    if (op === "constant") return this.#constant(args[0] as HostTensor);
    const f = this.#studio.ops[op as keyof ComputingOps] as unknown as (...args: unknown[]) => Tensor;
    const operands = args.map((x) => this.#toTf(x));
    this.#graph.place = placeOfCall();
    try {
      return f(...operands);
    } finally {
      // What follows may be a gradient, of which nobody says where it belongs.
      this.#graph.place = null;
    }
  }

  /** Gradients of the scalar that `forward` gives by each parameter, null where it does not depend on one. */
  gradients(forward: () => Tensor, parameters: readonly DeviceTensor[]): (Value | null)[] {
    const { tf, recorder } = this.#studio;
    const symbols = parameters.map((x) => this.#leaf(x));
    const { grads } = gradientsOf(tf, () => forward() as unknown as TfTensor, symbols);
    return parameters.map((_, i) => {
      const gradient = grads[i];
      return gradient === undefined ? null : recorder.valueOf(gradient);
    });
  }

  /** The graph computes `f` twice: on the way forth, and again on the way back. */
  checkpoint(f: (given: readonly Tensor[]) => Tensor, { inputs, constants, parameters }: Checkpointed<Tensor>): Tensor {
    const toTf = (list: readonly Tensor[]) => list.map((x) => this.#toTf(x) as TfTensor);
    let isForth = true;
    // On the way forth the trace knows the tensors as they were given.
    const run = (again: readonly TfTensor[]): TfTensor => {
      const given = isForth ? [...inputs, ...constants] : (again as unknown as readonly Tensor[]);
      isForth = false;
      return f(given) as unknown as TfTensor;
    };
    const symbols = { inputs: toTf(inputs), constants: toTf(constants), parameters: toTf(parameters) };
    return checkpoint(this.#studio.tf, run, symbols) as Tensor;
  }

  valueOf(x: Tensor): Value {
    return this.#studio.recorder.valueOf(this.#toTf(x) as TfTensor);
  }

  finish(outputs: readonly Value[]): Graph {
    return this.#graph.finish(outputs);
  }

  #toTf(x: Argument): unknown {
    if (Array.isArray(x)) return x.map((item: Argument) => this.#toTf(item));
    return x instanceof DeviceTensor ? this.#leaf(x) : x;
  }

  #leaf(x: DeviceTensor): TfTensor {
    const known = this.#leaves.get(x);
    if (known !== undefined) return known;
    const index = this.#trace.indexOf(x);
    const made = x.stored === null ? this.#symbol({ kind: "leaf", index }, x.shape, x.dtype) : this.#stored(x.stored);
    this.#leaves.set(x, made);
    return made;
  }

  /** What `input` gave under this name on the way forth. */
  #again(name: string): Tensor {
    const known = this.#inputs.get(name);
    if (known === undefined) throw new Error(`a step asks for ${name} on the way back that it did not ask for before`);
    return known;
  }

  #constant({ data, shape, dtype }: HostTensor): Tensor {
    return this.#studio.recorder.tensorOf(this.#graph.constant(data, shape, dtype)) as Tensor;
  }

  #host({ shape, dtype }: HostTensor): Tensor {
    const index = this.#trace.hosts.length - 1;
    return this.#symbol({ kind: "host", index }, shape, dtype) as Tensor;
  }

  #symbol(place: Place, shape: Shape, dtype: DType): TfTensor {
    this.places.push(place);
    return this.#keep(this.#graph.input(shape, dtype));
  }

  #stored(stored: StoredTensor): TfTensor {
    return this.#keep(this.#graph.stored(stored));
  }

  #keep(value: Value): TfTensor {
    const { tf, recorder } = this.#studio;
    const tensor = tf.keep(recorder.tensorOf(value));
    this.#symbols.push(tensor);
    return tensor;
  }
}
