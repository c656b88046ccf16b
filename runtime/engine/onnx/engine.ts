import { totalmem } from "node:os";
import type { HostTensor, Ops, Tensor } from "../../contract.ts";
import type { Differentiated, Engine, EngineEvent } from "../engine.ts";
import { computingOps } from "../ops.ts";
import type { Tf } from "../../graph/record/tfjs-types.ts";
import type { Device } from "./device.ts";
import { explainFailure } from "./failure.ts";
import type { Graph, Node } from "../../graph/graph.ts";
import { openKeptRecordings, type KeptRecordings, type Portable } from "./kept-recordings.ts";
import { memoryOf } from "../../graph/memory.ts";
import type { Provider } from "./provider.ts";
import { optimize } from "../../graph/passes/index.ts";
import { recorderOf } from "../../graph/record/backend.ts";
import { registerKernels } from "../../graph/record/kernels.ts";
import { createShelf } from "../../shelf.ts";
import { Take, type Studio } from "./recording.ts";
import { bytesOf, DeviceTensor, mapTensors } from "./tensor.ts";
import {
  changedNumbers,
  endOf,
  Trace,
  type Argument,
  type Branch,
  type Branches,
  type Call,
  type OpName,
  type Place,
  type Recording,
} from "./trace.ts";

/** A function to run as one graph. */
interface Task<T> {
  readonly kind: "tidy" | "differentiate";
  readonly parameters: readonly DeviceTensor[];
  /** Calls operations; every tensor in the result is an output. */
  body(): T;
  /** The scalar of the result that is differentiated. */
  loss?(result: T): Tensor;
}

interface Outcome<T> {
  readonly result: T;
  readonly gradients: (DeviceTensor | null)[];
}

/** Answers the operations while a function runs. */
interface Scope {
  call(op: OpName, args: readonly Argument[]): Tensor;
  readonly checkpoint: Engine["checkpoint"];
}

/** Where nothing is differentiated, or what is differentiated is known already. */
const justRun: Engine["checkpoint"] = (f, { inputs, constants }) => f([...inputs, ...constants]);

/** What a call gives that gives no tensor. */
const nothing: Branch["result"] = { shape: [], dtype: "float32" };

/** Stands in the way through the recordings, for with it the graph is another one. */
const CHECKPOINT = "checkpoint";

interface OnnxOptions {
  /** Of the memory that recordings claim together; beyond it those that were not used for longest are given up. Half of the machine's. */
  readonly mostBytes?: number;
  /** The device's. */
  readonly provider?: Provider;
  /** Where recordings are kept from run to run; null or left away: nowhere. */
  readonly folder?: string | null;
}

/** Leaves a function that asks for something not recorded. */
const diverged = Symbol("diverged");

/**
 * An engine that records. A function given to `tidy` or `differentiate` runs once on symbols, with tfjs's autodiff, and leaves a
 * graph, which ONNX Runtime runs on a thread of its own. From then on the function is only listened to: as long as it asks for what
 * it asked for before, it gets shapes for answers, and the graph runs with the new values. Nothing waits but `read`.
 *
 * Functions must be pure, since they run again when they ask for something new.
 */
