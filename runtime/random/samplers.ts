import type { ShiftedLogitNormal } from "../contract.ts";
import type { Sampler } from "./sampler.ts";

interface UniformParams {
  readonly min_value: number;
  readonly max_value: number;
}

/** The section `flow_matching` of a run config: which noise levels are trained on. */
export type FlowMatching =
  | { readonly timestep_sampling_mode: "uniform"; readonly timestep_sampling_params: UniformParams }
  | { readonly timestep_sampling_mode: "shifted_logit_normal"; readonly timestep_sampling_params: ShiftedLogitNormal };

/** The parameters of each mode where the run config leaves them out: those of the official trainer. */
export const samplerDefaults = {
  uniform: { min_value: 0, max_value: 1 },
  shifted_logit_normal: { std: 1, eps: 1e-3, uniform_prob: 0.1 },
} as const;

/** The section of a run config that leaves it out. */
export const defaultFlowMatching: FlowMatching = {
  timestep_sampling_mode: "shifted_logit_normal",
  timestep_sampling_params: samplerDefaults.shifted_logit_normal,
};

export function createSampler(choice: FlowMatching): Sampler {
  return choice.timestep_sampling_mode === "uniform"
    ? uniformSampler(choice.timestep_sampling_params)
    : shiftedLogitNormalSampler(choice.timestep_sampling_params);
}

/** σ ~ U(min_value, max_value). */
function uniformSampler({ min_value, max_value }: UniformParams): Sampler {
  const [low, width] = [f32(min_value), f32(max_value - min_value)];
  return (source, name, count) => source.rand(`${name}.uniform`, count).map((u) => f32(u * width) + low);
}

/** Of the standard normal distribution: what 99.9 % and 0.5 % of the draws lie below. */
const UPPER_QUANTILE = 3.0902;
const LOWER_QUANTILE = -2.5758;
/** The mean of the logit at two sequence lengths; it is linear between them and beyond. */
const SHORT = { tokens: 1024, shift: 0.95 };
const LONG = { tokens: 4096, shift: 2.05 };

/** μ: the longer the sequence, the more noise it takes to hide its content. */
export function shiftOf(tokens: number): number {
  const slope = (LONG.shift - SHORT.shift) / (LONG.tokens - SHORT.tokens);
  return tokens * slope + (SHORT.shift - slope * SHORT.tokens);
}

/**
 * A logit-normal σ, shifted by the token count and stretched so that its 0.5 % and 99.9 % quantiles become 0 and 1; values below
 * `eps` are reflected at it. A share `uniform_prob` of the levels is uniform in [eps, 1) instead. Rounded to float32 where the
 * reference is.
 */
export function shiftedLogitNormalSampler({ std, eps, uniform_prob }: ShiftedLogitNormal): Sampler {
  return (source, name, count, tokens) => {
    const mu = shiftOf(tokens);
    const high = sigmoid(mu + UPPER_QUANTILE * std);
    const low = sigmoid(mu + LOWER_QUANTILE * std);
    const mixed = source.rand(`${name}.mix`, count);
    const uniform = source.rand(`${name}.uniform`, count);
    return source.randn(`${name}.normal`, count).map((normal, i) => {
      const z = sigmoid(f32(f32(normal * f32(std)) + f32(mu)));
      const r = f32(f32(z - low) / f32(high - low));
      const stretched = Math.min(1, Math.max(0, r >= f32(eps) ? r : f32(f32(2 * eps) - r)));
      return (mixed[i] as number) > f32(uniform_prob)
        ? stretched
        : f32(f32(1 - eps) * (uniform[i] as number)) + f32(eps);
    });
  };
}

const f32 = Math.fround;

function sigmoid(x: number): number {
  return f32(1 / (1 + Math.exp(-f32(x))));
}
