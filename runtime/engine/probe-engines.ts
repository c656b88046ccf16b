/** Every engine of this machine, opened and measured. */
import type { EngineName, Precision } from "./engine.ts";
import { measured } from "./engine-speed.ts";
import {
  failureOf,
  isSlowOnCpu,
  open,
  orderFor,
  precisionFor,
  preference,
  probed,
  titleOf,
  type Candidate,
} from "./open-engine.ts";
import type { Provider } from "./onnx/provider.ts";
import type { MeasuredSpeed } from "./saved-speeds.ts";

export interface EngineProbe {
  readonly name: EngineName;
  /** What the engine computes with; null where it has no choice. */
  readonly provider: Provider | null;
  /** What the model is computed in. An engine that can do both is probed in both. */
  readonly precision: Precision;
  readonly available: boolean;
  /** What the engine is, or why it can not be used. */
  readonly reason: string;
  /** Whether it computes on an NVIDIA GPU. */
  readonly isGpu: boolean;
  /** Measured just now; null where it can not be used. */
  readonly speed: MeasuredSpeed | null;
}

/**
 * Opens and measures every engine with each of its providers, in each precision that it has, in the order of preference.
 * @param torch where PyTorch is; null, the default, looks for it
 */
export async function probeEngines(torch: string | null = null): Promise<EngineProbe[]> {
  const probes: EngineProbe[] = [];
  for (const candidate of probed) {
    const wide = await probe(candidate, torch, "float32");
    probes.push(wide);
    if (candidate.name === "torch" && wide.available) probes.push(await probe(candidate, torch, "bfloat16"));
  }
  return probes;
}

async function probe(candidate: Candidate, torch: string | null, precision: Precision): Promise<EngineProbe> {
  const found = { ...candidate, precision };
  try {
    const { engine, description } = await open(candidate, { isStrict: false, torch, precision });
    const speed = await measured(candidate, engine);
    return { ...found, available: true, reason: description, isGpu: engine.isGpu === true, speed };
  } catch (error) {
    return { ...found, available: false, reason: failureOf(candidate, error), isGpu: false, speed: null };
  }
}

/** The engine that `auto` takes for a run of this precision, according to the probes; null if none works. */
export function takenByAuto(probes: readonly EngineProbe[], precision: Precision = "float32"): EngineProbe | null {
  const taken = orderFor(precision, preference).map((x) => {
    const same = probes.filter((probe) => titleOf(probe) === titleOf(x));
    return same.find((probe) => probe.precision === precisionFor(x, precision)) ?? same[0];
  });
  return taken.find((probe) => probe?.available === true && !isSlowOnCpu(probe, probe)) ?? null;
}
