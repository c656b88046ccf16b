/** Fetches what npm does not bring: ONNX Runtime's library for NVIDIA GPUs, by the script that comes with ONNX Runtime. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { startOnnxDevice } from "./device.ts";
import { providerNeeds, runtimeFolder } from "./provider.ts";

/** The only platform that the library is published for, as `process.platform/process.arch`. */
export const cudaPlatform = "linux/x64";

/** Fetches the library into ONNX Runtime's package. Resolves to what went wrong, in one line; null if nothing did. */
export async function fetchCuda(): Promise<string | null> {
  let folder: string;
  try {
    folder = runtimeFolder();
  } catch {
    return "ONNX Runtime's package is not installed";
  }
  const args = [join(folder, "script/install.js"), "--onnxruntime-node-install=cuda12"];
  const script = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  script.stderr.on("data", (text: Buffer) => (said += text.toString()));
  return new Promise((resolve) => {
    script.on("error", (error) => resolve(error.message));
    script.on("close", (code) => {
      const reason = /^(?:\w*Error: )(.*)$/m.exec(said)?.[1];
      resolve(code === 0 ? null : (reason ?? `the script ended with ${code}`));
    });
  });
}

/** Starts ONNX Runtime on the GPU. Resolves to why that is not possible, and what it needs; null if it is. */
export async function tryCuda(): Promise<string | null> {
  try {
    await startOnnxDevice({ provider: "cuda" });
    return null;
  } catch (error) {
    return `${(error as Error).message.split("\n")[0]} (it needs ${providerNeeds("cuda")})`;
  }
}
