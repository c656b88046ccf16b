import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Ops, Tensor } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { createDraws, createDrawsAt, philoxSource } from "./draws.ts";
import type { DrawSource } from "./sampler.ts";
import { createSampler } from "./samplers.ts";

const test = suite("draws");
const { engine } = await openEngine("cpu");
const uniform = createSampler({
  timestep_sampling_mode: "uniform",
  timestep_sampling_params: { min_value: 0.5, max_value: 1 },
});
const read = async (x: Tensor) => Array.from((await engine.read(x)).data);

test("a draw is the source's numbers in the shape that was asked for", async () => {
  const draws = createDraws(engine.ops, philoxSource(7, 2, 1), uniform);
  const noise = draws.randn("video.noise", [2, 3]);
  assert.equal(noise.shape, [2, 3]);
  assert.equal(await read(noise), Array.from(philoxSource(7, 2, 1).randn("video.noise", 6)));
  assert.equal(
    await read(draws.rand("video.keep[0]", [4])),
    Array.from(philoxSource(7, 2, 1).rand("video.keep[0]", 4)),
  );
});

test("at a fixed level every way to draw a noise level gives it, and other draws are as ever", async () => {
  const draws = createDrawsAt(engine.ops, philoxSource(7, 2, 1), 0.25);
  assert.equal(await read(draws.sampled("video.sigma", [2], 100)), [0.25, 0.25]);
  const params = { std: 1, eps: 1e-3, uniform_prob: 0.1 };
  assert.equal(await read(draws.shiftedLogitNormal("video.sigma", [1, 2], 100, params)), [0.25, 0.25]);
  assert.equal(await read(draws.rand("a", [2])), Array.from(philoxSource(7, 2, 1).rand("a", 2)));
});

test("the order of draws does not matter", async () => {
  const [a, b] = [1, 2].map(() => createDraws(engine.ops, philoxSource(7, 0, 0), uniform));
  const first = a?.randn("x", [3]);
  const [, second] = [b?.randn("y", [3]), b?.randn("x", [3])];
  if (first === undefined || second === undefined) return assert.unreachable();
  assert.equal(await read(first), await read(second));
});

test("noise is rounded to the storage type of the latents", async () => {
  const source: DrawSource = {
    randn: () => Float32Array.of(1 + 2 ** -8, 1 + 2 ** -7),
    rand: () => new Float32Array(2),
  };
  const draws = createDraws(engine.ops, source, uniform);
  assert.equal(await read(draws.randn("x", [2], "bfloat16")), [1, 1 + 2 ** -7]);
  assert.equal(await read(draws.randn("x", [2], "float32")), [1 + 2 ** -8, 1 + 2 ** -7]);
});

test("noise levels come from the run's sampler, under names below the draw's own", async () => {
  const asked: string[] = [];
  const rand = (name: string, count: number) => {
    asked.push(name);
    return new Float32Array(count).fill(0.5);
  };
  const draws = createDraws(engine.ops, { randn: rand, rand }, uniform);
  assert.equal(await read(draws.sampled("video.sigma", [3], 100)), [0.75, 0.75, 0.75]);
  assert.equal(asked, ["video.sigma.uniform"]);
});

test("a strategy's own distribution draws what the run's sampler of that kind would", async () => {
  const params = { std: 1.25, eps: 1e-3, uniform_prob: 0.25 };
  const source = philoxSource(3, 1, 0);
  const draws = createDraws(engine.ops, source, uniform);
  const sampler = createSampler({ timestep_sampling_mode: "shifted_logit_normal", timestep_sampling_params: params });
  const expected = Array.from(sampler(source, "video.sigma", 4, 2000));
  assert.equal(await read(draws.shiftedLogitNormal("video.sigma", [4], 2000, params)), expected);
});

test("a chance is one number of the source against the probability", () => {
  const at = (number: number) =>
    createDraws(engine.ops, { randn: () => new Float32Array(1), rand: () => Float32Array.of(number) }, uniform);
  assert.equal(
    [0, 0.25, 0.5].map((number) => at(number).chance("a", 0.25)),
    [true, false, false],
  );
});

test("every draw enters the step as an input of its name", () => {
  const inputs: [string, HostTensor][] = [];
  const ops = {
    ...engine.ops,
    input: (name: string, value: HostTensor) => (inputs.push([name, value]), engine.keep(value)),
  };
  const draws = createDraws(ops as Ops, philoxSource(1, 0, 0), uniform);
  engine.dispose(draws.randn("a", [1], "bfloat16"), draws.rand("b", []), draws.sampled("c", [2], 10));
  assert.equal(
    inputs.map(([name, { shape }]) => [name, shape]),
    [
      ["a", [1]],
      ["b", []],
      ["c", [2]],
    ],
  );
});

test.run();
