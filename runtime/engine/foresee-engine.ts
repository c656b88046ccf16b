/** What a run will compute with, before it begins. */
import { existsSync } from "node:fs";
import { FindingsError } from "../findings.ts";
import type { EngineName, Precision } from "./engine.ts";
import { savedSpeed, speedOf } from "./engine-speed.ts";
import { openFirst, precisionFor, type Candidate, type EngineOptions } from "./open-engine.ts";
import type { MeasuredSpeed } from "./saved-speeds.ts";
import { lookForTorch } from "./torch/find-torch.ts";
import { hasBfloat16 } from "./torch/processor.ts";

/** What a run will compute with, as far as that can be said beforehand. */
export interface ForeseenEngine extends Candidate {
  readonly precision: Precision;
  /** As it was measured last on this machine, or now; null where the engine does not work here, or may not be started to measure it. */
  speed(): Promise<MeasuredSpeed | null>;
}

/**
 * The engine that `openEngine` would take, and its speed: as `probeEngines` has measured it, or measured now.
 * @param torch where PyTorch is, as a run config names it: its library is not loaded, since only a run may run what comes with a project
 * @throws FindingsError LTX7050 if there is no usable PyTorch where it was said to be
 */
export async function foreseeEngine(asked: EngineName | "auto", options: EngineOptions): Promise<ForeseenEngine> {
  const { provider = "auto", torch = null, precision = "float32" } = options;
  if (torch !== null && (asked === "torch" || asked === "auto")) {
    const { cuda } = await lookForTorch(torch);
    const isOnGpu = provider === "cuda" || (provider === "auto" && cuda !== null && hasNvidiaGpu());
    const candidate: Candidate = { name: "torch", provider: isOnGpu ? "cuda" : "cpu" };
    const isTaken = asked === "torch" || isOnGpu || (precision === "bfloat16" && hasBfloat16());
    const own = precisionFor(candidate, precision);
    if (isTaken) return { ...candidate, precision: own, speed: async () => savedSpeed(candidate, own) };
  }
  try {
    const { engine, candidate } = await openFirst(asked, { ...options, torch: null });
    return { ...candidate, precision: engine.precision ?? "float32", speed: () => speedOf(candidate, engine) };
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    // A plan may be made for another machine.
    const name = asked === "auto" ? "onnx" : asked;
    const hasProvider = name === "onnx" || name === "torch";
    const chosen = provider === "auto" ? "cpu" : provider;
    return {
      name,
      provider: hasProvider ? chosen : null,
      precision: name === "torch" ? precision : "float32",
      speed: async () => null,
    };
  }
}

const hasNvidiaGpu = (): boolean => existsSync("/dev/nvidiactl");
