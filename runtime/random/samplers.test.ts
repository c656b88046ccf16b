import { suite } from "uvu";
import * as assert from "uvu/assert";
import { philoxSource } from "./draws.ts";
import type { DrawSource } from "./sampler.ts";
import { createSampler, shiftOf } from "./samplers.ts";

const test = suite("samplers");
const shifted = createSampler({
  timestep_sampling_mode: "shifted_logit_normal",
  timestep_sampling_params: { std: 1, eps: 1e-3, uniform_prob: 0.1 },
});

/** Hands out the same three numbers for every call: normal, uniform and mix. */
function fixed(normal: number, uniform: number, mix: number): DrawSource {
  return {
    randn: (_, count) => new Float32Array(count).fill(normal),
    rand: (name, count) => new Float32Array(count).fill(name.endsWith(".mix") ? mix : uniform),
  };
}

const near = (actual: number | undefined, expected: number, within: number) =>
  assert.ok(Math.abs(Number(actual) - expected) <= within, `${actual} is not ${expected}`);

test("the shift grows with the token count, by the published line", () => {
  near(shiftOf(126), 0.628451, 1e-6);
  near(shiftOf(1024), 0.95, 1e-12);
  near(shiftOf(4096), 2.05, 1e-12);
  near(shiftOf(8192), 3.516667, 1e-6);
});

test("the 5, 50 and 95 % quantiles at 4096 tokens are the published ones", () => {
  const levels = shifted(philoxSource(5, 0, 0), "video.sigma", 100_000, 4096).toSorted();
  near(levels[5_000], 0.257, 0.01);
  near(levels[50_000], 0.811, 0.005);
  near(levels[95_000], 0.969, 0.002);
});

test("a level above the 99.9 % quantile is 1; one below the 0.5 % quantile is reflected", () => {
  near(shifted(fixed(4, 0, 1), "sigma", 1, 4096)[0], 1, 0);
  const below = shifted(fixed(-2.6, 0, 1), "sigma", 1, 4096)[0];
  assert.ok(Number(below) > 1e-3 && Number(below) < 0.05, String(below));
});

test("a draw of at most uniform_prob chooses the uniform level in [eps, 1)", () => {
  near(shifted(fixed(0, 0.5, 0.1), "sigma", 1, 4096)[0], 0.999 * 0.5 + 0.001, 1e-7);
  near(shifted(fixed(0, 0.5, 0.1000001), "sigma", 1, 4096)[0], 0.826187, 1e-6);
});

test("uniform levels lie between their bounds", () => {
  const sampler = createSampler({
    timestep_sampling_mode: "uniform",
    timestep_sampling_params: { min_value: 0.2, max_value: 0.7 },
  });
  near(sampler(fixed(0, 0, 0), "sigma", 1, 1)[0], 0.2, 1e-7);
  near(sampler(fixed(0, 0.5, 0), "sigma", 1, 1)[0], 0.45, 1e-7);
});

test("levels of a run stay in [0, 1] and differ from step to step", () => {
  const levels = shifted(philoxSource(1, 0, 0), "video.sigma", 20_000, 9000);
  assert.ok(levels.every((level) => level >= 0 && level <= 1));
  assert.not.equal(levels, shifted(philoxSource(1, 1, 0), "video.sigma", 20_000, 9000));
  assert.equal(levels, shifted(philoxSource(1, 0, 0), "video.sigma", 20_000, 9000));
});

test.run();
