// `dft`: by numbers worked out by hand, by its definition, and by its gradient.
import { transform } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Ops, Tensor } from "../runtime/contract.ts";
import { openEngine } from "../runtime/engine/index.ts";
import { B, batchOf, kept, near, run } from "../scripts/run-strategy.ts";
import { helpers } from "./4-emit/typescript/helpers.ts";
import { check, compilePython } from "./index.ts";

const test = suite("dft");

const strategy = (terms: Readonly<Record<string, string>>, axes = "frame"): string => `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  x: {directory: x, kind: tensor, key: x, axes: [${axes}]}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
${Object.entries(terms)
  .map(([name, value]) => `  ${name}: ${value} + 0 * mean(video.prediction)\n`)
  .join("")}`;

/** The terms of the first sample, of a source `x` of this shape with these numbers. */
async function termsOf(
  terms: Readonly<Record<string, string>>,
  x: readonly number[],
  shape = [x.length],
): Promise<readonly number[]> {
  const { sources } = batchOf();
  const value = kept([B, ...shape], (i) => x[i % x.length] ?? NaN);
  const axes = ["feature", "hidden"].slice(0, shape.length).join(", ");
  const { values } = await run(
    strategy(terms, axes),
    {},
    { size: B, sources: { ...sources, x: { kind: "tensor" as const, value } } },
  );
  return Object.keys(terms).map((name) => values.get(`loss.${name}`)?.[0] ?? NaN);
}

/** The energy of all frequencies, what they hold together, and the parts on their own by a weight that grows along `x`. */
const looks = {
  sum: "sum(dft(x, axis=feature))",
  energy: "sum(dft(x, axis=feature)^2)",
  most: "max(dft(x, axis=feature))",
  least: "min(dft(x, axis=feature))",
  lengths: "sum(norm(dft(x, axis=feature), axis=part))",
};

test("four numbers have three frequencies: 10, -2 + 2i and -2", async () => {
  // X0 = 1 + 2 + 3 + 4, X1 = (1 - 3) + i (4 - 2), X2 = 1 - 2 + 3 - 4
  const root8 = Math.sqrt(8);
  near(await termsOf(looks, [1, 2, 3, 4]), [10 - 2 + 2 - 2, 100 + 8 + 4, 10, -2, 10 + root8 + 2]);
});

test("three numbers have two frequencies, one number has one", async () => {
  // X1 = 1 - (2 + 4) / 2 + i sqrt(3) / 2 (4 - 2) = -2 + i sqrt(3)
  const root3 = Math.sqrt(3);
  near(await termsOf(looks, [1, 2, 4]), [7 - 2 + root3, 49 + 7, 7, -2, 7 + Math.sqrt(7)]);
  near(await termsOf(looks, [5]), [5, 25, 5, 0, 5]);
});

test("along two axes, all frequencies of the first and half of those of the second", async () => {
  const both = {
    sum: "sum(dft(x, axis=feature, axis=hidden))",
    energy: "sum(dft(x, axis=feature, axis=hidden)^2)",
    turned: "sum(dft(x, axis=hidden, axis=feature)^2)",
  };
  // [[1, 2], [3, 4], [5, 9]]: along `hidden` sums 3, 7, 14 and differences -1, -1, -4, and each of these three again along `feature`:
  // 24, -7.5 + 6.0622i, -7.5 - 6.0622i; -6, 1.5 - 2.5981i, 1.5 + 2.5981i
  const root = Math.sqrt(3) / 2;
  const [sums, differences] = [(7 * root) ** 2 + 7.5 ** 2, (3 * root) ** 2 + 1.5 ** 2];
  near(await termsOf(both, [1, 2, 3, 4, 5, 9], [3, 2]), [
    24 - 15 - 6 + 3,
    24 ** 2 + 2 * sums + 36 + 2 * differences,
    // Of three along the last axis, the first two.
    24 ** 2 + sums + 36 + differences,
  ]);
});

