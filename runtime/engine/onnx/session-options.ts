import type { InferenceSession } from "onnxruntime-node";
import { root } from "./encode-model.ts";
import type { Provider } from "./provider.ts";

/** What the thread computes with. */
export interface ProviderOptions {
  readonly provider: Provider;
  /** Refuses a graph with operations that the provider does not have, instead of running them on the CPU. */
  readonly isStrict?: boolean;
}

/**
 * Graphs run as they are. Our passes do what ONNX Runtime's optimizations would, in a quarter of the time; and the nodes that those
 * insert run early, so that gradient checkpointing would claim a quarter more memory. WebGPU has no 16-bit weights, so there the
 * runtime converts them to float32 when it loads the graph, which counts as a basic optimization.
 * Without `enableMemPattern` the peak memory is a third lower and a run takes 0 to 5 % longer; with it, the runtime allocates one
 * block for all intermediate values.
 */
export const sessionOptions = ({ provider, isStrict = false }: ProviderOptions): InferenceSession.SessionOptions => ({
  // With its own layout (NHWC) the runtime would move transposes past casts; then they transpose bool, which WebGPU can not.
  executionProviders: [provider === "webgpu" ? { name: provider, preferredLayout: "NCHW" } : provider],
  graphOptimizationLevel: provider === "webgpu" ? "basic" : "disabled",
  enableMemPattern: false,
  enableCpuMemArena: true,
  // Only fatal errors are logged: all errors are thrown as well.
  logSeverityLevel: 4,
  extra: {
    session: {
      // Weights stay in their file; prepacking would copy each of them.
      model_external_initializers_file_folder_path: root,
      disable_prepacking: "1",
      // Each session has threads of its own. After a run they would wait busily for the next one, and take the cores from other sessions and from us.
      force_spinning_stop: "1",
      ...(isStrict ? { disable_cpu_ep_fallback: "1" } : {}),
    },
  },
});
