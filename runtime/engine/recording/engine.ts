import { writeSync } from "node:fs";
import { totalmem } from "node:os";
import type { Ops, Tensor } from "../../contract.ts";
import type { Finding } from "../../findings.ts";
import type { Graph, Node } from "../../graph/graph.ts";
import { recordingBackendOf } from "../../graph/record/backend.ts";
import { registerKernels } from "../../graph/record/kernels.ts";
import type { Tf } from "../../graph/record/tfjs-types.ts";
import type { Provider } from "../onnx/provider.ts";
import type { Differentiated, Engine, EngineEvent, EngineName, Precision } from "../engine.ts";
import { recordedOps } from "./recorded-ops.ts";
import type { Argument, OpName, OpResult } from "./call-log.ts";
import { CallScope, runCheckpoint } from "./call-scope.ts";
import type { Device, DeviceFault } from "./device.ts";
import { DeviceTensor } from "./device-tensor.ts";
import { LiveTensors } from "./live-tensors.ts";
import { Recordings } from "./recordings.ts";
import { openSavedRecordings, type SavedRecordings } from "./saved-recordings.ts";

/** What differs between engines that record: what runs the graphs, and how it is used. */
export interface Executor {
  readonly name: EngineName;
  readonly device: Device;
  /** Tells apart, in the scope of saved recordings, executors whose graphs differ. */
  readonly target: string;
  /** What the graphs compute the model in; float32 if not given. */
  readonly precision?: Precision;
  readonly provider?: Provider;
  /** Whether the device is an NVIDIA GPU; false if not given. */
  readonly isGpu?: boolean;
  /** Whether weights can wait on the host until they are needed; false if not given. */
  readonly canOffload?: boolean;
  /** Prepares a recorded graph for the device. */
  readonly optimize: (graph: Graph) => Graph;
  /** Turns an error of the device into one for the user. `nodesOf` gives the nodes of an open graph, null if it is unknown. */
  explain(error: unknown, nodesOf: (session: number) => readonly Node[] | null): unknown;
  /** Turns what ends the process into a finding; only executors have it whose device has `onFault`. */
  explainFault?(fault: DeviceFault): Finding;
}

export interface RecordingOptions {
  /**
   * Bytes that all recordings may claim; above it those that have not been used for the longest time are closed. Default: half of the
   * machine's memory.
   */
  readonly mostBytes?: number;
  /** Where recordings are saved for later processes; null, the default: nowhere. */
  readonly folder?: string | null;
  /** Those of earlier engines of this process, which had the same executor; new ones are saved there as well. */
  readonly saved?: SavedRecordings;
}

/**
 * An engine that records. A function given to `tidy` or `differentiate` runs once on symbols, with tfjs's autodiff, which leaves a
 * graph for the device. When the function runs again, its calls are only compared with the recorded ones and answered with shapes; as
 * long as they are the same, the graph runs with the new values. Nothing waits for the device except `read`.
 *
 * Functions must be pure: one that makes a call that was not recorded is run again.
 */
export function createRecordingEngine(tf: Tf, executor: Executor, options: RecordingOptions = {}): Engine {
  const { mostBytes = totalmem() / 2, folder = null } = options;
  const { name, device, target, precision, provider, isGpu } = executor;
  // Notes from before anybody listens are kept for whoever will.
  const early: EngineEvent[] = [];
  let listener = (event: EngineEvent): void => {
    if (event.type === "note") early.push(event);
  };
  const tools = { tf, backend: recordingBackendOf(tf, registerKernels), ops: recordedOps(tf) };
  const [scope, tensors] = [new CallScope(), new LiveTensors(device)];
  const recordings = new Recordings(
    { tools, device, scope, tensors, optimize: executor.optimize, tell: (event) => listener(event) },
    mostBytes,
  );
  if (options.saved !== undefined) recordings.useSaved(options.saved);
  const { call, tidy, differentiate } = functionsOf(recordings, scope);
  const ops = [...Object.keys(tools.ops), "input", "constant"] as OpName[];
  const readId = (id: number) =>
    device.read(id).catch((error: unknown) => {
      throw executor.explain(error, (session) => recordings.nodesOf(session));
    });

  return {
    name,
    ...(precision === undefined ? {} : { precision }),
    ...(provider === undefined ? {} : { provider }),
    ...(isGpu === undefined ? {} : { isGpu }),
    ops: Object.fromEntries(ops.map((op) => [op, (...args: Argument[]) => call(op, args)])) as unknown as Ops,
    keep: (value) => tensors.onDevice(device.upload(value), value),
    zeros: (shape) => tensors.onDevice(device.zeros(shape), { shape, dtype: "float32" }),
    map: (stored) => tensors.inFile(stored),
    async read(x) {
      if (!(x instanceof DeviceTensor) || x.stored === null) return readId(tensors.idOf(x));
      const copy = call("stopGradient", [x]) as Tensor;
      const value = await readId(tensors.idOf(copy));
      tensors.dispose(copy);
      return value;
    },
    dispose(...disposed) {
      for (const x of disposed) tensors.dispose(x);
    },
    tidy,
    differentiate,
    checkpoint: (f, given) => (scope.handler?.checkpoint ?? runCheckpoint)(f, given),
    remember(savedScope) {
      if (folder === null) return;
      const note = (message: string) => listener({ type: "note", message });
      recordings.useSaved(openSavedRecordings(folder, `${target}\n${tf.version_core}\n${savedScope}`, note));
    },
    watch: (next) => {
      listener = next;
      for (const event of early.splice(0)) next(event);
    },
    ...(executor.canOffload === true ? { offload: (isOn: boolean) => device.offload?.(isOn) } : {}),
    ...faultsOf(executor),
    memory: () => tensors.memory(),
    flops: () => recordings.flops,
  };
}

function faultsOf({ device, explainFault }: Executor): Pick<Engine, "onFault"> {
  if (device.onFault === undefined || explainFault === undefined) return {};
  let listener: ((finding: Finding) => void) | null = null;
  device.onFault((fault) => (listener ?? print)(explainFault(fault)));
  return { onFault: (next) => void (listener = next) };
}

function print({ code, message, help = "" }: Finding): void {
  writeSync(2, `error ${code}: ${message}\n  help: ${help}\n`);
}

/** The functions of an engine that run as graphs; a single operation outside of them is a graph of its own. */
function functionsOf(recordings: Recordings, scope: CallScope) {
  const tidy = <T>(f: () => T): T =>
    scope.handler === null ? recordings.run({ kind: "tidy", parameters: [], body: f }).result : f();
  const call = (op: OpName, args: readonly Argument[]): OpResult =>
    scope.handler === null ? tidy(() => call(op, args)) : scope.handler.call(op, args);
  const differentiate = <Outputs extends Readonly<Record<string, Tensor>>>(
    body: () => { loss: Tensor; outputs: Outputs },
    parameters: readonly Tensor[],
  ): Differentiated<Outputs> => {
    const { result, gradients } = recordings.run<ReturnType<typeof body>>({
      kind: "differentiate",
      parameters: parameters as DeviceTensor[],
      body,
      loss: ({ loss }) => loss,
    });
    return { ...result, gradients };
  };
  return { call, tidy, differentiate };
}
