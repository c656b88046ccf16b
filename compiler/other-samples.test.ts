// `others(x)`, `assigned(noise, clean)` and frames per second that are drawn, by numbers worked out by hand.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Batch } from "../runtime/contract.ts";
import { batchOf, kept, near, run } from "../scripts/run-strategy.ts";
import { check } from "./index.ts";

const test = suite("other samples");

const strategy = (video: string, loss: string, lets = ""): string => `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  start: {directory: start, kind: tensor, key: x, axes: [feature]}
  conditions: {directory: conditions, kind: text_embeddings}
${lets}video:
  latents: latents
${video}loss:
${loss}`;

/** Samples with one token of one channel; `start` has two numbers of each. */
const batch = (clean: readonly number[], start: readonly number[] = clean.flatMap((x) => [x, -x])): Batch => {
  const size = clean.length;
  const { sources } = batchOf();
  const latents = kept([size, 1, 1, 1, 1], (i) => clean[i] ?? NaN);
  const text = { kind: "text_embeddings" as const, audio: null };
  return {
    size,
    sources: {
      ...sources,
      latents: {
        kind: "video_latents",
        latents,
        storage: "float32",
        frames: 1,
        height: 1,
        width: 1,
        fps: clean.map(() => 24),
      },
      start: { kind: "tensor", value: kept([size, 2], (i) => start[i] ?? NaN) },
      conditions: { ...text, video: kept([size, 1, 1], () => 0), mask: kept([size, 1], () => 1) },
    },
  };
};

const zero = "mean(video.prediction) * 0";

test("others of a sample are all but itself", async () => {
  const loss = `  total: sum(others(mean(start)), other) + ${zero}\n  largest: max(others(start), other, feature) + ${zero}\n`;
  const all = `  masks: float(any(others(mean(start * start) > 20), other)) + ${zero}\n`;
  const { values, step } = await run(strategy("", loss + all), {}, batch([1, 2, 3, 5], [1, 3, 2, 4, 3, 5, 5, 7]));
  // Means 2, 3, 4 and 6, of which 15 is the sum; squares 5, 10, 17 and 37.
  near(values.get("loss.total"), [13, 12, 11, 9]);
  near(values.get("loss.largest"), [7, 7, 7, 5]);
  near(values.get("loss.masks"), [1, 1, 1, 0]);
  assert.is(step.strategy.smallestBatch, 2);
  assert.equal(
    step.strategy.losses.map(({ others }) => others),
    [true, true, true],
  );
});

test("a loss against the others averages over them: (0.5 - u_j)^2", async () => {
  const loss =
    "  own: mse(video.prediction, video.clean)\n  contrast: -0.1 * mean((video.prediction - others(video.clean))^2)\n";
  const { values, step } = await run(strategy("", loss), {}, batch([0.5, 1.5, 2.5]));
  near(values.get("loss.own"), [0, 1, 4]);
  near(values.get("loss.contrast"), [-0.1 * 2.5, -0.1 * 2, -0.1 * 0.5]);
  assert.equal(
    step.strategy.losses.map(({ others }) => others),
    [undefined, true],
  );
});

test("a dispersive term: log of the mean of exp(-distance) over the others", async () => {
  const lets = "let:\n  distance: mean((start - others(start))^2, feature)\n";
  const loss = `  disperse: log(mean(exp(-distance), other)) + ${zero}\n`;
  const { values } = await run(strategy("", loss, lets), {}, batch([0, 1, 3]));
  // Distances 1, 9 and 4: of 0 to 1 and 3, and of 1 to 3.
  const of = (a: number, b: number) => Math.log((Math.exp(-a) + Math.exp(-b)) / 2);
  near(values.get("loss.disperse"), [of(1, 9), of(1, 4), of(9, 4)]);
});

const handed = async (x: readonly number[], to: readonly number[]) => {
  const { values } = await run(
    strategy("", `  handed: assigned(mean(start), mean(video.clean)) + ${zero}\n`),
    {},
    batch(
      to,
      x.flatMap((value) => [value, value]),
    ),
  );
  return (values.get("loss.handed") ?? []).map((value) => Math.round(value * 1e4) / 1e4);
};

test("noise is dealt out so that the sum of the squared distances is smallest", async () => {
  assert.equal(await handed([1, 0], [0, 1]), [0, 1]);
  assert.equal(await handed([0, 1], [0, 1]), [0, 1]);
  // On a line the best order is that of the numbers; the nearest pair first, 2 to 2.1, would leave 9 to -5.
  assert.equal(await handed([9, 2, 3, -4], [2.1, -5, 4, 3.9]), [2, -4, 9, 3]);
  // Nine samples: the first eight among themselves, the last alone.
  assert.equal(await handed([8, 7, 6, 5, 4, 3, 2, 1, 0], [1, 2, 3, 4, 5, 6, 7, 8, 9]), [1, 2, 3, 4, 5, 6, 7, 8, 0]);
});

