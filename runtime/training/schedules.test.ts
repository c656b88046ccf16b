import { readFileSync } from "node:fs";
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

test("constant and linear rates are those that the reference's schedules gave", () => {
  const cases = ["defaults_40", "custom_40"].flatMap((name): { [key: string]: unknown; lr: number[] }[] => {
    const manifest = new URL(`../../conformance/vectors/schedulers/${name}/manifest.json`, import.meta.url);
    return JSON.parse(readFileSync(manifest, "utf8")).items;
  });
  const supported = cases.filter(({ scheduler_type: type }) => type === "constant" || type === "linear");
  assert.ok(supported.length >= 3, String(supported.length));
  for (const { learning_rate, steps, scheduler_type, scheduler_params, lr } of supported) {
    const params = scheduler_type === "constant" ? {} : scheduler_params;
    const optimization = {
      learning_rate,
      steps,
      scheduler_type,
      scheduler_params: params,
    } as Partial<OptimizationConfig>;
    near(rates(optimization, lr.length), lr);
  }
});

test.run();
