import type { Draws, Ops, Shape } from "../contract.ts";
import { normal, uniform } from "./philox.ts";
import type { DrawSource, Sampler } from "./sampler.ts";
import { shiftedLogitNormalSampler } from "./samplers.ts";

/** The draws of one micro-batch: values depend on these three numbers and the draw's name alone. */
export function philoxSource(seed: number, step: number, microBatch: number): DrawSource {
  return {
    randn: (name, count) => normal({ seed, step, microBatch, name }, count),
    rand: (name, count) => uniform({ seed, step, microBatch, name }, count),
  };
}

const elements = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

/** The contract's draws over an engine. Every draw enters the step as an input of its name, so that a recorded step can be fed anew. */
export function createDraws(ops: Ops, source: DrawSource, sampler: Sampler): Draws {
  const input = (name: string, shape: Shape, data: Float32Array) => ops.input(name, { shape, dtype: "float32", data });
  return {
    randn(name, shape, storage) {
      const drawn = input(name, shape, source.randn(name, elements(shape)));
      return storage === undefined || storage === "float32" ? drawn : ops.round(drawn, storage);
    },
    rand: (name, shape) => input(name, shape, source.rand(name, elements(shape))),
    sampled: (name, shape, tokens) => input(name, shape, sampler(source, name, elements(shape), tokens)),
    shiftedLogitNormal: (name, shape, tokens, params) =>
      input(name, shape, shiftedLogitNormalSampler(params)(source, name, elements(shape), tokens)),
    numbers: (name, count) => [...source.rand(name, count)],
    chance: (name, probability) => (source.rand(name, 1)[0] ?? 0) < probability,
  };
}

/** The same, with every noise level at `sigma`, whichever way the strategy has it drawn; uniform and normal draws are left as they are. */
export function createDrawsAt(ops: Ops, source: DrawSource, sigma: number): Draws {
  const draws = createDraws(ops, source, (_source, _name, count) => new Float32Array(count).fill(sigma));
  return { ...draws, shiftedLogitNormal: draws.sampled };
}
