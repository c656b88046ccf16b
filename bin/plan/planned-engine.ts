/** The engine that a plan is reckoned for. */
import { precisionOf, type RunConfig } from "../../runtime/config/index.ts";
import {
  foreseeEngine,
  speedOfCard,
  type CardSpeed,
  type EngineName,
  type ForeseenEngine,
  type MeasuredSpeed,
  type PlannedCard,
  type PlannedEngine,
} from "../../runtime/index.ts";

/** What a plan is made for. */
interface Chosen {
  readonly engine: PlannedEngine;
  /** What the run will compute with, where that records no graphs, so that nothing can be reckoned for it; otherwise null. */
  readonly insteadOf: EngineName | "ltx-trainer" | null;
}

/** With what a plan is reckoned. */
export interface Reckoning extends Chosen {
  /** Of the engine; null where it does not work here, or nothing is published of the card that the plan is for. */
  readonly speed: MeasuredSpeed | CardSpeed | null;
}

/** The same on a card that need not be here: PyTorch on CUDA, unless the run config says ONNX Runtime. */
export function reckoningOn(card: PlannedCard, config: RunConfig): Reckoning {
  const precision = precisionOf(config);
  const engine: PlannedEngine =
    config.runtime.engine === "onnx"
      ? { name: "onnx", provider: "cuda", precision: "float32" }
      : { name: "torch", provider: "cuda", precision };
  return { engine, insteadOf: null, speed: speedOfCard(card, engine.precision) };
}

/**
 * What a run would compute with, as far as a plan can be made for it, and how fast that is here.
 * @throws FindingsError LTX7050 if there is no usable PyTorch where the run config says
 */
export async function reckoningFor(config: RunConfig): Promise<Reckoning> {
  const { speed, ...chosen } = await plannedEngine(config);
  return { ...chosen, speed: await speed() };
}

/** The same without the speed, which may have to be measured first. Errors: as `reckoningFor`. */
export async function plannedEngine(config: RunConfig): Promise<Chosen & Pick<ForeseenEngine, "speed">> {
  const { engine: asked, provider, torch } = config.runtime;
  if (asked !== "auto" && asked !== "onnx" && asked !== "torch") return onOnnx(asked);
  const foreseen = await foreseeEngine(asked, { provider, torch, precision: precisionOf(config) });
  const { name, precision, speed } = foreseen;
  if (name !== "onnx" && name !== "torch") return onOnnx(name);
  return { engine: { name, provider: foreseen.provider ?? "cpu", precision }, insteadOf: null, speed };
}

async function onOnnx(insteadOf: EngineName | "ltx-trainer"): Promise<Chosen & Pick<ForeseenEngine, "speed">> {
  const { speed } = await foreseeEngine("onnx", { provider: "cpu" });
  return { engine: { name: "onnx", provider: "cpu", precision: "float32" }, insteadOf, speed };
}

/** "the engine torch on cuda, in bfloat16", and what the run takes instead, if it does. */
export function reckoningText({ engine: { name, provider, precision }, insteadOf }: Chosen): string {
  const taken = { "ltx-trainer": "the official trainer" }[insteadOf as string] ?? `the engine ${insteadOf}`;
  const note = insteadOf === null ? "" : `; the run takes ${taken}, which can not be reckoned`;
  return `the engine ${name} on ${provider}, in ${precision}${note}`;
}
