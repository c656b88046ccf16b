import type { RunConfig } from "./run-config.ts";

/** What a run is to be computed in; engines that have no bfloat16 take float32. */
export function precisionOf({ acceleration }: Pick<RunConfig, "acceleration">): "bfloat16" | "float32" {
  return acceleration.mixed_precision_mode === "bf16" ? "bfloat16" : "float32";
}
