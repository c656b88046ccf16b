import type { Finding } from "../findings.ts";
import { conform } from "./conform.ts";
import type { Schema } from "./schema.ts";
import type { RunConfig } from "./run-config.ts";
import { samplerDefaults, type FlowMatching } from "../random/samplers.ts";

const number = (value: number, limits: Schema): Schema => ({ type: "number", default: value, ...limits });
const share = (value: number) => number(value, { minimum: 0, maximum: 1 });
const closed = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  additionalProperties: false,
  properties,
});

const { uniform, shifted_logit_normal } = samplerDefaults;

/** What `timestep_sampling_params` may hold depends on `timestep_sampling_mode`. */
const samplers: Readonly<Record<FlowMatching["timestep_sampling_mode"], Schema>> = {
  uniform: closed({ min_value: share(uniform.min_value), max_value: share(uniform.max_value) }),
  shifted_logit_normal: closed({
    std: number(shifted_logit_normal.std, { exclusiveMinimum: 0 }),
    eps: number(shifted_logit_normal.eps, { minimum: 0, exclusiveMaximum: 1 }),
    uniform_prob: share(shifted_logit_normal.uniform_prob),
  }),
};

const beta = (value: number) => number(value, { minimum: 0, exclusiveMaximum: 1 });
const count = (value: number): Schema => ({ type: "integer", default: value, minimum: 1 });

/**
 * What `scheduler_params` may hold depends on `scheduler_type`, and some defaults on the number of steps: too few of them leave
 * nothing for a default, which is then out of its range. What a constant rate gets is not looked at.
 */
const schedules: Readonly<Record<string, (steps: number) => Schema>> = {
  linear: () => closed({ start_factor: number(1, { exclusiveMinimum: 0, maximum: 1 }), end_factor: share(0.1) }),
  cosine: () => closed({ eta_min: number(0, { minimum: 0 }) }),
  cosine_with_restarts: (steps) =>
    closed({ T_0: count(Math.floor(steps / 4)), T_mult: count(1), eta_min: number(5e-5, { minimum: 0 }) }),
  polynomial: () => closed({ power: number(1, { minimum: 0 }) }),
  step: (steps) => closed({ step_size: count(Math.floor(steps / 2)), gamma: number(0.1, { exclusiveMinimum: 0 }) }),
};

/** What `runtime.optimization.optimizer_params` may hold depends on the `optimizer`; that of the official format has none. */
const optimizers: Readonly<Record<NonNullable<RunConfig["runtime"]["optimization"]["optimizer"]>, Schema>> = {
  lion: closed({ beta1: beta(0.9), beta2: beta(0.99) }),
  prodigy: closed({
    d0: number(1e-6, { exclusiveMinimum: 0 }),
    d_coef: number(1, { exclusiveMinimum: 0 }),
    growth_rate: { type: ["null", "number"], default: null, exclusiveMinimum: 1 },
    beta1: beta(0.9),
    beta2: beta(0.999),
    epsilon: number(1e-8, { exclusiveMinimum: 0 }),
    safeguard_warmup: { type: "boolean", default: false },
  }),
};

type Fit = <Params extends object>(schema: Schema | undefined, params: Params, path: Finding["path"]) => Params;

/** Judges and completes the three free mappings of the run config by the setting that says what they mean. */
export function withVariants(config: RunConfig, findings: Finding[]): RunConfig {
  const { flow_matching, optimization, runtime } = config;
  const own = runtime.optimization;
  const fit: Fit = (schema, params, path) =>
    // `conform` fills in a schema's defaults and keeps the rest: the result has the type that the schema describes.
    schema === undefined ? params : (conform(schema, params, path, findings) as typeof params);
  return {
    ...config,
    flow_matching: completed(flow_matching, fit),
    runtime: {
      ...runtime,
      optimization: {
        ...own,
        optimizer_params: fit(own.optimizer === null ? undefined : optimizers[own.optimizer], own.optimizer_params, [
          "runtime",
          "optimization",
          "optimizer_params",
        ]),
      },
    },
    optimization: {
      ...optimization,
      scheduler_params: fit(
        schedules[optimization.scheduler_type]?.(optimization.steps),
        optimization.scheduler_params,
        ["optimization", "scheduler_params"],
      ),
    },
  };
}

function completed(section: FlowMatching, fit: Fit): FlowMatching {
  const path = ["flow_matching", "timestep_sampling_params"];
  return section.timestep_sampling_mode === "uniform"
    ? { ...section, timestep_sampling_params: fit(samplers["uniform"], section.timestep_sampling_params, path) }
    : {
        ...section,
        timestep_sampling_params: fit(samplers["shifted_logit_normal"], section.timestep_sampling_params, path),
      };
}
