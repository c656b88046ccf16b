import { Worker } from "node:worker_threads";
import type { HostTensor } from "../../contract.ts";
import { DeviceEndedError, DeviceError, type Device, type OpenListener } from "../recording/device.ts";
import type { Graph } from "../../graph/graph.ts";
import { encodeModel } from "./encode-model.ts";
import { BUSY, STOPPED, type Reply, type Request, type ThreadData } from "./protocol.ts";
import type { ProviderOptions } from "./session-options.ts";

/** Starts ONNX Runtime on a thread. Rejects with the reason if it can not be loaded here, or does not have the provider. */
export async function startDevice(options: ProviderOptions = { provider: "cpu" }): Promise<Device> {
  // Keeps ONNX Runtime from sending usage data to its makers. Set here, since a thread can not change the process's environment.
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const worker = startThread({ ...options, flags });
  await started(worker);
  process.on("exit", () => stop(flags));
  return createDevice(connect(worker));
}

/** The main thread's end of the messages to and from the worker. */
interface Connection {
  post(request: Request, transfer?: ArrayBuffer[]): void;
  /** Posts a request that is answered with a value. */
  ask(request: Request & { readonly type: "read" }): Promise<HostTensor>;
  /** Frees a value, together with others, right before the next request. */
  free(id: number): void;
  /** By session. */
  readonly listeners: Map<number, OpenListener>;
}

interface Waiting {
  readonly resolve: (value: HostTensor) => void;
  readonly reject: (error: Error) => void;
}

function connect(worker: Worker): Connection {
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<number, OpenListener>();
  worker.on("message", (message: Reply) => {
    if (message.type === "opened") listeners.get(message.session)?.onOpened(message.seconds);
    if (message.type === "placed") listeners.get(message.session)?.onPlaced(message.onCpu);
    if (message.type !== "value" && message.type !== "error") return;
    const { resolve, reject } = waiting.get(message.request) ?? {};
    waiting.delete(message.request);
    // Lets the process end when it waits for nothing else.
    if (waiting.size === 0) worker.unref();
    if (message.type === "value") resolve?.(message.value);
    else reject?.(new DeviceError(message.message, message.session));
  });
  let ended: Error | null = null;
  // After this nobody answers any more, so nothing may wait.
  const end = (reason: string) => {
    ended ??= new DeviceEndedError(reason);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on("error", (error) => end(error instanceof Error ? error.message : String(error)));
  worker.on("exit", (code) => end(`exit code ${code}`));
  worker.unref();
  let freed: number[] = [];
  const post = (request: Request, transfer: ArrayBuffer[] = []) => {
    if (freed.length > 0) worker.postMessage({ type: "free", ids: freed } satisfies Request);
    freed = [];
    worker.postMessage(request, transfer);
  };
  return {
    post,
    free: (id) => {
      freed.push(id);
    },
    ask: (request) => {
      if (ended !== null) return Promise.reject(ended);
      worker.ref();
      return new Promise((resolve, reject) => {
        waiting.set(request.request, { resolve, reject });
        post(request);
      });
    },
    listeners,
  };
}

function createDevice({ post, ask, free, listeners }: Connection): Device {
  let ids = 0;
  return {
    upload(value) {
      const id = ids++;
      const { sent, buffer } = copied(value);
      post({ type: "upload", id, value: sent }, [buffer]);
      return id;
    },
    open(graph, listener) {
      const session = ids++;
      if (listener !== undefined) listeners.set(session, listener);
      post({ type: "open", session, model: encodeModel(graph), files: filesOf(graph) });
      return session;
    },
    run(session, feeds, count) {
      const outputs = Array.from({ length: count }, () => ids++);
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
      return ask({ type: "read", id, request: ids++ });
    },
    free,
    close(session) {
      listeners.delete(session);
      post({ type: "close", session });
    },
  };
}

/** The files that a graph's weights are in. */
function filesOf({ initializers }: Graph): readonly string[] {
  return [...new Set(initializers.flatMap(({ bytes }) => (bytes instanceof Uint8Array ? [] : [bytes.path])))];
}

/** A copy with a buffer of its own, to transfer to the thread: a view's buffer may hold more than the value. */
function copied(value: HostTensor): { sent: HostTensor; buffer: ArrayBuffer } {
  const data = value.data.slice();
  return { sent: { shape: value.shape, dtype: value.dtype, data }, buffer: data.buffer as ArrayBuffer };
}

/** The thread's file is next to this one, as source or as build. From source, the thread first registers tsx, to load TypeScript. */
function startThread(workerData: ThreadData): Worker {
  if (!import.meta.url.endsWith(".ts")) {
    // Threads inherit Node.js's options, and `--input-type` of `node --input-type=module -e` refuses files.
    return new Worker(new URL("./onnx-worker.mjs", import.meta.url), { workerData, execArgv: [] });
  }
  const [loader, file] = [import.meta.resolve("tsx/esm/api"), new URL("./worker.ts", import.meta.url).href];
  const start = `import(${JSON.stringify(loader)}).then(({ register }) => (register(), import(${JSON.stringify(file)})));`;
  return new Worker(start, { eval: true, workerData });
}

/** How long the end of the process waits for a request that is being carried out, in milliseconds. */
const PATIENCE = 5000;

/**
 * Waits until the thread has finished its request. If that takes too long the process is killed: ONNX Runtime would abort it with a
 * message.
 */
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