export function createOnnxEngine(tf: Tf, device: Device, options: OnnxOptions = {}): Engine {
  const { mostBytes = totalmem() / 2, provider = "cpu", folder = null } = options;
  const recorder = recorderOf(tf, registerKernels);
  const studio: Studio = { tf, recorder, ops: computingOps(tf) };
  const recordings: Branches = new Map();
  /** Of open graphs, to tell which part of them failed. */
  const nodes = new Map<number, readonly Node[]>();
  const close = ({ session }: Recording) => {
    device.close(session);
    nodes.delete(session);
  };
  const shelf = createShelf<Branch>(mostBytes, (branch) => {
    if (branch.recording !== null) close(branch.recording);
    branch.recording = null;
  });
  const alive = new Set<DeviceTensor>();
  let tell: (event: EngineEvent) => void = () => {};
  let kept: KeptRecordings | null = null;
  let scope: Scope | null = null;

  const keep = (id: number, { shape, dtype }: Pick<Tensor, "shape" | "dtype">): DeviceTensor => {
    const tensor = new DeviceTensor(id, shape, dtype);
    alive.add(tensor);
    return tensor;
  };
  const within = <T>(next: Scope, f: () => T): T => {
    scope = next;
    try {
      return f();
    } finally {
      scope = null;
    }
  };

  function run<T>(task: Task<T>): Outcome<T> {
    const fed = new Set<number>();
    return listen(task, fed) ?? recordTask(task, fed);
  }

  /** Runs the recording that fits the function; null if there is none, or one in which more numbers must be `fed`. */
  function listen<T>(task: Task<T>, fed: Set<number>): Outcome<T> | null {
    const trace = new Trace();
    let branch = recordings.get(start(task, trace));
    if (branch === undefined) return null;
    const go = (key: string): Branch => {
      branch = branch?.next.get(key);
      if (branch === undefined) throw diverged;
      return branch;
    };
    const answer = (op: OpName, args: readonly Argument[]): Tensor => {
      const ghost = { ...go(trace.describe(op, args)).result };
      trace.name(ghost);
      return ghost;
    };
    let result: T;
    try {
      result = within({ call: answer, checkpoint: (f, given) => (go(CHECKPOINT), justRun(f, given)) }, () =>
        task.body(),
      );
    } catch (error) {
      if (error === diverged) return null;
      throw error;
    }
    const last = branch.next.get(end(result, trace));
    const known = last?.recording ?? last?.kept?.recording ?? null;
    if (last === undefined || known === null) return null;
    const changed = changedNumbers(known, trace.numbers);
    if (changed.length === 0) {
      const recording = last.recording ?? takeKept(last);
      if (recording === null) return null;
      shelf.used(last);
      return play(task, recording, trace, result);
    }
    known.numbers.forEach((x, i) => {
      if (x === null) fed.add(i);
    });
    for (const index of changed) fed.add(index);
    return null;
  }

  /** Makes the recording and runs it. */
  function recordTask<T>(task: Task<T>, fed: ReadonlySet<number>): Outcome<T> {
    tell({ type: "recording" });
    const began = performance.now();
    const trace = new Trace();
    const take = new Take(studio, trace, fed);
    const way: Call[] = [{ key: start(task, trace), ...nothing }];
    let isForth = true;
    const answer = (op: OpName, args: readonly Argument[]): Tensor => {
      if (!isForth) return take.compute(op, args);
      const firstNumber = trace.numbers.length;
      const key = trace.describe(op, args);
      const made = take.call(op, args, firstNumber);
      trace.name(made);
      way.push({ key, shape: made.shape, dtype: made.dtype });
      return made;
    };
    const checkpoint: Engine["checkpoint"] = (f, given) => {
      way.push({ key: CHECKPOINT, ...nothing });
      return take.checkpoint(f, given);
    };
    const { result, outputs, hasGradient, graph } = take.run(() =>
      within({ call: answer, checkpoint }, () => {
        const forth = () => {
          const made = task.body();
          isForth = false;
          return { made, values: outputsIn(task, made, trace).map((x) => take.valueOf(x)) };
        };
        const { made, values, gradients } = backAndForth(take, task, forth);
        const kept = gradients.filter((x) => x !== null);
        const all = [...values, ...kept];
        return { result: made, outputs: all, hasGradient: gradients.map((x) => x !== null), graph: take.finish(all) };
      }),
    );
    way.push({ key: end(result, trace), ...nothing });
    const portable = {
      places: take.places,
      numbers: trace.numbers.map((x, i) => (fed.has(i) ? null : x)),
      outputs: outputs.map(({ shape, dtype }) => ({ shape, dtype: dtype as Tensor["dtype"] })),
      hasGradient,
    };
    const optimized = optimize(graph, { isWebGpu: provider === "webgpu" });
    const recording = prepare(endOf(recordings, way), portable, optimized, { began, way });
    return play(task, recording, trace, result);
  }

  /** Opens the session of a recording, in place of the one that the branch had; `way` if it is to be kept, null if it was. */
  function prepare(
    branch: Branch,
    portable: Portable,
    graph: Graph,
    { began, way }: { readonly began: number; readonly way: readonly Call[] | null },
  ): Recording {
    if (branch.recording !== null) close(branch.recording);
    shelf.remove(branch);
    const operations = graph.nodes.length;
    const recordSeconds = (performance.now() - began) / 1000;
    const session = device.open(graph, {
      onOpened(startSeconds) {
        tell({ type: "recorded", operations, isKept: way === null, recordSeconds, startSeconds });
        if (way !== null) kept?.keep(way, portable, graph);
      },
      onPlaced: (onCpu) => tell({ type: "placed", operations, onCpu }),
    });
    nodes.set(session, graph.nodes);
    branch.recording = { session, ...portable };
    branch.kept = null;
    const { peak, constants } = memoryOf(graph);
    shelf.add(branch, peak + constants);
    shelf.trim();
    return branch.recording;
  }

  /** Goes on with what an earlier run recorded; null where that can not be read. */
  function takeKept(branch: Branch): Recording | null {
    const began = performance.now();
    const { kept: found } = branch;
    const graph = found?.graph() ?? null;
    branch.kept = null;
    if (found === null || graph === null) return null;
    return prepare(branch, found.recording, graph, { began, way: null });
  }

  function play<T>(task: Task<T>, recording: Recording, trace: Trace, result: T): Outcome<T> {
    const feedOf = ({ kind, index }: Place): number | HostTensor => {
      if (kind === "leaf") return idOf(trace.leaves[index]);
      if (kind === "host") return trace.hosts[index] as HostTensor;
      return { shape: [], dtype: "float32", data: Float32Array.of(trace.numbers[index] ?? NaN) };
    };
    const ids = device.run(recording.session, recording.places.map(feedOf), recording.outputs.length);
    const made = ids.map((id, i) => keep(id, recording.outputs[i] as Tensor));
    const next = made.values();
    const take = () => next.next().value as DeviceTensor;
    return {
      result: mapTensors(
        result,
        (x) => trace.has(x),
        (x) => (isOutput(task, x) ? take() : x),
      ) as T,
      gradients: recording.hasGradient.map((has) => (has ? take() : null)),
    };
  }

  const readValue = async (id: number): Promise<HostTensor> => {
    try {
      return await device.read(id);
    } catch (error) {
      throw explainFailure(error, (session) => nodes.get(session) ?? null);
    }
  };
  const forget = (x: Tensor | null): void => {
    if (x instanceof DeviceTensor && alive.delete(x) && x.stored === null) device.free(x.id);
  };
  const idOf = (x: Tensor | undefined): number => {
    if (!(x instanceof DeviceTensor) || !alive.has(x)) throw new Error("a tensor is used that was disposed of");
    return x.id;
  };
  const tidy = <T>(f: () => T): T => (scope === null ? run({ kind: "tidy", parameters: [], body: f }).result : f());
  const call = (op: OpName, args: readonly Argument[]): Tensor =>
    scope === null ? tidy(() => call(op, args)) : scope.call(op, args);
  const names = [...Object.keys(studio.ops), "input", "constant"] as OpName[];

  return {
    name: "onnx",
    ops: Object.fromEntries(names.map((op) => [op, (...args: Argument[]) => call(op, args)])) as unknown as Ops,
    keep: (value) => keep(device.upload(value), value),
    map: (stored) => {
      const tensor = new DeviceTensor(NaN, stored.shape, "float32", stored);
      alive.add(tensor);
      return tensor;
    },
    async read(x) {
      if (!(x instanceof DeviceTensor) || x.stored === null) return readValue(idOf(x));
      const copy = call("stopGradient", [x]) as DeviceTensor;
      const value = await readValue(idOf(copy));
      forget(copy);
      return value;
    },
    dispose(...tensors) {
      for (const x of tensors) forget(x);
    },
    tidy,
    differentiate<Outputs extends Readonly<Record<string, Tensor>>>(
      body: () => { loss: Tensor; outputs: Outputs },
      parameters: readonly Tensor[],
    ): Differentiated<Outputs> {
      const { result, gradients } = run({
        kind: "differentiate",
        parameters: parameters as DeviceTensor[],
        body,
        loss: ({ loss }) => loss,
      });
      return { ...result, gradients };
    },
    checkpoint: (f, given) => (scope?.checkpoint ?? justRun)(f, given),
    remember(scope) {
      if (folder === null) return;
      kept = openKeptRecordings(folder, `${provider}\n${tf.version_core}\n${scope}`);
      for (const found of kept.all) {
        const last = endOf(recordings, found.way);
        if (last.recording === null) last.kept = found;
      }
    },
    watch: (listener) => {
      tell = listener;
    },
    memory: () => ({ tensors: alive.size, bytes: [...alive].reduce((sum, x) => sum + bytesOf(x), 0) }),
  };
}

