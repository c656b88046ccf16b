// Every function that is no operation of an engine by itself, on every engine: by numbers worked out by hand, and its gradient by that of the engine `cpu`.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sourceFile } from "../../compiler/source/index.ts";
import {
  collate,
  createSampler,
  defaultFlowMatching,
  openEngine,
  type Engine,
  type HostSample,
} from "../../runtime/index.ts";
import { torchEngines } from "../../runtime/testing/test-torch.ts";
import { libraryAt } from "../project/library.ts";
import { OpenedStep } from "./opened-step.ts";
import { openSubject } from "./subject.ts";
import { syntheticSamples } from "./synthetic.ts";

const test = suite("functions on every engine");

/** Terms over `x` = -1.5, -0.5, 0, 0.5, 2.5, over `y` = 1, 2, 3, 4, and over `z`, which is 1 in the first sample and 3 in the second. */
const terms: Readonly<Record<string, readonly [term: string, ...expected: number[]]>> = {
  floor: ["sum(floor(x))", -2 - 1 + 0 + 0 + 2],
  ceil: ["sum(ceil(x))", -1 + 0 + 0 + 1 + 3],
  round: ["sum(round(x))", -1 + 0 + 0 + 1 + 3],
  mod: ["sum(mod(x, 2))", 0.5 + 1.5 + 0 + 0.5 + 0.5],
  mod_below: ["sum(mod(x, -2))", -1.5 - 0.5 + 0 - 1.5 - 1.5],
  sign: ["sum(sign(x) * x)", 5],
  softplus: ["sum(softplus(x))", 0.2014133 + 0.474077 + Math.LN2 + 0.974077 + 2.5788897],
  median: ["quantile(x, 0.5, axis=feature)", 0],
  quarter: ["quantile(x, 0.75, axis=feature)", 0.5],
  // X0 = 10, X1 = -2 + 2i, X2 = -2
  energy: ["sum(dft(y, axis=hidden)^2)", 100 + 8 + 4],
  lengths: ["sum(norm(dft(y, axis=hidden), axis=part))", 10 + Math.sqrt(8) + 2],
  others: ["mean(others(z))", 3, 1],
  // Nearest to 4 - z, that is to 3 and 1, lie the 3 of the second sample and the 1 of the first.
  assigned: ["sum(assigned(z, 4 - z), axis=state)", 3, 1],
};

/** Terms whose gradient by the prediction is compared with that of the engine `cpu`. */
const sloped = {
  s_mod: "mean(mod(video.prediction, 1)^2)",
  s_softplus: "mean(softplus(video.prediction))",
  s_quantile: "mean(quantile(video.prediction, 0.7, axis=token))",
  s_dft: "mean(dft(video.prediction, axis=height, axis=width)^2)",
  s_others: "mean(mean((video.prediction - others(video.prediction))^2, axis=other))",
  s_assigned: "mean(assigned(video.prediction, video.target)^2)",
};

const text = `strategy: functions
language: 2
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  x: {directory: x, kind: tensor, key: x, axes: [feature]}
  y: {directory: y, kind: tensor, key: y, axes: [hidden]}
  z: {directory: z, kind: tensor, key: z, axes: [state]}
video:
  latents: latents
loss:
${[...Object.entries(terms).map(([name, [term]]) => [name, term]), ...Object.entries(sloped)]
  .map(([name, term]) => `  ${name}: ${term} + 0 * mean(video.prediction)\n`)
  .join("")}`;

const { subject } = await openSubject(libraryAt(".", "functions.strategy"), sourceFile("functions.strategy", text), {
  imports: async () => null,
});
if (subject === null) throw new Error("this does not compile");

const made = {
  sizes: { frames: 3, height: 4, width: 2, steps: 1 },
  samples: 2,
  masks: "box",
  reference: { space: 1, time: 1 },
  seed: 3,
} as const;

function batch() {
  if (subject === null) throw new Error("this does not compile");
  const list = (...values: number[]) =>
    ({ kind: "tensor", value: { shape: [values.length], dtype: "float32", data: Float32Array.from(values) } }) as const;
  const [first, ...rest] = syntheticSamples(subject.step.strategy, made).map((sample, i): HostSample => ({
    ...sample,
    sources: { ...sample.sources, x: list(-1.5, -0.5, 0, 0.5, 2.5), y: list(1, 2, 3, 4), z: list(i === 0 ? 1 : 3) },
  }));
  if (first === undefined) throw new Error("there are no samples");
  return collate([first, ...rest]);
}

/** The value of each term for both samples, and the gradient of those that have one. */
async function outcomeOf(engine: Engine) {
  if (subject === null) throw new Error("this does not compile");
  const circumstances = {
    params: {},
    sampler: createSampler(defaultFlowMatching),
    seed: 3,
    globalStep: 0,
    progress: 0,
  };
  const step = new OpenedStep(engine, subject, batch(), circumstances);
  const predicted = await step.start();
  const found = new Map<string, readonly number[]>();
  for (const { name } of subject.program.terms) {
    const { loss, gradients } = await step.slope(name, predicted);
    found.set(name, [...loss.data]);
    if (name in sloped) found.set(`${name} gradient`, [...(gradients.get("video")?.data ?? [])]);
  }
  step.close();
  return found;
}

const { engine: cpu } = await openEngine("cpu");
const expected = await outcomeOf(cpu);
const others = [(await openEngine("wasm")).engine, (await openEngine("onnx")).engine, ...(await torchEngines())];

for (const engine of [cpu, ...others]) {
  test(`${engine.name}: the numbers are those worked out by hand, and gradients the same`, async () => {
    const found = engine === cpu ? expected : await outcomeOf(engine);
    for (const [name, [, ...numbers]] of Object.entries(terms))
      for (const [sample, value] of (found.get(name) ?? []).entries()) {
        const wanted = numbers[sample] ?? numbers[0] ?? NaN;
        assert.ok(Math.abs(value - wanted) < 1e-5 * Math.max(1, Math.abs(wanted)), `${name}: ${value}, not ${wanted}`);
      }
    for (const [name, values] of expected) {
      const own = found.get(name) ?? [];
      assert.is(own.length, values.length, name);
      values.forEach((value, i) =>
        assert.ok(
          Math.abs(value - (own[i] ?? NaN)) < 1e-5 * Math.max(1, Math.abs(value)),
          `${name}: ${own[i]}, not ${value}`,
        ),
      );
    }
    const gradients = Object.keys(sloped).map((name) => found.get(`${name} gradient`) ?? []);
    assert.ok(gradients.every((values) => values.some((x) => x !== 0)));
  });
}

test.run();
