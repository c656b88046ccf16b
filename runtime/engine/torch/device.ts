import type { Device } from "../recording/device.ts";
import { startDevice } from "../thread/device.ts";
import { verify, type Graph } from "../../graph/graph.ts";
import type { TorchOptions } from "./torch-library.ts";

/**
 * Starts PyTorch's library on a thread.
 * @returns the device, and the name of the GPU, which is empty on the CPU
 * Rejects with the reason if the library can not be loaded, or does not have the device.
 */
export function startTorchDevice(options: TorchOptions): Promise<{ readonly device: Device; readonly about: string }> {
  return startDevice({
    source: new URL("./worker.ts", import.meta.url),
    built: "torch-worker.mjs",
    data: options,
    prepare: checked,
  });
}

function checked(graph: Graph): Graph {
  const errors = verify(graph);
  if (errors.length > 0) throw new Error(`the recorded graph is wrong: ${errors.join("; ")}`);
  return graph;
}
