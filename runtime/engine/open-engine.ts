/** Opens engines: which one, with what it computes, and why not another. */
import { fail, FindingsError } from "../findings.ts";
import type { Engine, EngineName, Precision } from "./engine.ts";
import { isOnGpu, loadTfjs, loadTfjsAlone, type TfjsEngineName } from "./load-tfjs.ts";
import { recordingsFolder } from "./recording/cache-folder.ts";
import { startOnnxDevice } from "./onnx/device.ts";
import { createOnnxEngine } from "./onnx/engine.ts";
import { hasCudaLibrary, providerNeeds, providerTitles, type Provider } from "./onnx/provider.ts";
import { createTfjsEngine } from "./tfjs.ts";
import { TorchMissing } from "./torch/find-torch.ts";
import { hasBfloat16 } from "./torch/processor.ts";
import { openTorch, torchNeeds } from "./torch/open.ts";

interface OpenedEngine {
  readonly engine: Engine;
  /** Why this engine, in a sentence for the user. */
  readonly reason: string;
}

export interface EngineOptions {
  /** What the engines `onnx` and `torch` compute with; `auto` takes an NVIDIA GPU if it can be used, otherwise the CPU. */
  readonly provider?: Provider | "auto";
  /** Where PyTorch is; null, the default, looks for it. */
  readonly torch?: string | null;
  /** What the model is to be computed in; engines that can not compute so take float32, the default. */
  readonly precision?: Precision;
  /** Refuses what the provider does not have, instead of computing it on the CPU. */
  readonly isStrict?: boolean;
}

/** An engine, and what it computes with. */
export interface Candidate {
  readonly name: EngineName;
  readonly provider: Provider | null;
}

/** How engines are opened, besides what they compute with. */
type Opening = Required<Pick<EngineOptions, "isStrict" | "torch" | "precision">>;

/** An engine that was opened, and what it is in words for the user. */
interface Opened {
  readonly engine: Engine;
  readonly description: string;
}

/**
 * From the fastest to the one that runs everywhere: on the CPU, ONNX Runtime computes in float32 faster than PyTorch and in less memory.
 * WebGPU is used only on request: it may find nothing but a software renderer, and it converts all weights to 32 bits.
 */
export const preference: readonly Candidate[] = [
  { name: "torch", provider: "cuda" },
  { name: "tfjs-node-gpu", provider: null },
  { name: "onnx", provider: "cuda" },
  { name: "onnx", provider: "cpu" },
  { name: "torch", provider: "cpu" },
  { name: "wasm", provider: null },
  { name: "cpu", provider: null },
];

/** The order in which engines are tried: a processor that computes in bfloat16 is faster so, and only PyTorch uses that. */
export function orderFor(precision: Precision, candidates: readonly Candidate[]): readonly Candidate[] {
  if (precision !== "bfloat16" || !hasBfloat16()) return candidates;
  const isCpu = (engine: EngineName) => (x: Candidate) => x.name === engine && x.provider === "cpu";
  const torch = candidates.filter(isCpu("torch"));
  return candidates.filter((x) => !isCpu("torch")(x)).flatMap((x) => (isCpu("onnx")(x) ? [...torch, x] : [x]));
}

/**
 * What a candidate computes in where a run asks for a precision and the engine has it.
 * @param isNative whether the processor of this machine computes in bfloat16
 */
export function precisionFor(
  { name, provider }: Candidate,
  asked: Precision,
  isNative: boolean = hasBfloat16(),
): Precision {
  return name === "torch" && provider === "cpu" && !isNative ? "float32" : asked;
}

const webgpu: Candidate = { name: "onnx", provider: "webgpu" };
export const probed: readonly Candidate[] = preference.toSpliced(3, 0, webgpu);

const descriptions: Readonly<Record<Exclude<EngineName, "torch" | "tfjs-node-gpu">, string>> = {
  onnx: "recorded steps on ONNX Runtime",
  wasm: "WebAssembly with SIMD, one thread",
  cpu: "plain JavaScript, the slow reference",
};

const opened = new Map<string, Promise<Opened>>();

/**
 * Opens an engine. `auto` takes the fastest one that works here; the reason says why faster ones were not taken.
 * @throws FindingsError LTX6220 if an engine that was named does not work, LTX6221 if a provider that was named does not, LTX7050 if
 * there is no usable PyTorch where it was said to be
 */
export async function openEngine(
  asked: EngineName | "auto" | "ltx-trainer",
  options: EngineOptions = {},
): Promise<OpenedEngine> {
  if (asked === "ltx-trainer") throw new Error("the official trainer is no engine: `ltxc run` trains with it");
  const { engine, reason } = await openFirst(asked, options);
  return { engine, reason };
}

