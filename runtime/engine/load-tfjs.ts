import { createRequire } from "node:module";
import util from "node:util";
import type { EngineName } from "./engine.ts";
import type { Tf } from "../graph/record/tfjs-types.ts";
import { installWasmMatMul } from "./wasm-matmul.ts";

/** Engines whose operations tfjs itself computes. */
export type TfjsEngineName = Exclude<EngineName, "onnx" | "torch">;

/** What each engine needs besides tfjs itself, and what tfjs calls its backend. */
const backends: Readonly<Record<TfjsEngineName, { readonly load: () => unknown; readonly backend: string }>> = {
  cpu: { load: () => null, backend: "cpu" },
  wasm: { load: () => import("@tensorflow/tfjs-backend-wasm"), backend: "wasm" },
  // Not a literal import: the package is optional, and never part of a bundle. It computes for any copy of tfjs in the process.
  "tfjs-node-gpu": {
    load: () => createRequire(import.meta.url)("@tensorflow/tfjs-node-gpu"),
    backend: "tensorflow",
  },
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
  if (name === "wasm") installWasmMatMul(tf);
  return { tf, backend };
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
