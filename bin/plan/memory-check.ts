/** Whether a run fits into the memory that there is, and what is known of it before its first step. */
import { statSync } from "node:fs";
import { isError, type RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import type { Finding } from "../../runtime/findings.ts";
import {
  planBytes,
  savedSpeed,
  trainedBytes,
  type Engine,
  type EngineSpeed,
  type Plan,
  type PlannedEngine,
  type Preflight,
} from "../../runtime/index.ts";
import { gpuMemory, usableMemory } from "../shell/machine.ts";
import { bytes } from "../shell/text.ts";
import { alternativesOf } from "./alternatives.ts";
import type { Foreseen } from "./foreseen.ts";
import { canOffload, offloadFindings, settledPlan } from "./offload.ts";
import { remedyText } from "./remedy.ts";

/** What a run would have to itself. */
export interface Room {
  readonly bytes: number;
  /** As in "this machine has 16 GiB". */
  readonly owner: string;
}

/**
 * The memory that the run's engine computes in; null where it is not known.
 * @param known the engine, where it is known already
 */
export async function roomOf({ runtime }: Pick<RunConfig, "runtime">, known?: PlannedEngine): Promise<Room | null> {
  const { engine, provider } = { ...runtime, ...(known === undefined ? {} : { provider: known.provider }) };
  const host = { bytes: usableMemory(), owner: "this machine" };
  // The official trainer may have many GPUs, and needs other amounts.
  if (provider === "webgpu" || engine === "ltx-trainer") return null;
  if (
    provider !== "cuda" &&
    engine !== "tfjs-node-gpu" &&
    (provider === "cpu" || !["auto", "onnx", "torch"].includes(engine))
  )
    return host;
  const onGpu = await gpuMemory();
  const gpu = onGpu === null ? null : { bytes: onGpu, owner: "the GPU" };
  if (provider === "cuda" || engine === "tfjs-node-gpu") return gpu;
  // With `auto` it may be either: the larger one, so that nothing is said of a run that fits.
  return gpu !== null && gpu.bytes > host.bytes ? gpu : host;
}

/** Beyond this many times the memory, a run is not started unless that is asked for. */
const MOST = 2;

/**
 * What there is to say of a run that needs `needed` bytes: a warning, or an error where it would end within its first steps.
 * @param remedy what would save memory, in words
 */
export function judgeMemory(needed: number, room: Room | null, isIgnored: boolean, remedy: string): Finding[] {
  if (room === null || needed <= room.bytes) return [];
  const isFar = needed > MOST * room.bytes && !isIgnored;
  const message = `the run needs about ${bytes(needed)} of memory, and ${room.owner} has ${bytes(room.bytes)}`;
  const less = `${remedy}. \`ltxc plan\` shows all that would save memory`;
  const help = isFar ? `${less}; \`runtime.ignore_memory: true\` starts the run all the same` : less;
  return [
    {
      code: isFar ? "LTX6241" : "LTX6240",
      severity: isFar ? "error" : "warning",
      path: ["optimization"],
      message,
      help,
    },
  ];
}

/**
 * What is sure to be too much before a plan is made, which itself makes what is trained. Errors: none of them is thrown.
 * @param room default: that of this machine
 */
export async function hopeless(config: RunConfig, examined: Preflight, room?: Room): Promise<readonly Finding[]> {
  const least = trainedBytes(config, examined);
  const own = room ?? (await roomOf(config));
  const remedy = own === null ? "" : rankText(config, least, own);
  return judgeMemory(least, own, config.runtime.ignore_memory, remedy).filter(isError);
}

/** Gradients and both moments of AdamW are as large as what is trained. */
const WITH_OPTIMIZER = 4;

/** The largest power of two as rank with which the adapters and what their training takes fit, if any does. */
function rankText({ lora }: RunConfig, trained: number, room: Room): string {
  const perRank = trained / (lora?.rank ?? 1);
  const rank = 2 ** Math.floor(Math.log2(room.bytes / (WITH_OPTIMIZER * perRank)));
  if (rank < 1) return "take fewer layers in `lora.target_modules`";
  return `\`lora.rank: ${rank}\` needs about ${bytes(rank * perRank)} for the adapters, and ${WITH_OPTIMIZER} times as much with what their training takes`;
}

interface Judged {
  readonly config: RunConfig;
  readonly step: Step;
  readonly plan: Plan;
  /** What was decided for the plan; default: what the run config says. */
  readonly offload?: RunConfig["runtime"]["offload"];
  readonly engine: PlannedEngine;
  /** Of the engine; null, the default, where that is not known. */
  readonly speed?: EngineSpeed | null;
  /** Default: that of this machine. */
  readonly room?: Room;
}

/**
 * The finding about the memory of a run whose plan is made, with the change to make, which takes other plans. Errors: FindingsError as `planOf`.
 */
export async function memoryFindings(
  { config, step, plan, offload = config.runtime.offload, engine, speed = null, room: known }: Judged,
  examined: Preflight,
): Promise<readonly Finding[]> {
  const room = known ?? (await roomOf(config, engine));
  if (room === null || planBytes(plan) <= room.bytes) return [];
  const { data } = examined;
  // Memory follows from the largest sample alone.
  const outlines = data.outlines.filter(({ sample }) => sample.name === plan.largest.sample);
  const isChosen = offload !== config.runtime.offload;
  const own = { config: { ...config, runtime: { ...config.runtime, offload } }, plan, isChosen };
  const search = { engine, most: room.bytes, isTable: false, own };
  const alternatives = await alternativesOf(config, step, { ...examined, data: { ...data, outlines } }, search);
  const remedy = remedyText(alternatives, room.bytes, speed);
  return judgeMemory(planBytes(plan), room, config.runtime.ignore_memory, remedy);
}

/**
 * In at least so many bytes, a model this many times smaller fits however it is trained, with at most so many tokens in a batch: those of
 * the process itself are below 400 MiB, and the attention scores of 1,000 tokens are 4 MB for each head.
 */
const [LEAST_ROOM, SURELY_SMALLER, FEW_TOKENS] = [2 ** 30, 64, 1000];

interface ToStart {
  readonly config: RunConfig;
  readonly step: Step;
  readonly engine: Pick<Engine, "name" | "precision" | "isGpu" | "offload">;
}

/** What there is to say before a run's first step. */
interface Before {
  readonly findings: readonly Finding[];
  /** Null where an error among the findings ends the run. */
  readonly foreseen: Foreseen | null;
}

/** The same before a run's first step. Decides whether the engine leaves weights on the host. Errors: FindingsError as `planOf`. */
export async function memoryBefore({ config, step, engine: opened }: ToStart, examined: Preflight): Promise<Before> {
  const { name, precision = "float32", isGpu } = opened;
  const { provider, offload } = config.runtime;
  const ofOffload = offloadFindings(config, name);
  opened.offload?.(offload === "blocks" && canOffload(config, name));
  const own = isGpu === true ? "cuda" : provider === "webgpu" ? provider : "cpu";
  const isRecorded = name === "torch" || name === "onnx";
  const engine: PlannedEngine = { name: isRecorded ? name : "onnx", provider: own, precision };
  const reckoning = { engine, insteadOf: isRecorded ? null : name, speed: savedSpeed(engine, precision) };
  const least = await hopeless(config, examined);
  if (least.length > 0) return { findings: [...least, ...ofOffload], foreseen: null };
  const room = await roomOf(config, engine);
  const isSmall = room === null || surelyFits(config, examined, room);
  if (isSmall && !isRecorded) return { findings: ofOffload, foreseen: { ...reckoning, plan: null } };
  // Nearly all that such a plan costs it spares the run. With quantized weights, which a plan does not read, it would not fit the run's own.
  const isForRun = isSmall && config.acceleration.quantization === null;
  const settled = await settledPlan(config, step, examined, { engine, most: room?.bytes ?? null, isForRun });
  if (settled.isChosen) opened.offload?.(true);
  const { plan } = settled;
  const judged = { config, step, plan, offload: settled.config.runtime.offload, engine, speed: reckoning.speed };
  const ofMemory = isSmall ? [] : await memoryFindings(judged, examined);
  return { findings: [...ofMemory, ...ofOffload], foreseen: { ...reckoning, plan } };
}

function surelyFits({ model, optimization }: RunConfig, examined: Preflight, room: Room): boolean {
  const isSmall = room.bytes >= LEAST_ROOM && statSync(model.model_path).size * SURELY_SMALLER < room.bytes;
  return isSmall && mostTokens(examined) * optimization.batch_size <= FEW_TOKENS;
}

function mostTokens({ data }: Preflight): number {
  const tokens = data.outlines.map(({ sources }) =>
    Object.values(sources).reduce((sum, x) => sum + ("grid" in x ? x.grid.reduce((a, b) => a * b, 1) : 0), 0),
  );
  return tokens.reduce((a, b) => Math.max(a, b), 0);
}
