import type { OptimizationConfig } from "../config/run-config.ts";

/** The learning rate of optimizer step `j`, counted from 0 over the whole run: a closed form, so that a resumed run needs no state. */
export type Schedule = (j: number) => number;

type ScheduleType = OptimizationConfig["scheduler_type"];

/** What a schedule is made of; `param` reads one of its parameters, all of which are complete and in their ranges. */
interface Setting {
  /** The learning rate of the run config. */
  readonly base: number;
  /** Optimizer steps of the whole run. */
  readonly steps: number;
  param(name: string): number;
}

const schedules: Readonly<Record<ScheduleType, (setting: Setting) => Schedule>> = {
  constant:
    ({ base }) =>
    () =>
      base,

  linear: ({ base, steps, param }) => {
    const [start, end] = [param("start_factor"), param("end_factor")];
    return (j) => base * (start + ((end - start) * Math.min(j, steps)) / steps);
  },

  /** η + (b - η)(1 + cos(π j / T)) / 2, which rises again beyond T. */
  cosine: ({ base, steps, param }) => {
    const floor = param("eta_min");
    return (j) => halfCosine(base, floor, j / steps);
  },

  /** The same over periods of T_0, T_0 · T_mult, T_0 · T_mult², ... steps (Loshchilov and Hutter, "SGDR", 2017). */
  cosine_with_restarts: ({ base, param }) => {
    const [first, factor, floor] = [param("T_0"), param("T_mult"), param("eta_min")];
    return (j) => halfCosine(base, floor, shareOfPeriod(j, first, factor));
  },

  polynomial: ({ base, steps, param }) => {
    const power = param("power");
    return (j) => base * (1 - Math.min(j, steps) / steps) ** power;
  },

  step: ({ base, param }) => {
    const [size, gamma] = [param("step_size"), param("gamma")];
    return (j) => base * gamma ** Math.floor(j / size);
  },
};

/** The rate of a run's optimizer steps. Its settings are complete and in their ranges, as the run config is resolved. */
export function createSchedule({
  learning_rate,
  steps,
  scheduler_type,
  scheduler_params,
}: OptimizationConfig): Schedule {
  const param = (name: string) => Number(scheduler_params[name]);
  return schedules[scheduler_type]({ base: learning_rate, steps, param });
}

/** From `top` at share 0 of a period down to `floor` at share 1. */
function halfCosine(top: number, floor: number, share: number): number {
  return floor + ((top - floor) * (1 + Math.cos(Math.PI * share))) / 2;
}

/** How far step `j` is into its period, in [0, 1); periods grow by `factor`. */
function shareOfPeriod(j: number, first: number, factor: number): number {
  if (factor === 1) return (j % first) / first;
  let [begin, length] = [0, first];
  while (j >= begin + length) {
    begin += length;
    length *= factor;
  }
  return (j - begin) / length;
}