test("what runs over tokens is laid out on its grid, and the transform has a gradient", async () => {
  const text = (b: string) => `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  spectrum: mse(dft(video.prediction, height, width), dft(video.target, height, width))
  plain: ${b}
`;
  const { values } = await run(text("mse(video.prediction, video.target)"));
  // Parseval, on a grid of 2 by 3: of three frequencies two are kept, the first counts once and the second twice.
  assert.ok((values.get("loss.spectrum")?.[0] ?? NaN) > (values.get("loss.plain")?.[0] ?? NaN));
  assert.equal(check({ path: "test.strategy", text: text("mae(video.prediction, video.target)") }).diagnostics, []);
  const python = compilePython({ path: "test.strategy", text: text("mae(video.prediction, video.target)") });
  assert.match(python.artifacts[0]?.text ?? "", "torch.fft.rfftn");
});

type Dft = (ops: Ops, x: Tensor, axes: readonly number[]) => Tensor;

/** The gradient of the energy of all frequencies, by the function that modules bring along. */
async function gradientOf(values: readonly number[], shape: readonly number[], axes: readonly number[]) {
  const { realWaves, complexWaves, dft } = helpers;
  const { code } = await transform(`${realWaves}\n${complexWaves}\nexport ${dft.slice(dft.indexOf("function"))}`, {
    loader: "ts",
  });
  const module = (await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`)) as { dft: Dft };
  const { engine } = await openEngine("cpu");
  const x = engine.keep({ shape, dtype: "float32", data: Float32Array.from(values) });
  const { loss, gradients } = engine.differentiate(
    () => ({ loss: engine.ops.sum(engine.ops.square(module.dft(engine.ops, x, axes))), outputs: {} }),
    [x],
  );
  const [slope] = gradients;
  assert.ok(slope);
  const [found = [], gradient = []] = await Promise.all(
    [loss, slope].map(async (each) => [...(await engine.read(each)).data]),
  );
  engine.dispose(x, loss, slope);
  return { energy: found[0] ?? NaN, gradient };
}

test("its gradient is the transform back", async () => {
  // 2 sum over k of the real part of X_k e^(2 pi i k t / 4), with X = 10, -2 + 2i, -2: at t = 0 it is 2 (10 - 2 - 2).
  const { energy, gradient } = await gradientOf([1, 2, 3, 4], [4], [0]);
  near([energy, ...gradient], [112, 12, 20, 20, 28]);
});

test("along two axes the gradient is what differences say", async () => {
  const values = [1, 2, 3, 4, 5, 9];
  const energyAt = async (i: number, by: number) =>
    (
      await gradientOf(
        values.map((x, j) => (i === j ? x + by : x)),
        [1, 3, 2],
        [1, 2],
      )
    ).energy;
  const { energy, gradient } = await gradientOf(values, [1, 3, 2], [1, 2]);
  near([energy], [816]);
  // The energy is a square, so that differences over 2 are exact.
  for (const i of values.keys()) near([gradient[i] ?? NaN], [((await energyAt(i, 1)) - (await energyAt(i, -1))) / 2]);
});

const codesOf = (term: string) =>
  check({ path: "test.strategy", text: strategy({ velocity: "mse(video.prediction, video.target)", a: term }) })
    .diagnostics.filter(({ code }) => code !== "LTX5003" && code !== "LTX5031")
    .map(({ code }) => code);

test("axes that are none of the value, and frequencies that meet what they were made of, are told", () => {
  assert.equal(codesOf("mean(dft(video.prediction, feature)^2)"), ["LTX4025"]);
  assert.equal(codesOf("mean(dft(video.prediction, batch)^2)"), ["LTX4025"]);
  assert.equal(codesOf("mean(dft(video.prediction, frame, frame)^2)"), ["LTX4025"]);
  assert.equal(codesOf("mean(dft(video.prediction)^2)"), ["LTX4003"]);
  assert.equal(codesOf("mean(dft(video.prediction > 0, frame)^2)"), ["LTX4002"]);
  assert.equal(codesOf("mse(dft(video.prediction, frame), video.target)"), ["LTX4020"]);
  assert.equal(codesOf("mean(norm(dft(video.prediction, frame), part))"), []);
  assert.equal(codesOf("mean(dft(video.prediction, token)^2)"), []);
});

test.run();
