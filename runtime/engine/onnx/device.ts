import { Worker } from "node:worker_threads";
import type { HostTensor } from "../../contract.ts";
import type { Graph } from "../../graph/graph.ts";
import { encodeModel } from "./encode-model.ts";
import { BUSY, STOPPED, type Feed, type Reply, type Request, type ThreadData } from "./protocol.ts";
import type { ProviderOptions } from "./session-options.ts";

/**
 * The thread that computes. Requests are carried out one after the other, in their order; nothing waits but `read`. What goes wrong
 * with a request is said to whoever reads a value that came of it.
 */
export interface Device {
  upload(value: HostTensor): number;
  /** Prepares a graph. */
  open(graph: Graph, listener?: OpenListener): number;
  /** Runs it: one feed per input; gives the numbers of its outputs. */
  run(session: number, feeds: readonly Feed[], outputs: number): number[];
  read(id: number): Promise<HostTensor>;
  free(id: number): void;
  close(session: number): void;
}

/** Is told what becomes of a graph. */
interface OpenListener {
  /** It can run, so many seconds after it was asked for. */
  onOpened(seconds: number): void;
  /** It has run, so many of its operations on the CPU, by operator, although another provider was asked for. */
  onPlaced(onCpu: Readonly<Record<string, number>>): void;
}

/** Why a value could not be made, in the runtime's words. */
export class DeviceError extends Error {
  /** The graph that failed; null where it was none. */
  readonly session: number | null;

  constructor(message: string, session: number | null) {
    super(message);
    this.session = session;
  }
}

interface Waiting {
  readonly resolve: (value: HostTensor) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the thread. Errors: rejects with what ONNX Runtime says where it does not load, or has no such provider here. */
export async function startDevice(options: ProviderOptions = { provider: "cpu" }): Promise<Device> {
  // ONNX Runtime would report processes and models to its makers. Said here, because threads can not change the environment.
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const worker = startThread({ ...options, flags });
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<number, OpenListener>();
  await started(worker);
  process.on("exit", () => stop(flags));
  let numbers = 0;
  let freed: number[] = [];
  const post = (request: Request, transfer: ArrayBuffer[] = []) => {
    if (freed.length > 0) worker.postMessage({ type: "free", ids: freed } satisfies Request);
    freed = [];
    worker.postMessage(request, transfer);
  };
  worker.on("message", (message: Reply) => {
    if (message.type === "opened") listeners.get(message.session)?.onOpened(message.seconds);
    if (message.type === "placed") listeners.get(message.session)?.onPlaced(message.onCpu);
    if (message.type !== "value" && message.type !== "error") return;
    const { resolve, reject } = waiting.get(message.request) ?? {};
    waiting.delete(message.request);
    // A process ends when nothing is left to wait for.
    if (waiting.size === 0) worker.unref();
    if (message.type === "value") resolve?.(message.value);
    else reject?.(new DeviceError(message.message, message.session));
  });
  worker.on("error", (error) => {
    for (const { reject } of waiting.values()) reject(error as Error);
    waiting.clear();
  });
  worker.unref();

  return {
    upload(value) {
      const id = numbers++;
      const { sent, buffer } = copied(value);
      post({ type: "upload", id, value: sent }, [buffer]);
      return id;
    },
    open(graph, listener) {
      const session = numbers++;
      if (listener !== undefined) listeners.set(session, listener);
      post({ type: "open", session, model: encodeModel(graph) });
      return session;
    },
    run(session, feeds, count) {
      const outputs = Array.from({ length: count }, () => numbers++);
      const buffers: ArrayBuffer[] = [];
      const sent = feeds.map((feed) => {
        if (typeof feed === "number") return feed;
        const copy = copied(feed);
        buffers.push(copy.buffer);
        return copy.sent;
      });
      post({ type: "run", session, feeds: sent, outputs }, buffers);
      return outputs;
    },
    read(id) {
      const request = numbers++;
      worker.ref();
      return new Promise((resolve, reject) => {
        waiting.set(request, { resolve, reject });
        post({ type: "read", id, request });
      });
    },
    free: (id) => {
      freed.push(id);
    },
    close(session) {
      listeners.delete(session);
      post({ type: "close", session });
    },
  };
}

/** A copy of its own that can be handed over: sending a view would send all that it is a view of. */
function copied(value: HostTensor): { sent: HostTensor; buffer: ArrayBuffer } {
  const data = value.data.slice();
  return { sent: { shape: value.shape, dtype: value.dtype, data }, buffer: data.buffer as ArrayBuffer };
}

/** The thread's file stands beside this one, as it was written or as it was built. Node knows TypeScript on its main thread alone. */
function startThread(workerData: ThreadData): Worker {
  if (!import.meta.url.endsWith(".ts"))
    return new Worker(new URL("./onnx-worker.mjs", import.meta.url), { workerData });
  const [loader, file] = [import.meta.resolve("tsx/esm/api"), new URL("./worker.ts", import.meta.url).href];
  const start = `import(${JSON.stringify(loader)}).then(({ register }) => (register(), import(${JSON.stringify(file)})));`;
  return new Worker(start, { eval: true, workerData });
}

/** How long the end of the process waits for a request that is being carried out, in milliseconds. */
const PATIENCE = 5000;

/** Lets the thread come to rest; a process that can not wait for it is killed, since ONNX Runtime would abort it with a message. */
function stop(flags: Int32Array): void {
  Atomics.store(flags, STOPPED, 1);
  if (Atomics.wait(flags, BUSY, 1, PATIENCE) === "timed-out") process.kill(process.pid, "SIGKILL");
}

function started(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (message: Reply) => {
      worker.off("error", reject);
      if (message.type === "failed") reject(new Error(message.message));
      else resolve();
    });
  });
}
