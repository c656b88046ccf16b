import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveConfig } from "../config/index.ts";
import { checkGroups, createRates, decaysOf } from "./groups.ts";

const test = suite("parameter groups and warm-up");

const names = [
  "transformer_blocks.0.attn1.to_q.lora_A.weight",
  "transformer_blocks.0.attn1.to_q.lora_B.weight",
  "transformer_blocks.0.ff.net.2.lora_A.weight",
  "transformer_blocks.1.ff.net.2.lora_A.weight",
  "outputs.aligned.weight",
];

function configOf(own: Readonly<Record<string, unknown>>, optimization: Readonly<Record<string, unknown>> = {}) {
  const raw = {
    model: { model_path: "m.safetensors" },
    data: { preprocessed_data_root: "data" },
    lora: {},
    optimization: { learning_rate: 1e-3, steps: 10, scheduler_type: "constant", ...optimization },
    runtime: { optimization: own },
  };
  const { config } = resolveConfig(raw, { configDirectory: "/" });
  if (config === null) throw new Error("a wrong config");
  return config;
}

const group = (match: string, learning_rate: number | null, weight_decay: number | null = null) => ({
  match,
  learning_rate,
  weight_decay,
});
const ratesAt = (j: number, ...args: Parameters<typeof configOf>) => createRates(configOf(...args), names).all(j);
const near = (actual: unknown, expected: readonly number[]) =>
  expected.forEach((x, i) => {
    const got = Array.isArray(actual) ? actual[i] : actual;
    assert.ok(Math.abs(got - x) <= 1e-12, `${String(got)} is not ${x}`);
  });

test("the first group that matches counts; a pattern is compared with whole names of modules and tensors", () => {
  const rates = (...groups: object[]) => ratesAt(0, { groups });
  assert.equal(rates(group("*.ff.*", 1e-5)), [1e-3, 1e-3, 1e-5, 1e-5, 1e-3]);
  assert.equal(rates(group("*.1.*", 1), group("*.ff.*", 2)), [1e-3, 1e-3, 2, 1, 1e-3]);
  assert.equal(rates(group("*.to_q", 1)), [1, 1, 1e-3, 1e-3, 1e-3]);
  assert.equal(rates(group("*.lora_B.weight", 1)), [1e-3, 1, 1e-3, 1e-3, 1e-3]);
  assert.equal(rates(group("transformer_blocks.?.ff*", 1)), [1e-3, 1e-3, 1, 1, 1e-3]);
  assert.equal(rates(group("outputs.aligned", 1)), [1e-3, 1e-3, 1e-3, 1e-3, 1]);
  assert.is(ratesAt(0, { groups: [group("*", null, 0)] }), 1e-3);
});

test("weight decay is that of the group, of the run, or the optimizer's", () => {
  const decays = (own: object) => decaysOf(configOf(own as Readonly<Record<string, unknown>>), names);
  assert.equal(decays({}), [0.01, 0.01, 0.01, 0.01, 0.01]);
  assert.equal(decays({ optimizer: "lion" }), [0, 0, 0, 0, 0]);
  assert.equal(decays({ weight_decay: 0.2, groups: [group("*.ff.*", null, 0)] }), [0.2, 0.2, 0, 0, 0.2]);
});

test("warm-up multiplies every schedule, and groups have the schedule of their own rate", () => {
  near(
    [0, 1, 2, 3, 4].map((j) => ratesAt(j, { warmup_steps: 4 })),
    [0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3],
  );
  const linear = { scheduler_type: "linear", scheduler_params: { end_factor: 0.5 } };
  // Step 5 of 10 is half way from 1 to 0.5.
  near(
    ratesAt(5, { warmup_steps: 12, groups: [group("*.ff.*", 1e-2)] }, linear),
    [0.375e-3, 0.375e-3, 0.375e-2, 0.375e-2, 0.375e-3],
  );
  const cosine = { scheduler_type: "cosine", scheduler_params: { eta_min: 1e-4 } };
  near(ratesAt(5, { groups: [group("*.ff.*", 0)] }, cosine), [0.55e-3, 0.55e-3, 0, 0, 0.55e-3]);
  const { usual } = createRates(configOf({ groups: [group("*", 1)] }), names);
  assert.is(usual(0), 1e-3);
});

test("a group of nothing is a finding, with a pattern that matches or a word that is near", () => {
  const found = (...groups: object[]) => checkGroups(configOf({ groups }), names);
  assert.equal(found(group("*.ff.*", 1)), []);
  const [bare] = found(group("ff", 1));
  assert.equal([bare?.code, bare?.path.join(".")], ["LTX6253", "runtime.optimization.groups.0.match"]);
  assert.match(bare?.help ?? "", "write `*ff*`");
  const [misspelt] = found(group("*.atn1.*", 1));
  assert.match(misspelt?.help ?? "", "did you mean `attn1`?");
  assert.match(found(group("*.audio.*", 1))[0]?.help ?? "", "`transformer_blocks.0.attn1.to_q`");
  const [, later] = [null, found(group("*.ff.*", 1), group("*.0.ff.*", 2))[0]];
  assert.match(later?.message ?? "", "belongs to a group before it");
  assert.equal(later?.path.join("."), "runtime.optimization.groups.1.match");
});

test("signs of regular expressions are plain text in a pattern", () => {
  assert.equal(ratesAt(0, { groups: [group("(a|b)+[c", 1)] }), [1e-3, 1e-3, 1e-3, 1e-3, 1e-3]);
  assert.equal(ratesAt(0, { groups: [group("outputs?aligned", 1)] }), [1e-3, 1e-3, 1e-3, 1e-3, 1]);
});

test.run();
