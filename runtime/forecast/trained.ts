import { loraOf } from "../config/index.ts";
import type { RunConfig } from "../config/run-config.ts";
import { matchTargets } from "../model/lora.ts";
import { transformerLayout } from "../model/parameters.ts";
import type { Preflight } from "../opening/preflight.ts";

/** Bytes of the adapters that a run trains, in float32; 0 where it trains the model's own weights, which are in its file. */
export function trainedBytes(config: RunConfig, { model }: Preflight): number {
  const lora = loraOf(config);
  if (lora === null || model === null) return 0;
  const { targets } = matchTargets(transformerLayout(model.config), lora);
  return targets.reduce((sum, { inputs, outputs }) => sum + 4 * lora.rank * (inputs + outputs), 0);
}
