import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { OptimizationConfig } from "../config/index.ts";
import { resolveConfig } from "../config/index.ts";
import { createSchedule } from "./schedules.ts";

const test = suite("schedules");

function rates(optimization: Partial<OptimizationConfig>, count: number): number[] {
  const raw = { model: { model_path: "m" }, lora: {}, data: { preprocessed_data_root: "d" }, optimization };
  const { config } = resolveConfig(raw, { configDirectory: "/" });
  if (config === null) throw new Error("the config is right");
  const schedule = createSchedule(config.optimization);
  return Array.from({ length: count }, (_, j) => schedule(j));
}

const near = (actual: readonly number[], expected: readonly number[]) =>
  assert.ok(
    actual.every((rate, j) => Math.abs(rate - (expected[j] ?? 0)) < 1e-12),
    actual.join(),
  );

test("a constant rate does not change", () => {
  near(rates({ scheduler_type: "constant", learning_rate: 2e-3, steps: 2 }, 4), [2e-3, 2e-3, 2e-3, 2e-3]);
});

test("a linear rate falls to a tenth at the last step and stays there", () => {
  near(rates({ learning_rate: 1e-3, steps: 10 }, 5), [1e-3, 9.1e-4, 8.2e-4, 7.3e-4, 6.4e-4]);
  near(rates({ learning_rate: 1e-3, steps: 2 }, 5), [1e-3, 5.5e-4, 1e-4, 1e-4, 1e-4]);
});

test("a linear rate goes from its start factor to its end factor", () => {
  const scheduler_params = { start_factor: 0.5, end_factor: 1 };
  near(rates({ learning_rate: 1, steps: 4, scheduler_params }, 6), [0.5, 0.625, 0.75, 0.875, 1, 1]);
});

test("a cosine falls by half a wave and rises again past the last step", () => {
  const cosine = { scheduler_type: "cosine", learning_rate: 1e-3, steps: 10 } as const;
  near(rates(cosine, 5), [1e-3, 9.75528258147577e-4, 9.04508497187474e-4, 7.93892626146237e-4, 6.54508497187474e-4]);
  near(rates({ ...cosine, scheduler_params: { eta_min: 1e-5 } }, 2), [1e-3, 9.757729755661011e-4]);
  near(rates({ ...cosine, steps: 2 }, 5), [1e-3, 5e-4, 0, 5e-4, 1e-3]);
});

test("restarts begin anew, in periods that may grow", () => {
  const restarts = { scheduler_type: "cosine_with_restarts", learning_rate: 1e-3, steps: 10 } as const;
  near(rates(restarts, 5), [1e-3, 5.25e-4, 1e-3, 5.25e-4, 1e-3]);
  near(
    rates({ ...restarts, scheduler_params: { T_mult: 2 } }, 7),
    [1e-3, 5.25e-4, 1e-3, 8.6087572106361e-4, 5.25e-4, 1.8912427893639e-4, 1e-3],
  );
});

test("a polynomial reaches 0 at the last step and stays there", () => {
  const polynomial = { scheduler_type: "polynomial", learning_rate: 1e-3, steps: 10 } as const;
  near(rates(polynomial, 3), [1e-3, 9e-4, 8e-4]);
  near(rates({ ...polynomial, scheduler_params: { power: 2 } }, 12).slice(8), [4e-5, 1e-5, 0, 0]);
});

test("steps multiply the rate by gamma", () => {
  const step = { scheduler_type: "step", learning_rate: 1e-3, steps: 10 } as const;
  near(rates(step, 11).slice(4), [1e-3, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-5]);
  near(rates({ ...step, scheduler_params: { step_size: 2, gamma: 0.5 } }, 5), [1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4]);
});

test.run();
