import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveConfig } from "../index.ts";

const test = suite("values with which runs train");

function saidOf(section: string, settings: Readonly<Record<string, unknown>>): readonly string[] {
  const base = {
    model: { model_path: "m.safetensors" },
    data: { preprocessed_data_root: "data" },
    lora: { rank: 8, alpha: 8 },
  };
  const own = { ...(base as Readonly<Record<string, object>>)[section], ...settings };
  const { config, findings } = resolveConfig({ ...base, [section]: own }, { configDirectory: "/" });
  assert.ok(config !== null, "it is allowed all the same");
  return findings.filter(({ code }) => code === "LTX6251").map(({ path, severity }) => `${severity} ${path.join(".")}`);
}

test("what is far from them is a warning at its place", () => {
  for (const rate of [1, 0.5, 1e-9])
    assert.equal(saidOf("optimization", { learning_rate: rate }), ["warning optimization.learning_rate"]);
  assert.equal(saidOf("optimization", { steps: 2e7 }), ["warning optimization.steps"]);
  assert.equal(saidOf("optimization", { max_grad_norm: 1e-6 }), ["warning optimization.max_grad_norm"]);
  assert.equal(saidOf("lora", { rank: 2048, alpha: 2048 }), ["warning lora.rank"]);
  assert.equal(saidOf("lora", { alpha: 8000 }), ["warning lora.alpha"]);
  assert.equal(saidOf("validation", { inference_steps: 100_000 }), ["warning validation.inference_steps"]);
  assert.equal(saidOf("lora", { dropout: 0.95 }), ["warning lora.dropout"]);
});

test("what is usual, and what is switched off, is not mentioned", () => {
  for (const rate of [1e-6, 1e-4, 5e-4, 1e-2]) assert.equal(saidOf("optimization", { learning_rate: rate }), []);
  assert.equal(saidOf("optimization", { max_grad_norm: 0, steps: 100_000, gradient_accumulation_steps: 64 }), []);
  assert.equal(saidOf("lora", { rank: 128, alpha: 1, dropout: 0 }), []);
  assert.equal(saidOf("data", { num_dataloader_workers: 0 }), []);
});

test("a rank beyond the width of all layers is refused before anything is planned", () => {
  const said = (rank: number) => {
    const base = { model: { model_path: "m.safetensors" }, data: { preprocessed_data_root: "data" } };
    const { findings } = resolveConfig({ ...base, lora: { rank, alpha: rank } }, { configDirectory: "/" });
    return findings.map(({ code, path }) => `${code} ${path.join(".")}`);
  };
  assert.equal([said(16_384), said(450_000)], [["LTX6251 lora.rank"], ["LTX6196 lora.rank"]]);
});

test.run();
