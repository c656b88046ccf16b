/** The thread that runs the graphs, so that the main thread stays free for progress, signals and the data of the next step. */
import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { InferenceSession, Tensor as RuntimeTensor } from "onnxruntime-node";
import type { DType, HostTensor } from "../../contract.ts";
import { runtimeFolder } from "./provider.ts";
import { sessionOptions } from "./session-options.ts";
import { encodeModel } from "./encode-model.ts";
import { MappedFiles } from "./mapped-files.ts";
import { watchPlacement, type Placement } from "./placement.ts";
import type { Feed } from "../recording/device.ts";
import { BUSY, STOPPED, type Reply, type Request, type ThreadData } from "./protocol.ts";

type Runtime = typeof import("onnxruntime-node");

if (parentPort === null) throw new Error("this file is started as a thread");
const port = parentPort;
const { flags, ...options } = workerData as ThreadData;
const reply = (message: Reply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

/** A graph could not be opened, or failed while it ran. */
class GraphError extends Error {
  readonly session: number;

  constructor(session: number, cause: unknown) {
    super(messageOf(cause));
    this.session = session;
  }
}

/** A value that could not be computed is stored as its error, which rejects the requests that read it. */
const values = new Map<number, RuntimeTensor | Error>();
const sessions = new Map<number, InferenceSession | Error>();
/** The files that sessions read while they run. */
const files = new Map<number, readonly string[]>();
const mapped = new MappedFiles();
/** Of sessions that have not run yet and may run on more than the CPU. */
const placements = new Map<number, Placement>();

try {
  const runtime = createRequire(import.meta.url)(runtimeFolder()) as Runtime;
  // Errors are sent as replies; they need not be logged, too.
  runtime.env.logLevel = "fatal";
  if (options.provider !== "cpu") await tryProvider(runtime);
  let last = Promise.resolve();
  // One request at a time: a request may read what earlier ones have computed.
  port.on("message", (request: Request) => {
    last = last.then(() => unlessStopped(() => handle(runtime, request)));
  });
  reply({ type: "ready" });
} catch (error) {
  reply({ type: "failed", message: messageOf(error) });
}

/** ONNX Runtime aborts the process if its thread is stopped during a call, so the main thread waits for the flag to be cleared. */
async function unlessStopped(f: () => Promise<void> | void): Promise<void> {
  Atomics.store(flags, BUSY, 1);
  if (Atomics.load(flags, STOPPED) === 0) await f();
  Atomics.store(flags, BUSY, 0);
  Atomics.notify(flags, BUSY);
}

async function handle(runtime: Runtime, request: Request): Promise<void> {
  switch (request.type) {
    case "upload":
      values.set(request.id, toRuntime(runtime, request.value));
      return;
    case "open":
      return open(runtime, request);
    case "run":
      return run(runtime, request);
    case "read":
      return read(request);
    case "free":
      for (const id of request.ids) values.delete(id);
      return;
    case "close": {
      const session = sessions.get(request.session);
      sessions.delete(request.session);
      files.delete(request.session);
      if (session !== undefined && !(session instanceof Error)) await session.release();
    }
  }
}

async function open(runtime: Runtime, { session, model, files: own }: Request & { type: "open" }): Promise<void> {
  const began = performance.now();
  const placement = options.provider === "cpu" ? null : await watchPlacement();
  files.set(session, own);
  try {
    mapped.check(own);
    const made = await runtime.InferenceSession.create(model, { ...sessionOptions(options), ...placement?.options });
    sessions.set(session, made);
    reply({ type: "opened", session, seconds: (performance.now() - began) / 1000 });
    if (placement !== null) placements.set(session, placement);
  } catch (error) {
    sessions.set(session, new GraphError(session, error));
    await placement?.discard();
  }
}

/** Runs a small graph: a provider loads its libraries and looks for its hardware on first use. Rejects with what is missing. */
async function tryProvider(runtime: Runtime): Promise<void> {
  if (options.provider === "webgpu" && process.platform === "linux") requireLibrary("libvulkan.so.1");
  const x = { name: "x", shape: [1], dtype: "float32" } as const;
  const sum = { op: "Add", inputs: ["x", "x"], outputs: [{ ...x, name: "sum" }], attributes: {} };
  const model = encodeModel({ inputs: [x], initializers: [], nodes: [sum], outputs: ["sum"] });
  const session = await runtime.InferenceSession.create(model, sessionOptions(options));
  await session.run({ x: new runtime.Tensor("float32", Float32Array.of(1), [1]) });
  await session.release();
}

/** Checked beforehand: without the library the provider would print to stderr, and its own error would not name the library. */
function requireLibrary(name: string): void {
  try {
    process.dlopen({ exports: {} }, name);
  } catch (error) {
    // A library that is there fails in another way: it is not a module of Node.
    if (messageOf(error).includes("cannot open shared object file"))
      throw new Error(`${name} is not installed`, { cause: error });
  }
}

async function run(runtime: Runtime, request: Request & { type: "run" }): Promise<void> {
  try {
    const session = found(sessions.get(request.session));
    mapped.check(files.get(request.session) ?? []);
    const feeds = request.feeds.map((feed) => toValue(runtime, feed));
    const results = await session.run(Object.fromEntries(session.inputNames.map((name, i) => [name, found(feeds[i])])));
    session.outputNames.forEach((name, i) => values.set(request.outputs[i] ?? -1, found(results[name])));
    await tellPlacement(request.session, session);
  } catch (error) {
    // If an input could not be computed, the graph that should have computed it is the one that failed.
    const failure = error instanceof GraphError ? error : new GraphError(request.session, error);
    for (const id of request.outputs) values.set(id, failure);
  }
}

async function tellPlacement(number: number, session: InferenceSession): Promise<void> {
  const placement = placements.get(number);
  placements.delete(number);
  if (placement !== undefined) reply({ type: "placed", session: number, onCpu: await placement.onCpu(session) });
}

function toValue(runtime: Runtime, feed: Feed): RuntimeTensor {
  return typeof feed === "number" ? found(values.get(feed)) : toRuntime(runtime, feed);
}

function read({ id, request }: Request & { type: "read" }): void {
  try {
    const { type, dims, data } = found(values.get(id));
    const copy = (data as HostTensor["data"]).slice();
    reply({ type: "value", request, value: { shape: dims, dtype: type as DType, data: copy } }, [
      copy.buffer as ArrayBuffer,
    ]);
  } catch (error) {
    reply({
      type: "error",
      request,
      message: messageOf(error),
      session: error instanceof GraphError ? error.session : null,
    });
  }
}

function toRuntime(runtime: Runtime, { dtype, data, shape }: HostTensor): RuntimeTensor {
  return new runtime.Tensor(dtype, data, shape);
}

function found<T>(x: T | Error | undefined): T {
  if (x === undefined) throw new Error("a value is used that does not exist, or was freed already");
  if (x instanceof Error) throw x;
  return x;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function messageOf(error: unknown): string {
  return asError(error).message;
}
