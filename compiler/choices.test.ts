// Parameters that are one of several texts: what comparisons with them mean, and how both targets write them.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { run } from "../scripts/run-strategy.ts";
import { check, compile, compilePython } from "./index.ts";

const test = suite("choices");

const strategy = (weight: string): string => `strategy: test
params:
  mode: {type: string, enum: [soft, "very hard"], default: soft}
  other: {type: string, enum: ["very hard", none], default: none}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
let:
  weight: ${weight}
video:
  latents: latents
loss:
  velocity: weight * mse(video.prediction, video.target)
  plain: 0 * weight * mse(video.prediction, video.target) + mse(video.prediction, video.target)
`;

async function weightOf(weight: string, params: Record<string, unknown>): Promise<number> {
  const { values } = await run(strategy(weight), { mode: "soft", other: "none", ...params });
  const [weighed = NaN, plain = NaN] = ["velocity", "plain"].map((name) => values.get(`loss.${name}`)?.[0]);
  return Math.round((1e5 * weighed) / plain) / 1e5;
}

const hard = { mode: "very hard" };

test("a comparison with a text chooses", async () => {
  const chosen = `if mode == "soft" then 0.5 else 2`;
  assert.is(await weightOf(chosen, {}), 0.5);
  assert.is(await weightOf(chosen, hard), 2);
  assert.is(await weightOf(`float(mode != 'very hard') + 3`, {}), 4);
  assert.is(await weightOf(`float("very hard" != mode) + 3`, hard), 3);
});

test("two parameters are equal where both have the same text", async () => {
  const same = `if mode == other then 3 else 4`;
  assert.is(await weightOf(same, {}), 4);
  assert.is(await weightOf(same, { other: "very hard" }), 4);
  assert.is(await weightOf(same, { ...hard, other: "very hard" }), 3);
});

test("TypeScript and Python compare texts, each in its words", async () => {
  const source = { path: "test.strategy", text: strategy(`if mode == "very hard" then 0.5 else 1`) };
  const { artifacts } = await compile(source);
  assert.match(artifacts[0]?.text ?? "", `(String(params.mode) === "very hard") ? 0.5 : 1`);
  assert.match(compilePython(source).artifacts[0]?.text ?? "", `0.5 if params.mode == "very hard" else 1`);
});

test("a comparison stays what it is in both quotes, and in a branch of another one", () => {
  const text = strategy(
    `if mode == "soft" and not (mode == 'very hard') then (if mode != "soft" then 1 else 2) else 3`,
  );
  assert.equal(
    check({ path: "test.strategy", text }).diagnostics.map(({ code }) => code),
    ["LTX5003"],
  );
});

test.run();
