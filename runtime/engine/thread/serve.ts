/** The thread's end: carries out requests with a library that runs graphs, so that the main thread stays free. */
import { parentPort, workerData } from "node:worker_threads";
import type { HostTensor, Shape } from "../../contract.ts";
import { freeMemory } from "../../free-memory.ts";
import type { Feed } from "../recording/device.ts";
import { MappedFiles } from "./mapped-files.ts";
import { BUSY, STOPPED, type Reply, type Request, type ThreadData } from "./protocol.ts";

/** What runs graphs. `Value` is its kind of tensor, `Session` a graph that it has opened. Errors are thrown. */
export interface GraphLibrary<Value, Session> {
  /** What it computes with, in words for the user; empty if there is nothing to say. */
  readonly about: string;
  /** Copies the value into memory that the thread itself takes: that of its array is the main thread's again when it is freed. */
  upload(value: HostTensor): Value;
  /** Float32 zeros. */
  zeros(shape: Shape): Value;
  /** @param graph as the main thread prepared it */
  open(graph: unknown): Promise<Session> | Session;
  run(session: Session, feeds: readonly Value[]): Promise<readonly Value[]> | readonly Value[];
  /** Called after the first run of a session: counts, by operator, what ran on the CPU; null where nothing else computes. */
  placement?(session: Session): Promise<Readonly<Record<string, number>> | null>;
  /** A copy with a buffer of its own. */
  read(value: Value): HostTensor;
  free(value: Value): void;
  close(session: Session): Promise<void> | void;
  /** Only libraries have it that can leave weights on the host. */
  offload?(isOn: boolean): void;
}

/** A graph could not be opened, or failed while it ran. */
class GraphError extends Error {
  readonly session: number;

  constructor(session: number, cause: unknown) {
    super(messageOf(cause));
    this.session = session;
  }
}

