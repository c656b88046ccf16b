import { createRequire } from "node:module";
import util from "node:util";
import type { EngineName } from "./engine.ts";
import type { Tf } from "../graph/record/tfjs-types.ts";
import { builtPackage, tensorflowPackage } from "./tensorflow/folder.ts";
import { withoutStderr } from "./tensorflow/without-stderr.ts";
import { installSlices } from "./slice-kernels.ts";
import { installWasmMatMul } from "./wasm-matmul.ts";

/** Engines whose operations tfjs itself computes. */
export type TfjsEngineName = Exclude<EngineName, "onnx" | "torch">;

/** What each engine needs besides tfjs itself, and what tfjs calls its backend. */
const backends: Readonly<Record<TfjsEngineName, { readonly load: () => unknown; readonly backend: string }>> = {
  cpu: { load: () => null, backend: "cpu" },
  wasm: { load: () => import("@tensorflow/tfjs-backend-wasm"), backend: "wasm" },
  "tfjs-node-gpu": { load: loadTensorflow, backend: "tensorflow" },
};

/** Loads the engine's packages and initialises its backend. Throws whatever the packages throw where they do not work. */
export async function loadTfjs(name: TfjsEngineName): Promise<{ tf: Tf; backend: string }> {
  const { load, backend } = backends[name];
  restoreNodeUtilities();
  const tf = await loadTfjsAlone();
  const removeListeners = watchListeners();
  await load();
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs could not initialise its ${backend} backend`);
  removeListeners();
  replaceKernels(tf, name);
  return { tf, backend };
}

const replaced = new Set<TfjsEngineName>();

/** Puts faster kernels in the place of tfjs's own, once. */
function replaceKernels(tf: Tf, name: TfjsEngineName): void {
  if (replaced.has(name)) return;
  replaced.add(name);
  if (name !== "tfjs-node-gpu") installSlices(tf, name);
  if (name === "wasm") installWasmMatMul(tf);
}

/**
 * The package as npm installs it, or as `ltxc install tfjs-node-gpu` has built it. Not a literal import: it is optional, and never part of a
 * bundle. It computes for any copy of tfjs in the process.
 */
function loadTensorflow(): unknown {
  // Or the library would tell on stderr which instructions of the processor it uses; that it uses oneDNN it tells even so.
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  const load = (from: string): unknown => withoutStderr(() => createRequire(from)(tensorflowPackage));
  try {
    return load(import.meta.url);
  } catch (error) {
    const built = builtPackage();
    if (built !== null) return load(built);
    const { message, code } = error as NodeJS.ErrnoException;
    const reason = code === "MODULE_NOT_FOUND" ? "its package is not installed" : (message.split("\n")[0] ?? message);
    throw new Error(`${reason} (\`ltxc install tfjs-node-gpu\` builds it)`, { cause: error });
  }
}

/** Whether the backend of TensorFlow computes on a GPU, by its list of devices. */
export function isOnGpu(tf: Tf): boolean {
  const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean };
  return isUsingGpuDevice === true;
}

/** Loads tfjs without choosing a backend. */
export async function loadTfjsAlone(): Promise<Tf> {
  // CommonJS that exports by assignment in loops, which `import` cannot see: all of it is the default export.
  const { default: tf } = await import("@tensorflow/tfjs");
  // Silences the greeting and the advice that tfjs prints when it starts.
  tf.enableProdMode();
  return tf;
}

/**
 * The wasm package listens for every exception of the process, and prints its whole source with each one. The returned function
 * removes all listeners that were added since this call.
 */
function watchListeners(): () => void {
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = new Set<unknown>(events.flatMap((event) => process.rawListeners(event)));
  return () => {
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        if (!before.has(listener)) process.removeListener(event, listener as () => void);
      }
    }
  };
}

/** tfjs-node calls two functions that Node removed in version 23. */
function restoreNodeUtilities(): void {
  const target = util as unknown as Record<string, unknown>;
  target["isNullOrUndefined"] ??= (x: unknown) => x === null || x === undefined;
  target["isArray"] ??= Array.isArray;
}
