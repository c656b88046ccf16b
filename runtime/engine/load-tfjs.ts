import { createRequire } from "node:module";
import util from "node:util";
import type { EngineName } from "./engine.ts";
import type { Tf } from "../graph/record/tfjs-types.ts";
import { installWasmMatMul } from "./wasm-matmul.ts";

// The packages are CommonJS and export by assignment in loops, which `import` cannot see.
const require = createRequire(import.meta.url);

/** Engines whose operations tfjs itself computes. */
export type TfjsEngineName = Exclude<EngineName, "onnx">;

/** What each engine needs beside tfjs itself, and what tfjs calls its backend. */
const backends: Readonly<Record<TfjsEngineName, { readonly packages: readonly string[]; readonly backend: string }>> = {
  cpu: { packages: [], backend: "cpu" },
  wasm: { packages: ["@tensorflow/tfjs-backend-wasm"], backend: "wasm" },
  "tfjs-node-gpu": { packages: ["@tensorflow/tfjs-node-gpu"], backend: "tensorflow" },
};

/** Loads the engine's packages and initialises its backend. Throws whatever the packages throw where they do not work. */
export async function loadTfjs(name: TfjsEngineName): Promise<{ tf: Tf; backend: string }> {
  const { packages, backend } = backends[name];
  restoreNodeUtilities();
  const tf = loadTfjsAlone();
  const removeListeners = watchListeners();
  for (const package_ of packages) require(package_);
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs could not initialise its ${backend} backend`);
  removeListeners();
  if (name === "wasm") installWasmMatMul(tf);
  return { tf, backend };
}

/** tfjs without a backend to compute with. */
export function loadTfjsAlone(): Tf {
  const tf = require("@tensorflow/tfjs") as Tf;
  // Silences the greeting and the advice that tfjs prints when it starts.
  tf.enableProdMode();
  return tf;
}

/**
 * The wasm package listens to every exception of the process and prints its whole source with each. The returned function removes
 * the listeners that came since this call.
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
