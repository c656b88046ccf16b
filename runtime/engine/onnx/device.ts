import type { Device } from "../recording/device.ts";
import { startDevice } from "../thread/device.ts";
import { encodeModel } from "./encode-model.ts";
import type { ProviderOptions } from "./session-options.ts";

/** Starts ONNX Runtime on a thread. Rejects with the reason if it can not be loaded here, or does not have the provider. */
export async function startOnnxDevice(options: ProviderOptions = { provider: "cpu" }): Promise<Device> {
  // Keeps ONNX Runtime from sending usage data to its makers. Set here, since a thread can not change the process's environment.
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
  const { device } = await startDevice({
    source: new URL("./worker.ts", import.meta.url),
    built: "onnx-worker.mjs",
    data: options,
    prepare: encodeModel,
  });
  return device;
}
