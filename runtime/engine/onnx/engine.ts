import { optimize } from "../../graph/passes/index.ts";
import type { Tf } from "../../graph/record/tfjs-types.ts";
import type { Engine } from "../engine.ts";
import type { Device } from "../recording/device.ts";
import { createRecordingEngine, type Executor, type RecordingOptions } from "../recording/engine.ts";
import { lower } from "../recording/lower.ts";
import { explainFailure, explainFault } from "../thread/failure.ts";
import { readFailure } from "./failure.ts";
import type { Provider } from "./provider.ts";

interface OnnxOptions extends RecordingOptions {
  /** What the device computes with; the graphs are optimized for it. Default: the CPU. */
  readonly provider?: Provider;
}

/** The engine whose recorded graphs ONNX Runtime runs, on a thread of its own. */
export function createOnnxEngine(tf: Tf, device: Device, { provider = "cpu", ...options }: OnnxOptions = {}): Engine {
  const executor: Executor = {
    name: "onnx",
    device,
    target: provider,
    provider,
    isGpu: provider === "cuda",
    optimize: (graph) => optimize(lower(tf, graph), { isWebGpu: provider === "webgpu" }),
    explain: explainFailure(readFailure),
    explainFault,
  };
  return createRecordingEngine(tf, executor, options);
}
