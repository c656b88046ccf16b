/** Settings with which a run may take less memory. */
import type { RunConfig } from "../../runtime/config/index.ts";
import type { StrategyInfo } from "../../runtime/contract.ts";
import type { PlannedEngine, Preflight } from "../../runtime/index.ts";
import { canOffload } from "./offload.ts";

/** A setting as it is written in the run config, and what it does. */
export interface Change {
  readonly setting: string;
  /** The same for a table, in fewer letters. */
  readonly short: string;
  /** Whether it is one of those that save most, whose combinations are worth a look. */
  readonly isMain: boolean;
  /** Whether the run then computes with PyTorch. */
  readonly isToTorch?: true;
  apply(config: RunConfig): RunConfig;
}

/**
 * Changes that may save memory on this engine. An optimizer step trains on as many samples as before, in batches of `smallest` or more.
 */
export function changesOf(config: RunConfig, { name }: PlannedEngine, smallest = 1): readonly Change[] {
  const { optimization, runtime } = config;
  const { enable_gradient_checkpointing, optimizer_type, batch_size, gradient_accumulation_steps } = optimization;
  const microBatches = (batch_size / smallest) * gradient_accumulation_steps;
  return [
    ...(name === "onnx" ? [toTorch] : []),
    ...(runtime.offload !== "blocks" && canOffload(config, name) ? [offloadTo("blocks")] : []),
    ...(canOffload(config, name) ? quantizingOf(config) : []),
    checkpointingTo(!enable_gradient_checkpointing),
    ...(optimizer_type === "adamw" && runtime.optimization.optimizer === null
      ? [inOptimization("optimizer_type: adamw8bit", "adamw8bit", { optimizer_type: "adamw8bit" })]
      : []),
    ...(batch_size > smallest && Number.isInteger(microBatches)
      ? [
          inOptimization(
            `batch_size: ${smallest}, gradient_accumulation_steps: ${microBatches}`,
            `batches of ${smallest}`,
            {
              batch_size: smallest,
              gradient_accumulation_steps: microBatches,
            },
          ),
        ]
      : []),
  ];
}

/** How many samples a batch has at least: whole shares of each data set, and two where they are compared. */
export function smallestBatch({ smallestBatch = 1 }: StrategyInfo, { data }: Preflight): number {
  const counts = (data.mixture ?? []).map(({ perBatch }) => perBatch);
  const whole = counts.reduce((a, b) => a + b, 0) / counts.reduce(commonDivisor, 0) || 1;
  return whole * Math.ceil(smallestBatch / whole);
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** ONNX Runtime computes in float32, and can not leave weights on the host. */
export const toTorch: Change = {
  setting: "runtime.engine: torch",
  short: "engine: torch",
  isMain: false,
  isToTorch: true,
  apply: (config) => ({ ...config, runtime: { ...config.runtime, engine: "torch" } }),
};

/** Frozen weights of blocks on the host, or all on the device. */
export const offloadTo = (offload: "blocks" | "none"): Change => ({
  setting: `runtime.offload: ${offload}`,
  short: `offload: ${offload}`,
  isMain: true,
  apply: (config) => ({ ...config, runtime: { ...config.runtime, offload } }),
});

function checkpointingTo(enable_gradient_checkpointing: boolean): Change {
  const setting = `enable_gradient_checkpointing: ${enable_gradient_checkpointing}`;
  const short = enable_gradient_checkpointing ? "checkpointing" : "no checkpointing";
  return {
    ...inOptimization(setting, short, { enable_gradient_checkpointing }),
    isMain: enable_gradient_checkpointing,
  };
}

/** 8 bits first: 4 bits are offered to those who have taken 8. */
export function quantizingOf({ acceleration: { quantization } }: RunConfig): readonly Change[] {
  if (quantization === "int4-quanto") return [];
  const next = quantization === null ? "int8-quanto" : "int4-quanto";
  return [
    {
      setting: `acceleration.quantization: ${next}`,
      short: next,
      isMain: true,
      apply: (config) => ({ ...config, acceleration: { ...config.acceleration, quantization: next } }),
    },
  ];
}

function inOptimization(setting: string, short: string, changed: Partial<RunConfig["optimization"]>): Change {
  return {
    setting,
    short,
    isMain: false,
    apply: (config) => ({ ...config, optimization: { ...config.optimization, ...changed } }),
  };
}
