import { Worker } from "node:worker_threads";
import type { HostTensor } from "../../contract.ts";
import {
  DeviceEndedError,
  DeviceError,
  type Device,
  type DeviceFault,
  type OpenListener,
} from "../recording/device.ts";
import type { Graph } from "../../graph/graph.ts";
import { beforeBusError } from "./bus-error.ts";
import { MappedFiles } from "./mapped-files.ts";
import { BUSY, STOPPED, type Reply, type Request, type ThreadData } from "./protocol.ts";

/** A thread to start. */
interface ThreadOptions {
  /** Its file, as source. */
  readonly source: URL;
  /** The name of its file in a build, where it lies next to the program. */
  readonly built: string;
  /** What it is given besides the flags. */
  readonly data: object;
  /** Turns a graph into what the thread opens. Throws if the graph is wrong. */
  prepare(graph: Graph): unknown;
}

/** A device, and what it computes with in words for the user; empty if there is nothing to say. */
interface StartedDevice {
  readonly device: Device;
  readonly about: string;
}

/** Starts a device on a thread of its own. Rejects with the reason if its library can not be used here. */
export async function startDevice(options: ThreadOptions): Promise<StartedDevice> {
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const worker = startThread(options, { ...options.data, flags });
  const about = await started(worker);
  process.on("exit", () => stop(flags));
  // What it was carrying out, nobody finishes.
  worker.on("exit", () => Atomics.store(flags, BUSY, 0));
  const mapped = new MappedFiles();
  return { device: createDevice(connect(worker, mapped), mapped, options), about };
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

function connect(worker: Worker, mapped: MappedFiles): Connection {
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
    ended ??= new DeviceEndedError(mapped.change() ?? reason);
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

function createDevice(
  { post, ask, free, listeners }: Connection,
  mapped: MappedFiles,
  { prepare }: Pick<ThreadOptions, "prepare">,
): Device {
  let ids = 0;
  return {
    upload(value) {
      const id = ids++;
      const { sent, buffer } = copied(value);
      post({ type: "upload", id, value: sent }, [buffer]);
      return id;
    },
    zeros(shape) {
      const id = ids++;
      post({ type: "zeros", id, shape });
      return id;
    },
    open(graph, listener) {
      const session = ids++;
      if (listener !== undefined) listeners.set(session, listener);
      const files = filesOf(graph);
      mapped.open(session, files);
      post({ type: "open", session, graph: prepare(graph), files });
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
      mapped.close(session);
      post({ type: "close", session });
    },
    offload(isOn) {
      post({ type: "offload", isOn });
    },
    onFault(listener: (fault: DeviceFault) => void) {
      beforeBusError(() => listener({ change: mapped.change(), files: mapped.paths }));
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

/** Runs the thread's file: as build, next to this one, or as source, for which the thread first registers tsx, to load TypeScript. */
function startThread({ source, built }: ThreadOptions, workerData: ThreadData): Worker {
  if (!import.meta.url.endsWith(".ts")) {
    // Threads inherit Node.js's options, and `--input-type` of `node --input-type=module -e` refuses files.
    return new Worker(new URL(`./${built}`, import.meta.url), { workerData, execArgv: [] });
  }
  const loader = import.meta.resolve("tsx/esm/api");
  const start = `import(${JSON.stringify(loader)}).then(({ register }) => (register(), import(${JSON.stringify(source.href)})));`;
  return new Worker(start, { eval: true, workerData });
}

/** How long the end of the process waits for a request that is being carried out, in milliseconds. */
const PATIENCE = 5000;

/**
 * Waits until the thread has finished its request. If that takes too long the process is killed: the library would abort it with a
 * message.
 */
function stop(flags: Int32Array): void {
  Atomics.store(flags, STOPPED, 1);
  if (Atomics.wait(flags, BUSY, 1, PATIENCE) === "timed-out") process.kill(process.pid, "SIGKILL");
}

function started(worker: Worker): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (message: Reply) => {
      worker.off("error", reject);
      if (message.type === "failed") reject(new Error(message.message));
      else if (message.type === "ready") resolve(message.about);
    });
  });
}