/** Loads the library and serves requests until the process ends. What it throws while it loads is the reason why it does not work. */
export async function serve<Value, Session>(
  load: () => Promise<GraphLibrary<Value, Session>> | GraphLibrary<Value, Session>,
): Promise<void> {
  if (parentPort === null) throw new Error("this file is started as a thread");
  const port = parentPort;
  const { flags } = workerData as ThreadData;
  const reply = (message: Reply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  try {
    const server = new Server(await load(), reply);
    let last = Promise.resolve();
    // One request at a time: a request may read what earlier ones have computed.
    port.on("message", (request: Request) => {
      last = last.then(() => unlessStopped(flags, () => server.handle(request)));
    });
    reply({ type: "ready", about: server.about });
  } catch (error) {
    reply({ type: "failed", message: messageOf(error) });
  }
}

/** A library aborts the process if its thread is stopped during a call, so the main thread waits for the flag to be cleared. */
async function unlessStopped(flags: Int32Array, f: () => Promise<void> | void): Promise<void> {
  Atomics.store(flags, BUSY, 1);
  try {
    if (Atomics.load(flags, STOPPED) === 0) await f();
  } finally {
    // An error ends the thread, and nobody must wait for it.
    Atomics.store(flags, BUSY, 0);
    Atomics.notify(flags, BUSY);
  }
}

/** Carries out requests, one at a time. */
export class Server<Value, Session> {
  readonly #library: GraphLibrary<Value, Session>;
  readonly #reply: (message: Reply, transfer?: ArrayBuffer[]) => void;
  /** A value that could not be computed is stored as its error, which rejects the requests that read it. */
  readonly #values = new Map<number, { readonly value: Value } | Error>();
  readonly #sessions = new Map<number, { readonly session: Session } | Error>();
  /** The files that sessions read while they run. */
  readonly #mapped = new MappedFiles();
  /** Sessions that have not run yet. */
  readonly #fresh = new Set<number>();

  constructor(library: GraphLibrary<Value, Session>, reply: (message: Reply, transfer?: ArrayBuffer[]) => void) {
    this.#library = library;
    this.#reply = reply;
  }

  get about(): string {
    return this.#library.about;
  }

  handle(request: Request): Promise<void> | void {
    switch (request.type) {
      case "upload":
        return this.#hold(request.id, () => this.#uploaded(request.value));
      case "zeros":
        return this.#hold(request.id, () => this.#library.zeros(request.shape));
      case "open":
        return this.#open(request);
      case "run":
        return this.#run(request);
      case "read":
        return this.#read(request);
      case "free":
        for (const id of request.ids) this.#free(id);
        return;
      case "close":
        return this.#close(request.session);
      case "offload":
        return this.#library.offload?.(request.isOn);
    }
  }

  /** A value that does not fit into the memory is an error of whoever reads it. */
  #hold(id: number, make: () => Value): void {
    try {
      this.#values.set(id, { value: make() });
    } catch (error) {
      this.#values.set(id, asError(error));
    }
  }

  #uploaded(value: HostTensor): Value {
    const uploaded = this.#library.upload(value);
    freeMemory(value.data);
    return uploaded;
  }

  #free(id: number): void {
    const held = this.#values.get(id);
    this.#values.delete(id);
    if (held !== undefined && !(held instanceof Error)) this.#library.free(held.value);
  }

  async #open({ session, graph, files }: Request & { type: "open" }): Promise<void> {
    const began = performance.now();
    this.#mapped.open(session, files);
    try {
      this.#mapped.check(session);
      this.#sessions.set(session, { session: await this.#library.open(graph) });
      this.#fresh.add(session);
      this.#reply({ type: "opened", session, seconds: (performance.now() - began) / 1000 });
    } catch (error) {
      this.#sessions.set(session, new GraphError(session, error));
    }
  }

  async #close(id: number): Promise<void> {
    const found = this.#sessions.get(id);
    this.#sessions.delete(id);
    this.#mapped.close(id);
    this.#fresh.delete(id);
    if (found !== undefined && !(found instanceof Error)) await this.#library.close(found.session);
  }

  async #run(request: Request & { type: "run" }): Promise<void> {
    const sent: Value[] = [];
    try {
      const { session } = found(this.#sessions.get(request.session));
      this.#mapped.check(request.session);
      const feeds = request.feeds.map((feed) => this.#feed(feed, sent));
      const results = await this.#library.run(session, feeds);
      this.#checkAfter(request.session, results);
      results.forEach((value, i) => this.#values.set(request.outputs[i] ?? -1, { value }));
      if (this.#fresh.delete(request.session)) await this.#tellPlacement(request.session, session);
    } catch (error) {
      // If an input could not be computed, the graph that should have computed it is the one that failed.
      const failure = error instanceof GraphError ? error : new GraphError(request.session, error);
      for (const id of request.outputs) this.#values.set(id, failure);
    } finally {
      for (const value of sent) this.#library.free(value);
    }
  }

  /** What was computed while a file changed may be of both: no step follows from it. */
  #checkAfter(session: number, results: readonly Value[]): void {
    try {
      this.#mapped.check(session);
    } catch (error) {
      for (const value of results) this.#library.free(value);
      throw error;
    }
  }

  /** @param sent gets the values that were sent along, which nobody else frees */
  #feed(feed: Feed, sent: Value[]): Value {
    if (typeof feed === "number") return found(this.#values.get(feed)).value;
    const value = this.#uploaded(feed);
    sent.push(value);
    return value;
  }

  async #tellPlacement(id: number, session: Session): Promise<void> {
    const onCpu = (await this.#library.placement?.(session)) ?? null;
    if (onCpu !== null) this.#reply({ type: "placed", session: id, onCpu });
  }

  #read({ id, request }: Request & { type: "read" }): void {
    try {
      const value = this.#library.read(found(this.#values.get(id)).value);
      this.#reply({ type: "value", request, value }, [value.data.buffer as ArrayBuffer]);
    } catch (error) {
      const session = error instanceof GraphError ? error.session : null;
      this.#reply({ type: "error", request, message: messageOf(error), session });
    }
  }
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
