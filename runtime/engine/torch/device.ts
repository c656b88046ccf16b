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
  if (options.device === "cpu") takeLargePages();
  return startDevice({
    source: new URL("./worker.ts", import.meta.url),
    built: "torch-worker.mjs",
    data: options,
    prepare: checked,
  });
}

/**
 * Has PyTorch begin pieces of 2 MiB and more at whole pages, and ask for pages of 2 MiB for them. At multiples of 64 bytes, as otherwise,
 * glibc cuts less than 100 bytes off a piece and gives them to small objects, so that before version 2.38 a freed piece is too small for
 * the next one of its size: a run then keeps several times what a step needs. Set here, since a thread can not change the process's
 * environment; PyTorch reads it once.
 */
function takeLargePages(): void {
  process.env["THP_MEM_ALLOC_ENABLE"] ??= "1";
}

function checked(graph: Graph): Graph {
  const errors = verify(graph);
  if (errors.length > 0) throw new Error(`the recorded graph is wrong: ${errors.join("; ")}`);
  return graph;
}
