import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import { planBytes, type Plan, type PlannedEngine, type Preflight } from "../../runtime/index.ts";
import { alternativesOf, alternativeText, tableRows } from "./alternatives.ts";
import { settledWith } from "./offload.ts";

const test = suite("what else a run could be");

const GiB = 2 ** 30;
const torch: PlannedEngine = { name: "torch", provider: "cuda", precision: "bfloat16" };
const onnx: PlannedEngine = { name: "onnx", provider: "cuda", precision: "float32" };
const step = { strategy: {} } as unknown as Step;
const outlines = [{ sample: { name: "a", files: {} }, sources: {} }];
const examined = { data: { mixture: null, outlines } } as unknown as Preflight;

function configOf(runtime: object, isCheckpointed = false): RunConfig {
  return {
    model: { training_mode: "lora" },
    acceleration: { quantization: null, mixed_precision_mode: "bf16" },
    optimization: {
      enable_gradient_checkpointing: isCheckpointed,
      optimizer_type: "adamw8bit",
      batch_size: 1,
      gradient_accumulation_steps: 1,
    },
    runtime: { engine: "auto", offload: "auto", optimization: { optimizer: null }, ...runtime },
  } as unknown as RunConfig;
}

/** Weights of 24 GiB, a step of 90 GiB or, with checkpointing, 8 GiB. */
function make({ runtime, acceleration, optimization }: RunConfig, { name, precision }: PlannedEngine): Promise<Plan> {
  const scale = precision === "float32" ? 2 : 1;
  const ofBlocks =
    name === "torch" && runtime.offload === "blocks" ? 1 : 24 / (acceleration.quantization === null ? 1 : 2);
  const ofStep = optimization.enable_gradient_checkpointing ? 8 : 90;
  return Promise.resolve({
    largest: { memory: { weights: scale * ofBlocks * GiB, step: scale * ofStep * GiB } },
  } as unknown as Plan);
}

async function sizesOf(config: RunConfig, gib: number, { engine = torch, isTable = false } = {}): Promise<unknown[][]> {
  const found = await alternativesOf(config, step, examined, { engine, most: gib * GiB, isTable, make });
  return found.map((one) => [alternativeText(one), planBytes(one.plan) / GiB, one.isStreamed]);
}

test("what `auto` does is decided anew for each alternative", async () => {
  assert.equal(await sizesOf(configOf({}), 80), [["enable_gradient_checkpointing: true", 32, false]]);
  assert.equal((await sizesOf(configOf({}), 24))[0], ["enable_gradient_checkpointing: true", 9, true]);
});

test("a table has checkpointing, weights on the host and on the card, and 8 bits, whether the run fits or not", async () => {
  const [checkpointed, int8] = ["enable_gradient_checkpointing: true", "acceleration.quantization: int8-quanto"];
  for (const [offload, other] of [
    ["none", "blocks"],
    ["blocks", "none"],
  ] as const) {
    const names = (await sizesOf(configOf({ offload }), 200, { isTable: true })).map(([name]) => name);
    for (const rest of [[], [int8], [checkpointed], [int8, checkpointed]]) {
      if (rest.length > 0) assert.ok(names.includes(rest.join(" and ")), rest.join(" and "));
      const both = [...rest, `runtime.offload: ${other}`].join(" and ");
      assert.ok(names.includes(both), `${both} in ${names.join("\n")}`);
    }
    assert.is(new Set(names).size, names.length);
  }
  const config = configOf({}, true);
  const search = { engine: torch, most: 24 * GiB, isTable: true, make };
  const found = await alternativesOf(config, step, examined, search);
  const rows = tableRows(await settledWith(make, config, torch, 24 * GiB), found, { speed: null, most: 24 * GiB });
  assert.equal(rows, [
    ["as it is", "about 9.0 GiB", "fits", "streamed", ""],
    ["offload: none", "about 32.0 GiB", "8.0 GiB too much", "", ""],
    ["int8-quanto", "about 20.0 GiB", "fits", "", ""],
    ["int8-quanto and offload: blocks", "about 9.0 GiB", "fits", "streamed", ""],
  ]);
});

test("where a run on ONNX Runtime does not fit, PyTorch is named if it would", async () => {
  const config = configOf({ engine: "onnx" }, true);
  const [first] = await sizesOf(config, 24, { engine: onnx });
  assert.equal(first, ["runtime.engine: torch", 9, true]);
  assert.equal(await sizesOf(config, 80, { engine: onnx }), []);
});

test("a table of a run on ONNX Runtime that does not fit has PyTorch with 8 bits and with weights on the host", async () => {
  const found = await sizesOf(configOf({ engine: "onnx" }, true), 24, { engine: onnx, isTable: true });
  const names = found.map(([name]) => name);
  const [toTorch, int8] = ["runtime.engine: torch", "acceleration.quantization: int8-quanto"];
  for (const name of [toTorch, `${toTorch} and ${int8}`, `${toTorch} and ${int8} and runtime.offload: blocks`])
    assert.ok(names.includes(name), `${name} in ${names.join("\n")}`);
  assert.is(new Set(names).size, names.length);
});

test("a plan that was made is not made again", async () => {
  const config = configOf({}, true);
  const own = await settledWith(make, config, torch, 24 * GiB);
  const made: RunConfig[] = [];
  const counting = (one: RunConfig, engine: PlannedEngine) => {
    made.push(one);
    return make(one, engine);
  };
  await alternativesOf(config, step, examined, { engine: torch, most: 24 * GiB, isTable: false, own, make: counting });
  assert.ok(made.length > 0);
  assert.not.ok(made.includes(config));
});

test.run();
