// Functions that came with `ceil`: by numbers worked out by hand.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { B, batchOf, kept, near, run } from "../scripts/run-strategy.ts";
import { check } from "./index.ts";

const test = suite("functions");

const strategy = (loss: string, more = ""): string => `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  x: {directory: x, kind: tensor, key: x, axes: [feature]}
  conditions: {directory: conditions, kind: text_embeddings}
${more}video:
  latents: latents
loss:
${loss}`;

/** Of the numbers `x`, in every sample the same, each weighed by its power of ten. */
async function each(expression: string, x: readonly number[]): Promise<readonly number[]> {
  const terms = x.map(
    (value) => `  t${terms_++}: max(if x == ${value} then ${expression} else -1000) + 0 * mean(video.prediction)\n`,
  );
  const { sources } = batchOf();
  const value = { kind: "tensor" as const, value: kept([B, x.length], (i) => x[i % x.length] ?? NaN) };
  const { values } = await run(strategy(terms.join("")), {}, { size: B, sources: { ...sources, x: value } });
  return [...values].flatMap(([name, list]) => (name.startsWith("loss.") ? [list[0] ?? NaN] : []));
}
let terms_ = 0;

const numbers = [-2.5, -1, -0.25, 0, 0.5, 1.5, 2.75];

test("ceil, round, sign and mod of each number", async () => {
  near(await each("ceil(x)", numbers), [-2, -1, 0, 0, 1, 2, 3]);
  near(await each("round(x)", numbers), [-2, -1, 0, 0, 1, 2, 3]);
  near(await each("sign(x)", numbers), [-1, -1, -1, 0, 1, 1, 1]);
  near(await each("mod(x, 2)", numbers), [1.5, 1, 1.75, 0, 0.5, 1.5, 0.75]);
  near(await each("mod(x, -2)", numbers), [-0.5, -1, -0.25, 0, -1.5, -0.5, -1.25]);
});

test("softplus is log(1 + e^x), and overflows nowhere", async () => {
  const ends = [-100, -1, 0, 1, 100];
  near(
    await each("softplus(x)", ends),
    ends.map((x) => (x > 50 ? x : Math.log1p(Math.exp(x)))),
  );
});

test("a quantile is one of the numbers: the first that enough of them do not exceed", async () => {
  const of = async (q: number, x: readonly number[]) => (await each(`quantile(x, ${q}, feature)`, x))[0];
  const ten = [7, 1, 10, 4, 3, 9, 2, 8, 6, 5];
  for (const [q, expected] of [
    [0, 1],
    [0.05, 1],
    [0.1, 1],
    [0.11, 2],
    [0.5, 5],
    [0.9, 9],
    [0.95, 10],
    [1, 10],
  ] as const)
    assert.is(await of(q, ten), expected, `${q}`);
  assert.is(await of(0.5, [-3e-6, 5e5, 2e-6]), Math.fround(2e-6));
  assert.is(await of(0.7, [4, 4, 4]), 4);
});

test("numbers known before the run are rounded there, and names that a strategy has given stay its own", async () => {
  const { values } = await run(
    strategy("  a: ceil(2.1) + mod(7, 4) + round(2.5) + sign(-3) + mean(x) * mean(video.prediction) * 0\n"),
    {},
    { size: B, sources: { ...batchOf().sources, x: { kind: "tensor", value: kept([B, 2], () => 1) } } },
  );
  near(values.get("loss.a"), [8, 8]);
  const own = strategy(
    "  a: round * sign(2) * mse(video.prediction, video.target) * mean(x)\n",
    "let:\n  round: 2\n  sign(a): 3 * a\n",
  );
  assert.equal(check({ path: "test.strategy", text: own }).diagnostics, []);
});

test("the share of a quantile is a number between 0 and 1 that is known", () => {
  const codes = (loss: string) =>
    check({ path: "t.strategy", text: strategy(`  a: ${loss} * mse(video.prediction, video.target)\n`) })
      .diagnostics.filter(({ severity }) => severity === "error")
      .map(({ code }) => code);
  assert.equal(codes("quantile(x, 90, feature)"), ["LTX5017"]);
  assert.equal(codes("quantile(x, mean(x), feature)"), ["LTX4014"]);
  assert.equal(codes("quantile(x, 0.5, token)"), ["LTX4005"]);
  assert.equal(codes("mean(quantile(x, 0.5, axis=feature))"), []);
  assert.equal(codes("softplus(x > 0)"), ["LTX4002"]);
});

test.run();
