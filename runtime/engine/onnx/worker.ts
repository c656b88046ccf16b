/** The thread that computes: graphs run here, so that the main thread stays free for progress, signals and the next step's data. */
import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { InferenceSession, Tensor as RuntimeTensor } from "onnxruntime-node";
import type { DType, HostTensor } from "../../contract.ts";
import { sessionOptions } from "./session-options.ts";
import { BUSY, STOPPED, type Feed, type Reply, type Request } from "./protocol.ts";

type Runtime = typeof import("onnxruntime-node");

if (parentPort === null) throw new Error("this file is started as a thread");
const port = parentPort;
const flags = workerData as Int32Array;
const reply = (message: Reply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

/** What went wrong with a graph. */
class GraphError extends Error {
  readonly session: number;

  constructor(session: number, cause: unknown) {
    super(messageOf(cause));
    this.session = session;
  }
}

/** What could not be made stands as its error; whoever reads it learns why. */
const values = new Map<number, RuntimeTensor | Error>();
const sessions = new Map<number, InferenceSession | Error>();

try {
  const runtime = createRequire(import.meta.url)("onnxruntime-node") as Runtime;
  // What goes wrong is said to whoever reads the value.
  runtime.env.logLevel = "fatal";
  let last = Promise.resolve();
  // One request after the other: the order is all that says when a value is there.
  port.on("message", (request: Request) => {
    last = last.then(() => unlessStopped(() => handle(runtime, request)));
  });
  reply({ type: "ready" });
} catch (error) {
  reply({ type: "failed", message: messageOf(error) });
}

/** The runtime ends the whole process when its thread is stopped in the midst of a call, so whoever stops it waits for the flag. */
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
      sessions.set(
        request.session,
        await runtime.InferenceSession.create(request.model, sessionOptions).catch(
          (error: unknown) => new GraphError(request.session, error),
        ),
      );
      return;
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
      if (session !== undefined && !(session instanceof Error)) await session.release();
    }
  }
}

async function run(runtime: Runtime, request: Request & { type: "run" }): Promise<void> {
  try {
    const session = found(sessions.get(request.session));
    const feeds = request.feeds.map((feed) => toValue(runtime, feed));
    const results = await session.run(Object.fromEntries(session.inputNames.map((name, i) => [name, found(feeds[i])])));
    session.outputNames.forEach((name, i) => values.set(request.outputs[i] ?? -1, found(results[name])));
  } catch (error) {
    // A value that another graph could not make is that graph's fault.
    const failure = error instanceof GraphError ? error : new GraphError(request.session, error);
    for (const id of request.outputs) values.set(id, failure);
  }
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
  if (x === undefined) throw new Error("a value is used that was never made or is freed already");
  if (x instanceof Error) throw x;
  return x;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function messageOf(error: unknown): string {
  return asError(error).message;
}
