import type { Tensor } from "../../contract.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { modelFlops } from "../../graph/model-flops.ts";
import { CallLog, type Argument, type OpName, type OpResult } from "./call-log.ts";
import { checkpointKey, type CallHandler, type CallScope } from "./call-scope.ts";
import { GraphRecorder, type RecordingTools } from "./graph-recorder.ts";
import type { Call, Recording, TensorType } from "./recording.ts";
import { outputsIn, returnKey, startKey, type Task } from "./task.ts";

/** A function that was just recorded; nothing of it has run yet. */
interface RecordedFunction<T> {
  readonly log: CallLog;
  readonly result: T;
  readonly calls: readonly Call[];
  readonly recording: Recording;
  readonly graph: Graph;
}

/** Stands as the result of calls that return no tensor. */
const noTensor: TensorType = { shape: [], dtype: "float32" };

/**
 * Runs a function once, on symbols, and turns its calls and their gradients into a graph.
 * @param fed the numbers, by their index in the log, that become inputs of the graph; all others become constants
 */
export function recordFunction<T>(
  task: Task<T>,
  tools: RecordingTools,
  fed: ReadonlySet<number>,
  scope: CallScope,
): RecordedFunction<T> {
  const log = new CallLog();
  const recorder = new GraphRecorder(tools, log, fed);
  const handler = new CallRecorder(log, recorder);
  handler.add(startKey(task, log));
  const { result, outputs, hasGradient, graph } = recorder.run(() =>
    scope.within(handler, () => {
      const passes = runPasses(task, handler, recorder);
      const all = [...passes.values, ...passes.gradients.filter((x) => x !== null)];
      const hasGradient = passes.gradients.map((x) => x !== null);
      return { result: passes.result, outputs: all, hasGradient, graph: recorder.finish(all) };
    }),
  );
  handler.add(returnKey(result, log));
  const recording: Recording = {
    inputs: recorder.inputs,
    numbers: log.numbers.map((x, i) => (fed.has(i) ? null : x)),
    outputs: outputs.map(({ shape, dtype }) => ({ shape, dtype: dtype as Tensor["dtype"] })),
    hasGradient,
    flops: modelFlops(graph),
  };
  return { log, result, calls: handler.calls, recording, graph };
}

/** Records the calls of the forward pass. Those of the backward pass follow from them, so they become nodes alone. */
class CallRecorder implements CallHandler {
  readonly calls: Call[] = [];
  readonly log: CallLog;
  readonly #recorder: GraphRecorder;
  #isForward = true;

  constructor(log: CallLog, recorder: GraphRecorder) {
    this.log = log;
    this.#recorder = recorder;
  }

  add(key: string, results: readonly TensorType[] = []): void {
    const [{ shape, dtype } = noTensor, ...others] = results.map(({ shape, dtype }) => ({ shape, dtype }));
    this.calls.push({ key, shape, dtype, ...(others.length === 0 ? {} : { others }) });
  }

  endForward(): void {
    this.#isForward = false;
  }

  call(op: OpName, args: readonly Argument[]): OpResult {
    if (!this.#isForward) return this.#recorder.compute(op, args);
    const firstNumber = this.log.numbers.length;
    const key = this.log.describe(op, args);
    const result = this.#recorder.call(op, args, firstNumber);
    const results = Array.isArray(result) ? (result as Tensor[]) : [result as Tensor];
    for (const x of results) this.log.name(x);
    this.add(key, results);
    return result;
  }

  checkpoint: CallHandler["checkpoint"] = (f, given) => {
    this.add(checkpointKey);
    return this.#recorder.checkpoint(f, given);
  };
}

interface ForwardPass<T> {
  readonly result: T;
  /** The outputs among the result's tensors. */
  readonly values: readonly Value[];
}

/** The forward pass, and the backward pass if there is a loss. */
function runPasses<T>(
  task: Task<T>,
  handler: CallRecorder,
  recorder: GraphRecorder,
): ForwardPass<T> & { readonly gradients: readonly (Value | null)[] } {
  const { loss, parameters } = task;
  const forward = (): ForwardPass<T> => {
    const result = task.body();
    handler.endForward();
    return { result, values: outputsIn(task, result, handler.log).map((x) => recorder.valueOf(x)) };
  };
  if (loss === undefined) return { ...forward(), gradients: [] };
  const passes: ForwardPass<T>[] = [];
  const differentiated = () => {
    const pass = forward();
    passes.push(pass);
    return loss(pass.result);
  };
  const gradients = recorder.gradients(differentiated, parameters);
  return { ...(passes[0] as ForwardPass<T>), gradients };
}
