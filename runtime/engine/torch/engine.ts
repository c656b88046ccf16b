import type { Tf } from "../../graph/record/tfjs-types.ts";
import type { Engine, Precision } from "../engine.ts";
import type { Device } from "../recording/device.ts";
import { createRecordingEngine, type Executor, type RecordingOptions } from "../recording/engine.ts";
import { explainFailure, explainFault } from "../thread/failure.ts";
import { readFailure } from "./failure.ts";
import type { TorchDevice } from "./library.ts";
import { prepareGraph } from "./prepare-graph.ts";

interface TorchEngineOptions extends RecordingOptions {
  /** What the device computes with. */
  readonly provider: TorchDevice;
  /** What the model is computed in. */
  readonly precision: Precision;
}

/** The engine whose recorded graphs PyTorch's library runs, on a thread of its own. */
export function createTorchEngine(
  tf: Tf,
  device: Device,
  { provider, precision, ...options }: TorchEngineOptions,
): Engine {
  const executor: Executor = {
    name: "torch",
    device,
    target: `torch ${provider} ${precision}`,
    precision,
    provider,
    isGpu: provider === "cuda",
    canOffload: true,
    optimize: (graph) => prepareGraph(tf, graph, provider, precision),
    explain: explainFailure(readFailure),
    explainFault,
  };
  return createRecordingEngine(tf, executor, options);
}