/** The way forth, and back from its loss if there is one. */
function backAndForth<T, V>(take: Take, { loss, parameters }: Task<T>, forth: () => { made: T; values: V }) {
  if (loss === undefined) return { ...forth(), gradients: [] };
  const results: { made: T; values: V }[] = [];
  const run = () => {
    const result = forth();
    results.push(result);
    return loss(result.made);
  };
  const gradients = take.gradients(run, parameters);
  return { ...(results[0] as { made: T; values: V }), gradients };
}

function start({ kind, parameters }: Task<unknown>, trace: Trace): string {
  return `${kind}(${parameters.map((x) => trace.nameOf(x)).join()})`;
}

function end(result: unknown, trace: Trace): string {
  const names: string[] = [];
  mapTensors(
    result,
    (x) => trace.has(x),
    (x) => names.push(trace.nameOf(x)),
  );
  return `return ${names.join()}`;
}

/** What goes through a tidy is the caller's still; what was differentiated is handed out anew. */
function isOutput({ kind }: Task<unknown>, x: Tensor): boolean {
  return kind === "differentiate" || !(x instanceof DeviceTensor);
}

/** The outputs among the result's tensors, in the order in which they are handed out. */
function outputsIn(task: Task<unknown>, result: unknown, trace: Trace): Tensor[] {
  const tensors: Tensor[] = [];
  mapTensors(
    result,
    (x) => trace.has(x),
    (x) => (isOutput(task, x) ? tensors.push(x) : null),
  );
  return tensors;
}
