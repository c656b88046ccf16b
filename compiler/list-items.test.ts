// Items of list parameters: what they may be, and which of them there are.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { run } from "../scripts/run-strategy.ts";
import { check, compile } from "./index.ts";

const test = suite("list items");

const strategy = (schema: string, loss: string, more = ""): string => `strategy: test
params:
  list: {type: array, ${schema}}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  velocity: ${loss}
  plain: mse(video.prediction, video.target)
${more}`;

const codes = (text: string) =>
  check({ path: "test.strategy", text }).diagnostics.map(({ severity, code }) => `${severity} ${code}`);

const weighted = "list[0] * mse(video.prediction, video.target)";
const chosen = "(if list[1] then 3 else 1) * mse(video.prediction, video.target)";

test("items are what the schema says", () => {
  assert.equal(codes(strategy("items: {type: number}, minItems: 1, default: [1]", weighted)), []);
  assert.equal(codes(strategy("items: {type: string}, minItems: 1, default: [a]", weighted)), ["error LTX4006"]);
  assert.equal(codes(strategy("items: {type: boolean}, minItems: 1, default: [true]", weighted)), ["error LTX4002"]);
  assert.equal(codes(strategy("items: {type: array}, minItems: 1, default: [[1]]", weighted)), ["error LTX4006"]);
});

test("an item that is never there is an error, and a list that may be too short is told once", () => {
  const bounded = strategy("items: {type: number}, maxItems: 1, default: [1]", weighted.replace("0", "1"));
  assert.equal(codes(bounded), ["error LTX4058"]);
  const twice = strategy("items: {type: number}, minItems: 1, default: [1, 2, 3]", `list[1] * ${weighted} * list[2]`);
  const { diagnostics } = check({ path: "test.strategy", text: twice });
  assert.equal(
    diagnostics.map(({ code, message }) => `${code} ${message}`),
    ["LTX4059 `list` may have fewer than 3 items"],
  );
  assert.match(diagnostics[0]?.help ?? "", "minItems: 3");
});

test("an item can be a mask", async () => {
  const text = strategy("items: {type: boolean}, minItems: 2, default: [true, false]", chosen);
  const ratio = async (list: readonly boolean[]): Promise<number> => {
    const { values } = await run(text, { list });
    return (values.get("loss.velocity")?.[0] ?? NaN) / (values.get("loss.plain")?.[0] ?? NaN);
  };
  assert.ok(Math.abs((await ratio([false, true])) - 3) < 1e-6);
  assert.ok(Math.abs((await ratio([true, false])) - 1) < 1e-6);
});

test("a text item can stand in metadata", async () => {
  const text = strategy("items: {type: string}, minItems: 1, default: [a]", "0 * mse(video.prediction, video.target)");
  const { artifacts } = await compile({ path: "test.strategy", text: `${text}metadata: {of: "\${list[0]}"}\n` });
  assert.match(artifacts.find(({ name }) => name.endsWith(".ts"))?.text ?? "", "readonly list: readonly string[];");
});

test.run();
