import { fail } from "../findings.ts";
import type { Engine, EngineName } from "./engine.ts";
import { loadTfjs, loadTfjsAlone, type TfjsEngineName } from "./load-tfjs.ts";
import { startDevice } from "./onnx/device.ts";
import { createOnnxEngine } from "./onnx/engine.ts";
import { measureEngine, type EngineSpeed } from "./measure.ts";
import { createTfjsEngine } from "./tfjs.ts";

export interface OpenedEngine {
  readonly engine: Engine;
  /** Why this engine, in a sentence for the user. */
  readonly reason: string;
}

export interface EngineProbe {
  readonly name: EngineName;
  readonly available: boolean;
  /** What it is, or why it can not be used. */
  readonly reason: string;
  /** Measured just now; null where it can not be used. */
  readonly speed: EngineSpeed | null;
}

/** From the fastest to the one that runs everywhere. */
const preference: readonly EngineName[] = ["tfjs-node-gpu", "onnx", "wasm", "cpu"];

const descriptions: Readonly<Record<EngineName, string>> = {
  "tfjs-node-gpu": "TensorFlow on an NVIDIA GPU",
  onnx: "recorded steps on ONNX Runtime, all cores of the CPU",
  wasm: "WebAssembly with SIMD, one thread",
  cpu: "plain JavaScript, the slow reference",
};

const opened = new Map<EngineName, Promise<Engine>>();

/**
 * Opens an engine; `auto` takes the fastest that works here and says why the others were not taken.
 * Errors: FindingsError LTX6220 when an engine asked for by name does not work.
 */
export async function openEngine(name: EngineName | "auto"): Promise<OpenedEngine> {
  if (name !== "auto") return { engine: await openNamed(name), reason: `${descriptions[name]}, as asked for` };
  const passedOver: string[] = [];
  for (const candidate of preference) {
    try {
      const engine = await open(candidate);
      return { engine, reason: [descriptions[candidate], ...passedOver].join("; ") };
    } catch (error) {
      passedOver.push(`not ${candidate}: ${firstLine(error)}`);
    }
  }
  throw new Error(`no engine works here: ${passedOver.join("; ")}`);
}

async function openNamed(name: EngineName): Promise<Engine> {
  try {
    return await open(name);
  } catch (error) {
    const help = "write `engine: auto` below `runtime`; `ltxc doctor` shows what works here and why";
    return fail("LTX6220", `the engine ${name} does not work here: ${firstLine(error)}`, help, ["runtime", "engine"]);
  }
}

/** Tries and measures every engine, in the order of preference. */
export async function probeEngines(): Promise<EngineProbe[]> {
  const probes: EngineProbe[] = [];
  for (const name of preference) probes.push(await probe(name));
  return probes;
}

async function probe(name: EngineName): Promise<EngineProbe> {
  try {
    const speed = await measureEngine(await open(name));
    return { name, available: true, reason: descriptions[name], speed };
  } catch (error) {
    return { name, available: false, reason: firstLine(error), speed: null };
  }
}

/** One engine per name and process: they share tfjs's memory. */
function open(name: EngineName): Promise<Engine> {
  const known = opened.get(name);
  if (known !== undefined) return known;
  const engine = name === "onnx" ? openOnnx() : openTfjs(name);
  opened.set(name, engine);
  return engine;
}

async function openTfjs(name: TfjsEngineName): Promise<Engine> {
  const { tf, backend } = await loadTfjs(name);
  return createTfjsEngine(tf, name, backend);
}

async function openOnnx(): Promise<Engine> {
  return createOnnxEngine(loadTfjsAlone(), await startDevice());
}

function firstLine(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === "MODULE_NOT_FOUND") return `its package is not installed (npm install did not find a usable build)`;
  return message.split("\n")[0] ?? message;
}
