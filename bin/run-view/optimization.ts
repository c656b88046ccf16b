/** What `runtime.optimization` asks for, in words. */
import type { OwnOptimizationConfig } from "../../runtime/config/index.ts";

/** The settings of the section that are not the default. */
export type AskedFor = Partial<OwnOptimizationConfig>;

const names = { lion: "Lion", prodigy: "Prodigy" } as const;

/** `optimized by Prodigy, warm-up over 100 steps, moving average 0.999`; null where nothing is asked for. */
export function optimizationText(asked: AskedFor | undefined): string | null {
  const {
    optimizer,
    optimizer_params: params,
    weight_decay: decay,
    warmup_steps: warmup,
    groups,
    ema_decay: ema,
  } = asked ?? {};
  const set = Object.entries(params ?? {}).filter(([, value]) => value !== null && value !== false);
  const ofParams = set.map(([key, value]) => `${key} ${String(value)}`).join(", ");
  const average = asked?.evaluate_ema === true ? "for samples and evaluations" : "for samples";
  const parts = [
    optimizer == null ? null : `optimized by ${names[optimizer]} (${ofParams})`,
    warmup === undefined ? null : `warm-up over ${warmup} steps`,
    decay == null ? null : `weight decay ${decay}`,
    groups === undefined ? null : groups.map(groupText).join(", "),
    ema == null ? null : `moving average ${ema} of the weights, ${average}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join("; ");
}

function groupText({ match, learning_rate: rate, weight_decay: decay }: OwnOptimizationConfig["groups"][number]) {
  const own = [rate === null ? null : `learning rate ${rate}`, decay === null ? null : `weight decay ${decay}`];
  return `${match} with ${own.filter((part) => part !== null).join(" and ")}`;
}

/** Bytes of a training state for each trained number, in float32: the weight, the optimizer's moments, and the moving average. */
export function stateBytes({ optimizer, ema_decay: ema }: AskedFor = {}): number {
  const moments = optimizer === "lion" ? 1 : optimizer === "prodigy" ? 4 : 2;
  return 4 * (1 + moments + (ema == null ? 0 : 1));
}