test("every order of noises is found as by trying all", async () => {
  const to = [0.3, -1.2, 2.2, 0.9];
  const sorted = [-1.5, 0.1, 0.7, 1.1];
  // By rank of `to`: 0.3 is the second, and so on.
  const best = [0.1, -1.5, 1.1, 0.7];
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
    [2, 0, 3, 1],
  ])
    assert.equal(
      await handed(
        order.map((i) => sorted[i] ?? NaN),
        to,
      ),
      best,
    );
});

test("frames per second are drawn for each sample, and the positions follow", async () => {
  const { values, drawn } = await run(
    strategy("  fps: uniform(10, 15) + uniform(0, 5)\n", `  rate: video.fps + ${zero}\n`),
    {},
    batch([1, 2, 3]),
  );
  const rates = values.get("loss.rate") ?? [];
  assert.ok(rates.every((rate) => rate >= 10 && rate < 20) && new Set(rates).size === 3, rates.join());
  // [B, 3, T, 2]: a single pixel frame ends after one frame's time.
  const ends = [0, 1, 2].map((sample) => values.get("video.positions")?.[sample * 6 + 1] ?? NaN);
  near(
    ends,
    rates.map((rate) => 1 / rate),
  );
  assert.equal(drawn.toSorted(), ["video.fps", "video.fps#1", "video.noise", "video.sigma"]);
});

const codesOf = (video: string, loss: string): readonly string[] =>
  check({ path: "test.strategy", text: strategy(video, `  all: ${loss}\n  start: ${zero} + mean(start)\n`) })
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code }) => code);

test("what has no others, or is not reduced, is one finding each", () => {
  const velocity = "mse(video.prediction, video.target)";
  assert.equal(codesOf("", `others(3) * ${velocity}`), ["LTX4040"]);
  assert.equal(codesOf("", `mean(others(others(video.sigma))) * ${velocity}`), ["LTX4040"]);
  assert.equal(codesOf("", `others(video.sigma) * ${velocity}`), ["LTX4008"]);
  assert.equal(codesOf("  sigma: others(sampled())\n", velocity), ["LTX4015"]);
  assert.equal(codesOf("  noise: assigned(randn(), mean(clean))\n", velocity), ["LTX4041"]);
  assert.equal(codesOf("", `mean(mean(video.sigma, batch) * video.prediction) + ${velocity}`), ["LTX5038"]);
  assert.equal(codesOf("  fps: randn()\n", velocity), ["LTX4014"]);
  assert.equal(codesOf("  fps: uniform(12, 30) per frame\n", velocity), ["LTX4014"]);
});

test("a term whose samples are averaged is told of `others`, once", () => {
  const text = `strategy: dispersive_variance
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
outputs:
  mid: {tap: block 1, modality: video}
params:
  lambda: {type: number, default: 0.5, minimum: 0}
let:
  pooled: mean(mid, token)
  centred: pooled - mean(pooled, batch)
video:
  latents: latents
loss:
  video: mse(video.prediction, video.target)
  disperse: lambda * log(1e-6 + mean(exp(-mean(centred^2, hidden)), batch))
`;
  const [found, ...more] = check({ path: "test.strategy", text }).diagnostics;
  assert.equal(more, []);
  assert.is(found?.code, "LTX5038");
  assert.match(found?.help ?? "", "`others(x)`");
  assert.equal(
    found?.labels.map(({ span }) => text.slice(span.start, span.end)),
    ["mean(pooled, batch)"],
  );
});

test("an axis that a comparison has averaged is told so", () => {
  const helpOf = (loss: string) => {
    const { diagnostics } = check({ path: "test.strategy", text: strategy("", `  all: ${loss}\n`) });
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    assert.equal(
      errors.map(({ code }) => code),
      ["LTX4005"],
    );
    return errors[0]?.help ?? "";
  };
  const contrast = "(video.prediction, others(video.target))";
  assert.match(helpOf(`mean(mse${contrast}, axis=other)`), "`mse` has already averaged over `other`");
  assert.match(helpOf(`mean(2 * mae${contrast}, axis=other)`), "`mean(abs(a - b), axis=other)`");
  assert.match(helpOf("mean(mse(video.prediction, video.target), axis=frame)"), "`mean(grid((a - b)^2), axis=frame)`");
  assert.match(helpOf("mean(charbonnier(video.prediction, video.target), axis=channel)"), "`charbonnier` has already");
  assert.match(helpOf("mean(mean(video.timesteps, axis=frame))"), "`grid(video.timesteps)`");
  assert.match(helpOf(`mean(e, axis=other)\nlet:\n  e: 2 * mse${contrast}`), "`mse` has already averaged");
  assert.equal(codesOf("", `mean(mean(grid((video.prediction - video.target)^2), axis=frame))`), []);
});

test("a value may be called `others`, as before there was the function", () => {
  const text = strategy(
    "",
    "  all: others * mse(video.prediction, video.target) + mean(start)\n",
    "let:\n  others: 2\n",
  );
  assert.equal(check({ path: "test.strategy", text }).diagnostics, []);
});

test.run();
