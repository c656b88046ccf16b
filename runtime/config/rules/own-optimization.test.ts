import { suite } from "uvu";
import * as assert from "uvu/assert";
import { askedFor, resolveConfig } from "../index.ts";

const test = suite("runtime.optimization");

function resolve(own: Readonly<Record<string, unknown>>, settings: Readonly<Record<string, unknown>> = {}) {
  const { runtime = {}, ...more } = settings;
  const raw = {
    model: { model_path: "m.safetensors" },
    data: { preprocessed_data_root: "data" },
    lora: { rank: 8, alpha: 8 },
    ...more,
    runtime: { ...(runtime as object), optimization: own },
  };
  return resolveConfig(raw, { configDirectory: "/" });
}

/** Code and place of each finding. */
const said = (...args: Parameters<typeof resolve>) =>
  resolve(...args).findings.map(({ code, path }) => `${code} ${path.join(".").replace("runtime.optimization", "own")}`);

test("the params of each optimizer are filled in; nothing is asked for by default", () => {
  const { config } = resolve({ optimizer: "lion", optimizer_params: { beta1: "0.95" } });
  assert.equal(config?.runtime.optimization.optimizer_params, { beta1: 0.95, beta2: 0.99 });
  const prodigy = resolve({ optimizer: "prodigy" }, { optimization: { learning_rate: 1 } });
  assert.equal(prodigy.findings, []);
  assert.equal(prodigy.config?.runtime.optimization.optimizer_params, {
    d0: 1e-6,
    d_coef: 1,
    growth_rate: null,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    safeguard_warmup: false,
  });
  const plain = resolve({}).config;
  assert.ok(plain !== null);
  assert.equal(askedFor(plain.runtime), {});
});

test("what contradicts something else is one finding at its place", () => {
  assert.equal(said({ optimizer: "lion" }, { optimization: { optimizer_type: "adamw" } }), []);
  assert.equal(said({ optimizer: "lion" }, { optimization: { optimizer_type: "adamw8bit" } }), [
    "LTX6008 own.optimizer",
  ]);
  assert.equal(said({ optimizer_params: { beta1: 0.9 } }), ["LTX6008 own.optimizer_params"]);
  assert.equal(said({ groups: [{ match: "*" }] }), ["LTX6008 own.groups.0"]);
  const groups = [{ match: "*", learning_rate: 0.5 }];
  assert.equal(said({ optimizer: "prodigy", groups }, { optimization: { learning_rate: 1 } }), [
    "LTX6008 own.groups.0.learning_rate",
  ]);
  const frozen = [{ match: "*.ff.*", learning_rate: 0 }];
  assert.equal(said({ optimizer: "prodigy", groups: frozen }, { optimization: { learning_rate: 1 } }), []);
  assert.equal(said({ evaluate_ema: true }), ["LTX6008 own.evaluate_ema"]);
  assert.equal(said({ ema_decay: 0.99, evaluate_ema: true }), ["LTX6008 own.evaluate_ema"]);
  assert.equal(said({ ema_decay: 0.99, evaluate_ema: true }, { evaluation: { samples: 2 } }), []);
});

test("keys, kinds and ranges are judged as everywhere", () => {
  assert.equal(said({ emadecay: 0.9 }), ["LTX6001 own.emadecay"]);
  assert.match(resolve({ ema_decy: 0.9 }).findings[0]?.help ?? "", "`ema_decay`");
  assert.equal(said({ optimizer: "lion", optimizer_params: { d0: 1 } }), ["LTX6001 own.optimizer_params.d0"]);
  assert.equal(said({ optimizer: "adamw" }), ["LTX6002 own.optimizer"]);
  assert.match(resolve({ optimizer: "adamw" }).findings[0]?.help ?? "", "`optimization.optimizer_type`");
  assert.equal(said({ optimizer: "lion", optimizer_params: { beta1: 1 } }), ["LTX6003 own.optimizer_params.beta1"]);
  for (const decay of [0, 1, 1.5, -0.1]) assert.equal(said({ ema_decay: decay }), ["LTX6003 own.ema_decay"]);
  assert.equal(said({ groups: [{ learning_rate: 1e-4 }] }), ["LTX6004 own.groups.0"]);
  assert.equal(said({ groups: [{ match: "", learning_rate: 1e-4 }] }), ["LTX6003 own.groups.0.match"]);
  assert.equal(said({ warmup_steps: -1 }), ["LTX6003 own.warmup_steps"]);
});

test("what trains badly is a warning that says what is usual", () => {
  assert.equal(said({ optimizer: "prodigy" }), ["LTX6251 optimization.learning_rate"]);
  assert.equal(said({ optimizer: "lion" }, { optimization: { learning_rate: 0.05 } }), [
    "LTX6251 optimization.learning_rate",
  ]);
  assert.equal(said({ weight_decay: 5 }), ["LTX6251 own.weight_decay"]);
  assert.equal(said({ groups: [{ match: "*", learning_rate: 1 }] }), ["LTX6251 own.groups.0.learning_rate"]);
  assert.equal(said({ ema_decay: 0.2 }), ["LTX6251 own.ema_decay"]);
  assert.equal(said({ warmup_steps: 3000 }, { optimization: { steps: 3000 } }), ["LTX6251 own.warmup_steps"]);
  const { findings } = resolve({ ema_decay: 0.999 }, { optimization: { steps: 500 } });
  assert.match(findings[0]?.message ?? "", "it averages over about 1000 steps, and the run has 500");
  assert.match(findings[0]?.help ?? "", "`ema_decay: 0.98` is usual");
});

test("the official trainer has none of it: one finding, that names what is asked for", () => {
  const own = { ema_decay: 0.99, optimizer: "lion", warmup_steps: 0, groups: [] };
  const { findings } = resolve(own, { runtime: { engine: "ltx-trainer" } });
  assert.equal(
    findings.map(({ code }) => code),
    ["LTX6252"],
  );
  assert.match(findings[0]?.message ?? "", "`optimizer`, `ema_decay`");
  assert.equal(said({}, { runtime: { engine: "ltx-trainer" } }), []);
});

test.run();