/** The fastest engine that works here of those that are asked for. Errors: as `openEngine`. */
export async function openFirst(
  asked: EngineName | "auto",
  { provider = "auto", isStrict = false, torch = null, precision = "float32" }: EngineOptions,
): Promise<OpenedEngine & { readonly candidate: Candidate }> {
  const isAsked = (candidate: Candidate) =>
    (asked === "auto" || candidate.name === asked) &&
    (provider === "auto" || candidate.provider === provider || (asked !== "auto" && candidate.provider === null));
  const candidates = orderFor(precision, provider === "auto" ? preference : probed).filter(isAsked);
  const failures: { readonly title: string; readonly reason: string }[] = [];
  let isTorchMissing = false;
  for (const candidate of candidates) {
    // What is missing for one provider is missing for the other.
    if (candidate.name === "torch" && isTorchMissing) continue;
    try {
      const opening = { isStrict, torch, precision: precisionFor(candidate, precision) };
      const { engine, description } = await open(candidate, opening);
      if (asked === "auto" && isSlowOnCpu(candidate, engine)) throw new Error("it finds no GPU here");
      const wish = asked === "auto" && provider === "auto" ? [] : ["as asked for"];
      const others = failures.map(({ title, reason }) => `not ${title}: ${reason}`);
      const exact = (engine.precision ?? "float32") === precision ? [] : [whyFloat32(candidate)];
      return { engine, candidate, reason: [[description, ...wish, ...exact].join(", "), ...others].join("; ") };
    } catch (error) {
      if (error instanceof FindingsError) throw error;
      isTorchMissing ||= error instanceof TorchMissing;
      const title = error instanceof TorchMissing ? candidate.name : titleOf(candidate);
      failures.push({ title, reason: failureOf(candidate, error) });
    }
  }
  const reasons = failures.map(({ title, reason }) => (failures.length === 1 ? reason : `${title}: ${reason}`));
  const help =
    isTorchMissing && asked === "torch" ? withoutTorch : writeAuto(provider === "auto" ? "engine" : "provider");
  return refuse(asked, provider, reasons.join("; ") || `the engine ${asked} does not have it`, help);
}

/** Why a run that was to be in bf16 is not. */
const whyFloat32 = ({ name }: Candidate): string =>
  name === "torch"
    ? "in float32, since this processor has no products of bf16 and would take many times as long"
    : "in float32, which is more exact than bf16";

/** Every operation of tfjs-node-gpu is a call of its own, and it computes in float32: on the CPU others are faster. */
export const isSlowOnCpu = ({ name }: Candidate, { isGpu }: Pick<Engine, "isGpu">): boolean =>
  name === "tfjs-node-gpu" && isGpu !== true;

const shown = "`ltxc doctor` shows what works here and why";
const writeAuto = (setting: "engine" | "provider"): string => `write \`${setting}: auto\` below \`runtime\`; ${shown}`;

/** The engine may be a consequence: only it computes with quantized weights. */
const withoutTorch = `without PyTorch, write \`engine: auto\` and \`quantization: null\`; ${shown}`;

function refuse(name: EngineName | "auto", provider: Provider | "auto", reason: string, help: string): never {
  const [code, setting, subject] =
    provider === "auto" ? (["LTX6220", "engine", name] as const) : (["LTX6221", "provider", provider] as const);
  return fail(code, `the ${setting} ${subject} does not work here: ${reason}`, help, ["runtime", setting]);
}

/** Each engine is opened once per process: engines on the same backend of tfjs share its memory. */
export function open(candidate: Candidate, opening: Opening): Promise<Opened> {
  const { isStrict, torch, precision } = opening;
  const key = [titleOf(candidate), isStrict, torch, precision].join();
  const known = opened.get(key);
  if (known !== undefined) return known;
  const engine = openAnew(candidate, opening);
  opened.set(key, engine);
  return engine;
}

async function openAnew({ name, provider }: Candidate, { isStrict, torch, precision }: Opening): Promise<Opened> {
  switch (name) {
    case "torch":
      return openTorch(provider === "cuda" ? "cuda" : "cpu", { named: torch, precision });
    case "onnx": {
      const engine = await openOnnx(provider ?? "cpu", isStrict);
      return { engine, description: `${descriptions[name]}, ${providerTitles[provider ?? "cpu"]}` };
    }
    case "tfjs-node-gpu": {
      const engine = await openTfjs(name);
      return { engine, description: `TensorFlow on ${engine.isGpu === true ? "an NVIDIA GPU" : "the CPU"}` };
    }
    default:
      return { engine: await openTfjs(name), description: descriptions[name] };
  }
}

async function openTfjs(name: TfjsEngineName): Promise<Engine> {
  const { tf, backend } = await loadTfjs(name);
  return createTfjsEngine(tf, name, backend, isOnGpu(tf));
}

async function openOnnx(provider: Provider, isStrict: boolean): Promise<Engine> {
  // Cheaper than a thread that fails.
  if (provider === "cuda" && !hasCudaLibrary())
    throw new Error("its library is not installed, which `ltxc install cuda` fetches");
  const options = { provider, isStrict };
  const device = await startOnnxDevice(options);
  return createOnnxEngine(await loadTfjsAlone(), device, { ...options, folder: recordingsFolder() });
}

/** The name for users: the engine, with its provider if it has several. */
export function titleOf({ name, provider }: Pick<Candidate, "name" | "provider">): string {
  return provider === null ? name : `${name} on ${provider}`;
}

/** Why an engine does not work, and what it needs. */
export function failureOf({ name, provider }: Candidate, error: unknown): string {
  const reason = firstLine(error);
  if (provider === null || provider === "cpu" || error instanceof TorchMissing) return reason;
  // What else it needs is said by ONNX Runtime's package.
  if (name === "onnx" && reason === notInstalled) return reason;
  const needs = name === "torch" ? torchNeeds : providerNeeds(provider);
  return `${reason} (it needs ${needs})`;
}

const notInstalled = "its package is not installed";

function firstLine(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === "MODULE_NOT_FOUND") return notInstalled;
  return message.split("\n")[0] ?? message;
}
