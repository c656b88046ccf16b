import type { InferenceSession } from "onnxruntime-node";
import { root } from "./model.ts";

/**
 * `enableMemPattern` off takes a third off the peak memory and costs 0 to 5 % of time: with it on, one block is laid out for all
 * intermediate values at once.
 * @param inOrder whether the graph runs as it is. The runtime's own changes save up to a tenth of the time of small graphs; but nodes
 * that it makes run early, and of blocks that are computed again they claim a quarter more memory.
 */
export const sessionOptions = (inOrder: boolean): InferenceSession.SessionOptions => ({
  executionProviders: ["cpu"],
  graphOptimizationLevel: inOrder ? "disabled" : "all",
  enableMemPattern: false,
  enableCpuMemArena: true,
  // The runtime warns about details of its own optimizations; its errors are thrown, too.
  logSeverityLevel: 4,
  extra: {
    // Weights stay in their file. Prepacking would copy each of them.
    session: { model_external_initializers_file_folder_path: root, disable_prepacking: "1" },
    // The passes have folded what is small; the runtime would also widen weights, and keep them so.
    optimization: { disable_specified_optimizers: "ConstantFolding" },
  },
});
