import { closeSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeFolderSync } from "../../files/atomic.ts";
import type { StepEvent, TrainEvent } from "../events.ts";
import type { MetricsSink } from "../sink.ts";
import { record, scalarsEvent, startEvent, versionEvent, type Scalars } from "./records.ts";

/**
 * Writes a run's scalars for TensorBoard, in a new file of `folder` each time that a run begins or goes on; the folder is made with
 * the first event.
 */
export function openEventFile(folder: string, now: () => number = Date.now): MetricsSink {
  let file: number | null = null;
  let isClosed = false;
  const close = () => {
    if (file !== null) closeSync(file);
    file = null;
    isClosed = true;
  };
  const write = (event: TrainEvent): void => {
    const wallTime = now() / 1000;
    const append = (data: Uint8Array) => writeSync((file ??= create(folder, wallTime)), record(data));
    if (event.type === "started") {
      append(versionEvent(wallTime));
      // A run that goes on keeps the steps that it has done; one that begins voids all that another one left in its folder.
      append(startEvent({ wallTime, step: event.globalStep === 0 ? 0 : event.globalStep + 1 }));
    }
    const scalars = scalarsOf(event);
    if (scalars.length > 0 && "globalStep" in event)
      append(scalarsEvent({ wallTime, step: event.globalStep }, scalars));
  };
  return {
    write(event) {
      if (isClosed) return null;
      try {
        write(event);
        return null;
      } catch (error) {
        close();
        return String(error);
      }
    },
    close,
  };
}

/** TensorBoard reads the files of a folder in the order of their names and looks for `tfevents` in them. */
function create(folder: string, wallTime: number): number {
  makeFolderSync(folder);
  const name = `events.out.tfevents.${Math.floor(wallTime)}.${hostname()}.${process.pid}`;
  for (let part = 0; ; part++) {
    try {
      return openSync(join(folder, `${name}.${part}`), "wx");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** Under the official trainer's names where it has one. */
function scalarsOf(event: TrainEvent): Scalars {
  if (event.type === "evaluation") {
    return [
      ["eval/loss", event.loss],
      ...Object.entries(event.terms).map(([name, value]) => [`eval/loss_${name}`, value] as const),
      ...event.sigmas.map(({ sigma, loss }) => [`eval/loss_sigma_${sigma}`, loss] as const),
      ...ofDatasets("eval", event.datasets),
    ];
  }
  if (event.type !== "step") return [];
  const { loss, learningRate, gradNorm, secondsPerStep, samplesPerSecond, tokensPerSecond } = event;
  return [
    ["train/loss", loss],
    ...Object.entries(event.terms).map(([name, value]) => [`train/loss_${name}`, value] as const),
    ...Object.entries(event.sigmaBuckets).map(([range, value]) => [`train/loss_sigma_${range}`, value] as const),
    ...ofDatasets("train", event.datasets),
    ["train/learning_rate", learningRate],
    ["train/grad_norm", gradNorm],
    ["train/step_time", secondsPerStep],
    ["train/samples_per_second", samplesPerSecond],
    ["train/tokens_per_second", tokensPerSecond],
    ...gpuScalars(event),
  ];
}

function ofDatasets(group: string, datasets: StepEvent["datasets"] = {}): Scalars {
  return Object.entries(datasets).map(([name, value]) => [`${group}/loss_dataset_${name}`, value] as const);
}

function gpuScalars({ mfu, gpu }: StepEvent): Scalars {
  const share: Scalars = mfu === null ? [] : [["train/mfu", mfu]];
  if (gpu === null) return share;
  return [...share, ["train/gpu_memory_gb", gpu.memoryBytes / 1e9], ["train/gpu_utilization", gpu.utilization]];
}
