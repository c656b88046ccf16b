import { normal, permutation, uniform } from "../../runtime/random/philox.ts";
import { philoxSource } from "../../runtime/random/draws.ts";
import { createSampler, samplerDefaults, type FlowMatching } from "../../runtime/random/samplers.ts";

/** Seeds beyond 32 bits and below 0, names beyond ASCII, and an odd count, for which half a pair of normal numbers is left over. */
const places = [
  { seed: 42, step: 0, microBatch: 0, name: "video.noise" },
  { seed: -7, step: 3, microBatch: 2, name: "video.keep[0]#1" },
  { seed: 2 ** 40 + 3, step: 100_000, microBatch: 1, name: "ä" },
];
const COUNT = 50_001;
const LEVELS = 20_000;

const flows: readonly FlowMatching[] = [
  { timestep_sampling_mode: "uniform", timestep_sampling_params: { min_value: 0.1, max_value: 0.7 } },
  { timestep_sampling_mode: "shifted_logit_normal", timestep_sampling_params: samplerDefaults.shifted_logit_normal },
  {
    timestep_sampling_mode: "shifted_logit_normal",
    timestep_sampling_params: { std: 0.7, eps: 0.01, uniform_prob: 0.3 },
  },
];

/** What `ltxc run` draws, as plain data for draws.py. */
export function recordDraws(): unknown {
  return {
    numbers: places.map((place) => ({
      ...place,
      normal: Array.from(normal(place, COUNT)),
      uniform: Array.from(uniform(place, COUNT)),
      chances: [0, 0.3, 0.5, 0.9, 1].map((p) => [p, (uniform(place, 1)[0] ?? 0) < p]),
    })),
    levels: flows.flatMap((flow) => places.map((place, i) => levelsOf(flow, place, [126, 1024, 8192][i] ?? 0))),
    orders: places.map(({ seed }, epoch) => ({ seed, epoch, order: Array.from(permutation(seed, epoch, 1000)) })),
  };
}

function levelsOf(flow: FlowMatching, place: (typeof places)[number], tokens: number): unknown {
  const { seed, step, microBatch, name } = place;
  const levels = createSampler(flow)(philoxSource(seed, step, microBatch), name, LEVELS, tokens);
  const { timestep_sampling_mode: mode, timestep_sampling_params: params } = flow;
  return { ...place, mode, params, tokens, levels: Array.from(levels) };
}
