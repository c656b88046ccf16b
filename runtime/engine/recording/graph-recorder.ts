import type { HostTensor, Shape, DType, Tensor } from "../../contract.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { BACKEND, type RecordingBackend } from "../../graph/record/backend.ts";
import { GraphBuilder } from "../../graph/record/builder.ts";
import { runComposite } from "../../graph/record/kernels.ts";
import type { Tf, TfTensor } from "../../graph/record/tfjs-types.ts";
import type { StoredTensor } from "../../graph/stored-tensor.ts";
import { callSite } from "../../call-site.ts";
import { gradientsOf } from "../autodiff.ts";
import { checkpoint } from "../checkpoint.ts";
import type { Checkpointed } from "../engine.ts";
import type { ComputingOps } from "../ops.ts";
import { takesNumbers, type Argument, type CallLog, type OpName, type OpResult } from "./call-log.ts";
import { DeviceTensor } from "./device-tensor.ts";
import type { InputSource } from "./recording.ts";

/** What every recording uses. */
export interface RecordingTools {
  readonly tf: Tf;
  readonly backend: RecordingBackend;
  readonly ops: ComputingOps;
}

/**
 * Records one function as a graph. Operations run on symbols, tfjs tensors that stand for values of the graph; device tensors become
 * symbols on their first use.
 */
export class GraphRecorder {
  /** What feeds each input of the graph. */
  readonly inputs: InputSource[] = [];
  readonly #tools: RecordingTools;
  readonly #log: CallLog;
  readonly #fed: ReadonlySet<number>;
  readonly #graph = new GraphBuilder();
  readonly #outer = new Map<DeviceTensor, TfTensor>();
  readonly #symbols: TfTensor[] = [];
  /** Results of the operation `input`, by its name. */
  readonly #named = new Map<string, Tensor>();

  /** @param fed the numbers, by their index in the log, that become inputs of the graph */
  constructor(tools: RecordingTools, log: CallLog, fed: ReadonlySet<number>) {
    this.#tools = tools;
    this.#log = log;
    this.#fed = fed;
  }

  /** Records the operations that `body` calls, and returns its result. The symbols are disposed afterwards. */
  run<T>(body: () => T): T {
    const { tf, backend } = this.#tools;
    if (tf.getBackend() !== BACKEND) void tf.setBackend(BACKEND);
    backend.begin(this.#graph);
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

  /**
   * Records a call of the forward pass, which the log has just described.
   * @param firstNumber where the numbers of the call begin in the log
   */
  call(op: OpName, args: readonly Argument[], firstNumber: number): OpResult {
    if (op === "constant") return this.#host(args[0] as HostTensor);
    if (op === "input") {
      const made = this.#host(args[1] as HostTensor);
      this.#named.set(args[0] as string, made);
      return made;
    }
    let index = firstNumber;
    const operands = args.map((x) => {
      if (typeof x !== "number" || !takesNumbers.has(op)) return x;
      const source: InputSource = { kind: "number", index: index++ };
      return this.#fed.has(source.index) ? this.#symbol(source, [], "float32") : x;
    });
    const result = this.compute(op, operands as readonly Argument[]);
    // The log names a result: one that is an operand of the call has a name already, so it is copied.
    const isNamed = !Array.isArray(result) && this.#log.has(result);
    return isNamed ? (this.#tools.tf.clone(result as never) as Tensor) : result;
  }

  /** Records an operation. Calls of the backward pass come here directly: they follow from the forward pass, so they are not logged. */
  compute(op: OpName, args: readonly Argument[]): OpResult {
    if (op === "input") return this.#inputNamed(args[0] as string);
    if (op === "constant") return this.#constant(args[0] as HostTensor);
    const f = this.#tools.ops[op as keyof ComputingOps] as unknown as (...args: unknown[]) => OpResult;
    const operands = args.map((x) => this.#toTf(x));
    this.#graph.origin = callSite();
    try {
      return f(...operands);
    } finally {
      // The nodes that follow may compute gradients, whose origin is not known.
      this.#graph.origin = null;
    }
  }

  /** Differentiates the scalar that `forward` returns by each parameter; null where it does not depend on one. */
  gradients(forward: () => Tensor, parameters: readonly DeviceTensor[]): (Value | null)[] {
    const { tf, backend } = this.#tools;
    const symbols = parameters.map((x) => this.#symbolOf(x));
    const { grads } = gradientsOf(tf, () => forward() as unknown as TfTensor, symbols);
    return parameters.map((_, i) => {
      const gradient = grads[i];
      return gradient === undefined ? null : backend.valueOf(gradient);
    });
  }

  /** Records `f` twice: in the forward pass, and again in the backward pass. */
  checkpoint(f: (given: readonly Tensor[]) => Tensor, { inputs, constants, parameters }: Checkpointed<Tensor>): Tensor {
    const toTf = (list: readonly Tensor[]) => list.map((x) => this.#toTf(x) as TfTensor);
    let isForward = true;
    const run = (symbols: readonly TfTensor[]): TfTensor => {
      // In the forward pass `f` gets the caller's own tensors, which the log knows.
      const given = isForward ? [...inputs, ...constants] : (symbols as unknown as readonly Tensor[]);
      isForward = false;
      return f(given) as unknown as TfTensor;
    };
    const symbols = { inputs: toTf(inputs), constants: toTf(constants), parameters: toTf(parameters) };
    const { tf } = this.#tools;
    const after = (x: TfTensor, other: TfTensor) => runComposite(tf, "After", [x, other])[0] as TfTensor;
    return checkpoint(tf, run, symbols, after) as Tensor;
  }

  valueOf(x: Tensor): Value {
    return this.#tools.backend.valueOf(this.#toTf(x) as TfTensor);
  }

  /** The recorded graph. */
  finish(outputs: readonly Value[]): Graph {
    return this.#graph.finish(outputs);
  }

  #toTf(x: Argument): unknown {
    if (Array.isArray(x)) return x.map((item: Argument) => this.#toTf(item));
    return x instanceof DeviceTensor ? this.#symbolOf(x) : x;
  }

  #symbolOf(x: DeviceTensor): TfTensor {
    const known = this.#outer.get(x);
    if (known !== undefined) return known;
    const index = this.#log.indexOf(x);
    const made = x.stored === null ? this.#symbol({ kind: "tensor", index }, x.shape, x.dtype) : this.#stored(x.stored);
    this.#outer.set(x, made);
    return made;
  }

  /** What `input` returned under this name in the forward pass. */
  #inputNamed(name: string): Tensor {
    const known = this.#named.get(name);
    if (known === undefined)
      throw new Error(`the backward pass reads the input ${name}, which the forward pass did not`);
    return known;
  }

  #constant({ data, shape, dtype }: HostTensor): Tensor {
    return this.#tools.backend.tensorOf(this.#graph.constant(data, shape, dtype)) as Tensor;
  }

  /** A symbol for the value of the call that was described last. */
  #host({ shape, dtype }: HostTensor): Tensor {
    const index = this.#log.hosts.length - 1;
    return this.#symbol({ kind: "host", index }, shape, dtype) as Tensor;
  }

  #symbol(source: InputSource, shape: Shape, dtype: DType): TfTensor {
    this.inputs.push(source);
    return this.#keep(this.#graph.input(shape, dtype));
  }

  #stored(stored: StoredTensor): TfTensor {
    return this.#keep(this.#graph.stored(stored));
  }

  #keep(value: Value): TfTensor {
    const { tf, backend } = this.#tools;
    const tensor = tf.keep(backend.tensorOf(value));
    this.#symbols.push(tensor);
    return tensor;
  }
}
