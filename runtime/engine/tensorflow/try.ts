import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { builtPackage, tensorflowPackage } from "./folder.ts";

export interface TriedTensorflow {
  /** Why it does not work, in one line; null if it does. */
  readonly problem: string | null;
  readonly isGpu: boolean;
  /** Of TensorFlow. */
  readonly version: string;
  /** Whether it is the package as npm installs it. */
  readonly isOwn: boolean;
}

/** In a process of its own: a library that does not fit may end it. The product of two ones is one. */
const program = `
  const util = require("node:util");
  util.isNullOrUndefined ??= (x) => x === null || x === undefined;
  util.isArray ??= Array.isArray;
  const tf = require("node:module").createRequire(process.argv[1])("${tensorflowPackage}");
  const [one] = tf.matMul(tf.ones([1, 1]), tf.ones([1, 1])).dataSync();
  const { isUsingGpuDevice: isGpu, binding } = tf.backend();
  if (one !== 1) throw new Error("it multiplies wrongly");
  console.log("\\n" + JSON.stringify({ isGpu, version: binding.TF_Version }));
`;

/**
 * Loads TensorFlow and multiplies.
 * @param folder with the package that was built; null for the package as npm installs it
 */
export function tryTensorflow(folder: string | null): Promise<TriedTensorflow> {
  const from = folder === null ? packageOfNpm() : builtPackage(folder);
  const failed = (problem: string): TriedTensorflow => ({ problem, isGpu: false, version: "", isOwn: folder === null });
  if (from === null) return Promise.resolve(failed("its package is not installed"));
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2" };
  const child = spawn(process.execPath, ["-e", program, from], { env, stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", err: "" };
  child.stdout.on("data", (text: Buffer) => (said.out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (said.err += text.toString()));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(failed(error.message)));
    child.on("close", (code, signal) => {
      const [, json] = /\n(\{.*\})\n$/.exec(said.out) ?? [];
      if (code === 0 && json !== undefined)
        resolve({
          problem: null,
          isOwn: folder === null,
          ...(JSON.parse(json) as { isGpu: boolean; version: string }),
        });
      else resolve(failed(/^\w*Error: (.*)$/m.exec(said.err)?.[1] ?? `it ended with ${code ?? signal}`));
    });
  });
}

/** A file from which Node resolves the package of npm; null if it is not installed. */
function packageOfNpm(): string | null {
  try {
    return createRequire(import.meta.url).resolve(`${tensorflowPackage}/package.json`);
  } catch {
    return null;
  }
}
