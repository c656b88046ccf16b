import type { OptimizationConfig } from "../config/run-config.ts";

/** The learning rate of optimizer step `j`, counted from 0 over the whole run: a closed form, so that a resumed run needs no state. */
export type Schedule = (j: number) => number;

type ScheduleType = OptimizationConfig["scheduler_type"];

/** One entry per type that this version supports; parameters are complete and in their ranges, as the run config is resolved. */
const schedules: Partial<Record<ScheduleType, (options: OptimizationConfig) => Schedule>> = {
  constant:
    ({ learning_rate }) =>
    () =>
      learning_rate,
  linear: ({ learning_rate, steps, scheduler_params }) => {
    const [start, end] = [Number(scheduler_params["start_factor"]), Number(scheduler_params["end_factor"])];
    return (j) => learning_rate * (start + ((end - start) * Math.min(j, steps)) / steps);
  },
};

/** @throws Error for a type that the run config should have been refused for */
export function createSchedule(options: OptimizationConfig): Schedule {
  const create = schedules[options.scheduler_type];
  if (create === undefined) throw new Error(`no schedule ${options.scheduler_type}`);
  return create(options);
}
