import type { InferenceSession } from "onnxruntime-node";
import { root } from "./model.ts";

/**
 * Graphs run as they are: the passes have made of them what the runtime's own optimizations would, in a quarter of the time, and nodes
 * that those make run early, so that blocks that are computed again claim a quarter more memory.
 * `enableMemPattern` off takes a third off the peak memory and costs 0 to 5 % of time: with it on, one block is laid out for all
 * intermediate values at once.
 */
export const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ["cpu"],
  graphOptimizationLevel: "disabled",
  enableMemPattern: false,
  enableCpuMemArena: true,
  // Errors are thrown, too.
  logSeverityLevel: 4,
  extra: {
    // Weights stay in their file. Prepacking would copy each of them.
    session: { model_external_initializers_file_folder_path: root, disable_prepacking: "1" },
  },
};
