import type { HostTensor, Tensor } from "../../contract.ts";
import type { Graph, Node } from "../../graph/graph.ts";
import { memoryOf } from "../../graph/memory.ts";
import { createLru } from "../../lru.ts";
import type { EngineEvent } from "../engine.ts";
import type { CallLog } from "./call-log.ts";
import type { CallScope } from "./call-scope.ts";
import { fitsRun } from "./check-recording.ts";
import { lastNodeOf, type CallTree, type CallTreeNode } from "./call-tree.ts";
import type { Device } from "./device.ts";
import { mapTensors, type DeviceTensor } from "./device-tensor.ts";
import type { RecordingTools } from "./graph-recorder.ts";
import type { LiveTensors } from "./live-tensors.ts";
import { matchCalls } from "./match-calls.ts";
import { recordFunction } from "./record-function.ts";
import { changedNumbers, fedNumbers } from "./recording.ts";
import type { Call, InputSource, OpenRecording, Recording } from "./recording.ts";
import type { SavedRecordings } from "./saved-recordings.ts";
import { isOutput, type Outcome, type Task } from "./task.ts";

/** What recordings need of the engine that they belong to. */
interface RecordingContext {
  readonly tools: RecordingTools;
  readonly device: Device;
  readonly scope: CallScope;
  readonly tensors: LiveTensors;
  /** Prepares a recorded graph for the device. */
  optimize(graph: Graph): Graph;
  tell(event: EngineEvent): void;
}

/** A run of a function: its calls, and its result with tensors that have no value yet. */
interface FunctionRun<T> {
  readonly log: CallLog;
  readonly result: T;
}

/** Runs functions as graphs, and keeps the graphs for the next runs. */
export class Recordings {
  readonly #context: RecordingContext;
  readonly #tree: CallTree = new Map();
  /** The nodes of each open graph, to find out which one failed. */
  readonly #nodes = new Map<number, readonly Node[]>();
  readonly #recentlyUsed;
  #saved: SavedRecordings | null = null;
  #flops = 0;

  /** @param mostBytes memory that all open graphs may claim; above it those that have not been used for the longest time are closed */
  constructor(context: RecordingContext, mostBytes: number) {
    this.#context = context;
    this.#recentlyUsed = createLru<CallTreeNode>(mostBytes, (node) => this.#close(node));
  }

  /** Runs the recording that fits the function. If there is none, the function is recorded first. */
  run<T>(task: Task<T>): Outcome<T> {
    const { scope } = this.#context;
    const match = matchCalls(task, this.#tree, scope);
    const known = match?.node.recording ?? match?.node.saved?.recording ?? null;
    if (match === null || known === null) return this.#record(task, []);
    const changed = changedNumbers(known, match.log.numbers);
    // A number that changed once may change again: it becomes an input of the graph.
    if (changed.length > 0) return this.#record(task, [...fedNumbers(known), ...changed]);
    const recording = match.node.recording ?? this.#openSaved(match.node, task, match.log);
    if (recording === null) return this.#record(task, []);
    this.#recentlyUsed.used(match.node);
    return this.#play(task, recording, match);
  }

  /** Uses the recordings of earlier processes, and saves new ones with them. */
  useSaved(saved: SavedRecordings): void {
    this.#saved = saved;
    for (const found of saved.all) {
      const node = lastNodeOf(this.#tree, found.calls);
      if (node.recording === null) node.saved = found;
    }
  }

  /** Floating-point operations of the matrix products of all runs so far. */
  get flops(): number {
    return this.#flops;
  }

  /** The nodes of an open graph, null if it is unknown. */
  nodesOf(session: number): readonly Node[] | null {
    return this.#nodes.get(session) ?? null;
  }

  #record<T>(task: Task<T>, fed: readonly number[]): Outcome<T> {
    const { tools, scope, optimize, tell } = this.#context;
    tell({ type: "recording" });
    const began = performance.now();
    const recorded = recordFunction(task, tools, new Set(fed), scope);
    const { calls, recording } = recorded;
    const graph = optimize(recorded.graph);
    const opened = this.#open(lastNodeOf(this.#tree, calls), recording, graph, { began, newCalls: calls });
    return this.#play(task, opened, recorded);
  }

  /** Opens the recording of an earlier process; null if its graph can not be read, or does not fit this run of the function. */
  #openSaved(node: CallTreeNode, task: Task<unknown>, log: CallLog): OpenRecording | null {
    const began = performance.now();
    const { saved } = node;
    const graph = saved?.graph() ?? null;
    node.saved = null;
    if (saved === null || graph === null) return null;
    if (!fitsRun(saved.recording, graph, log, task.parameters.length)) {
      const message = "a saved recording does not fit this model and strategy; it is recorded anew";
      this.#context.tell({ type: "note", message });
      return null;
    }
    return this.#open(node, saved.recording, graph, { began, newCalls: null });
  }

  /**
   * Opens a recording and closes the one that the node had before.
   * @param newCalls the calls of a new recording, which is saved; null for a recording that was saved before
   */
  #open(
    node: CallTreeNode,
    recording: Recording,
    graph: Graph,
    { began, newCalls }: { readonly began: number; readonly newCalls: readonly Call[] | null },
  ): OpenRecording {
    const { device, tell } = this.#context;
    this.#recentlyUsed.remove(node);
    this.#close(node);
    const operations = graph.nodes.length;
    const recordSeconds = (performance.now() - began) / 1000;
    const session = device.open(graph, {
      onOpened: (startSeconds) => {
        tell({ type: "recorded", operations, isKept: newCalls === null, recordSeconds, startSeconds });
        if (newCalls !== null) this.#saved?.save(newCalls, recording, graph);
      },
      onPlaced: (onCpu) => tell({ type: "placed", operations, onCpu }),
    });
    const opened = { session, ...recording };
    this.#nodes.set(session, graph.nodes);
    node.recording = opened;
    node.saved = null;
    const { peak, constants } = memoryOf(graph);
    this.#recentlyUsed.add(node, peak + constants);
    this.#recentlyUsed.trim();
    return opened;
  }

  #close(node: CallTreeNode): void {
    if (node.recording === null) return;
    const { session } = node.recording;
    this.#context.device.close(session);
    this.#nodes.delete(session);
    node.recording = null;
  }

  /** Runs the graph, and puts its outputs into the result. */
  #play<T>(task: Task<T>, recording: OpenRecording, { log, result }: FunctionRun<T>): Outcome<T> {
    const { device, tensors } = this.#context;
    const feeds = recording.inputs.map((source) => this.#feedOf(source, log));
    this.#flops += recording.flops;
    const ids = device.run(recording.session, feeds, recording.outputs.length);
    const outputs = ids.map((id, i) => tensors.onDevice(id, recording.outputs[i] as Tensor)).values();
    const nextOutput = () => outputs.next().value as DeviceTensor;
    return {
      result: mapTensors(
        result,
        (x) => log.has(x),
        (x) => (isOutput(task, x) ? nextOutput() : x),
      ) as T,
      gradients: recording.hasGradient.map((has) => (has ? nextOutput() : null)),
    };
  }

  #feedOf({ kind, index }: InputSource, log: CallLog): number | HostTensor {
    if (kind === "tensor") return this.#context.tensors.idOf(log.tensors[index]);
    if (kind === "host") return log.hosts[index] as HostTensor;
    return { shape: [], dtype: "float32", data: Float32Array.of(log.numbers[index] ?? NaN) };
  }
}
