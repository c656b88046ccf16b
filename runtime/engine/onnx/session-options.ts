import type { InferenceSession } from "onnxruntime-node";
import { root } from "./encode-model.ts";
import type { Provider } from "./provider.ts";

/** With what a thread computes. */
export interface ProviderOptions {
  readonly provider: Provider;
  /** Refuses graphs of which the provider can not run every operation, instead of running those on the CPU. */
  readonly isStrict?: boolean;
}

/**
 * Graphs run as they are: the passes have made of them what the runtime's own optimizations would, in a quarter of the time, and nodes
 * that those make run early, so that blocks that are computed again claim a quarter more memory. WebGPU has no 16-bit weights, so
 * there the runtime widens them when it loads the graph, which it calls a basic optimization.
 * `enableMemPattern` off takes a third off the peak memory and costs 0 to 5 % of time: with it on, one block is laid out for all
 * intermediate values at once.
 */
export const sessionOptions = ({ provider, isStrict = false }: ProviderOptions): InferenceSession.SessionOptions => ({
  // In its own layout the runtime would move turns past casts, to where they turn truth values, which WebGPU does not.
  executionProviders: [provider === "webgpu" ? { name: provider, preferredLayout: "NCHW" } : provider],
  graphOptimizationLevel: provider === "webgpu" ? "basic" : "disabled",
  enableMemPattern: false,
  enableCpuMemArena: true,
  // Errors are thrown, too.
  logSeverityLevel: 4,
  extra: {
    session: {
      // Weights stay in their file. Prepacking would copy each of them.
      model_external_initializers_file_folder_path: root,
      disable_prepacking: "1",
      ...(isStrict ? { disable_cpu_ep_fallback: "1" } : {}),
    },
  },
});
