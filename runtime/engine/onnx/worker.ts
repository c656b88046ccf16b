/** The thread that runs the graphs with ONNX Runtime. */
import { createRequire } from "node:module";
import { workerData } from "node:worker_threads";
import type { InferenceSession, Tensor as RuntimeTensor } from "onnxruntime-node";
import type { DType, HostTensor } from "../../contract.ts";
import { freeMemory } from "../../free-memory.ts";
import { serve, type GraphLibrary } from "../thread/serve.ts";
import { sizeOf } from "../../graph/graph.ts";
import { encodeModel } from "./encode-model.ts";
import { watchPlacement, type Placement } from "./placement.ts";
import { runtimeFolder } from "./provider.ts";
import { sessionOptions, type ProviderOptions } from "./session-options.ts";
import { requireVulkan } from "./vulkan.ts";

type Runtime = typeof import("onnxruntime-node");

interface Session {
  readonly graph: InferenceSession;
  /** Null where only the CPU computes. */
  readonly placement: Placement | null;
}

await serve(() => load(workerData as ProviderOptions));

async function load(options: ProviderOptions): Promise<GraphLibrary<RuntimeTensor, Session>> {
  const runtime = createRequire(import.meta.url)(runtimeFolder()) as Runtime;
  // Errors are sent as replies; they need not be logged, too.
  runtime.env.logLevel = "fatal";
  if (options.provider !== "cpu") await tryProvider(runtime, options);
  return {
    about: "",
    upload: ({ dtype, data, shape }) => new runtime.Tensor(dtype, data.slice(), shape),
    zeros: (shape) => new runtime.Tensor("float32", new Float32Array(sizeOf(shape)), shape),
    open: (model) => open(runtime, model as Uint8Array, options),
    async run({ graph }, feeds) {
      const results = await graph.run(Object.fromEntries(graph.inputNames.map((name, i) => [name, given(feeds[i])])));
      return graph.outputNames.map((name) => given(results[name]));
    },
    placement: async ({ graph, placement }) => placement?.onCpu(graph) ?? null,
    read: ({ type, dims, data }) =>
      ({ shape: dims, dtype: type as DType, data: (data as HostTensor["data"]).slice() }) as HostTensor,
    free: ({ data }) => freeMemory(data as HostTensor["data"]),
    close: ({ graph }) => graph.release(),
  };
}

async function open(runtime: Runtime, model: Uint8Array, options: ProviderOptions): Promise<Session> {
  const placement = options.provider === "cpu" ? null : await watchPlacement();
  try {
    const graph = await runtime.InferenceSession.create(model, { ...sessionOptions(options), ...placement?.options });
    return { graph, placement };
  } catch (error) {
    await placement?.discard();
    throw error;
  }
}

/** Runs a small graph: a provider loads its libraries and looks for its hardware on first use. Rejects with what is missing. */
async function tryProvider(runtime: Runtime, options: ProviderOptions): Promise<void> {
  if (options.provider === "webgpu" && process.platform === "linux") requireVulkan();
  const x = { name: "x", shape: [1], dtype: "float32" } as const;
  const sum = { op: "Add", inputs: ["x", "x"], outputs: [{ ...x, name: "sum" }], attributes: {} };
  const model = encodeModel({ inputs: [x], initializers: [], nodes: [sum], outputs: ["sum"] });
  const session = await runtime.InferenceSession.create(model, sessionOptions(options));
  await session.run({ x: new runtime.Tensor("float32", Float32Array.of(1), [1]) });
  await session.release();
}

function given<T>(x: T | undefined): T {
  if (x === undefined) throw new Error("a graph has fewer inputs or outputs than it was recorded with");
  return x;
}
