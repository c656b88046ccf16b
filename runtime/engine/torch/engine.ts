import { valuesOf, type Graph } from "../../graph/graph.ts";
import { optimize } from "../../graph/passes/index.ts";
import type { Tf } from "../../graph/record/tfjs-types.ts";
import type { Engine } from "../engine.ts";
import type { Device } from "../recording/device.ts";
import { createRecordingEngine, type Executor, type RecordingOptions } from "../recording/engine.ts";
import { lower } from "../recording/lower.ts";
import { explainFailure, explainFault } from "../thread/failure.ts";
import { readFailure } from "./failure.ts";
import type { TorchDevice } from "./library.ts";
import { hasKernel } from "./operators/attention.ts";
import { operators } from "./operators/index.ts";
import { aliases } from "./plan.ts";

interface TorchEngineOptions extends RecordingOptions {
  /** What the device computes with. */
  readonly provider: TorchDevice;
}

/** The engine whose recorded graphs PyTorch's library runs, on a thread of its own. */
export function createTorchEngine(tf: Tf, device: Device, { provider, ...options }: TorchEngineOptions): Engine {
  const executor: Executor = {
    name: "torch",
    device,
    target: `torch ${provider}`,
    optimize: (graph) => optimize(withKernels(tf, graph, provider)),
    explain: explainFailure(readFailure),
    explainFault,
  };
  return createRecordingEngine(tf, executor, options);
}

/** The graph with those operators of our own that there are kernels for. */
function withKernels(tf: Tf, graph: Graph, provider: TorchDevice): Graph {
  const values = valuesOf(graph);
  const valueOf = (name: string) => values.get(name) ?? { name, shape: [], dtype: "float32" as const };
  return lower(tf, graph, (node) => {
    if (node.op === "Attention" || node.op === "AttentionGrad") return hasKernel(node, provider, valueOf);
    return operators.has(node.op) || aliases.has(node.op);
  });
}
