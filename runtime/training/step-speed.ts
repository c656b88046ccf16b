import type { Precision } from "../engine/engine.ts";
import type { StepEvent } from "../metrics/events.ts";
import { gpuPeak } from "../metrics/gpu-peaks.ts";
import type { GpuUse } from "../metrics/gpu-watch.ts";

/** What a step did. */
interface StepWork {
  readonly samples: number;
  readonly tokens: number;
  /** Of matrix products; null for engines that do not count them. */
  readonly flops: number | null;
  readonly seconds: number;
}

type Speed = Pick<StepEvent, "samplesPerSecond" | "tokensPerSecond" | "flopsPerSecond" | "mfu" | "gpu">;

/** How much a step did for its time, and for what the GPU could do. */
export function speedOf(
  { samples, tokens, flops, seconds }: StepWork,
  precision: Precision = "float32",
  gpu: GpuUse | null = null,
): Speed {
  const flopsPerSecond = flops === null ? null : flops / seconds;
  const peak = gpu === null ? null : gpuPeak(gpu.name, precision);
  return {
    samplesPerSecond: samples / seconds,
    tokensPerSecond: tokens / seconds,
    flopsPerSecond,
    mfu: peak === null || flopsPerSecond === null ? null : flopsPerSecond / peak,
    gpu,
  };
}
