import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { writeModel } from "../../bin/init/model.ts";
import { project } from "../../bin/testing/testing.ts";
import { resolveConfig } from "../config/index.ts";
import type { RunConfig } from "../config/run-config.ts";
import type { Step } from "../contract.ts";
import { costOf } from "../graph/cost.ts";
import type { Graph } from "../graph/graph.ts";
import { printGraph } from "../graph/text.ts";
import { preflight } from "../opening/preflight.ts";
import { type PlannedEngine, type StepPlan } from "./plan.ts";
import { contextsOf, graphsOf, planOf } from "./step-plan.ts";

const test = suite("plan of a run");
const folder = await project();
test.after(() => rm(folder, { recursive: true }));
const step = (await import(pathToFileURL(join(folder, "build/inpainting.mjs")).href)) as Step;

async function configWith(
  settings: Readonly<Record<string, unknown>>,
  targets?: readonly string[],
): Promise<RunConfig> {
  const raw = parse(await readFile(join(folder, "train.yaml"), "utf8")) as Record<string, Record<string, unknown>>;
  raw["optimization"] = { ...raw["optimization"], ...settings };
  if (targets !== undefined) raw["lora"] = { ...raw["lora"], target_modules: targets };
  const { config, findings } = resolveConfig(raw, { configDirectory: folder });
  if (config === null) throw new Error(findings.map(({ message }) => message).join());
  return config;
}

async function planWith(
  settings: Readonly<Record<string, unknown>>,
  targets?: readonly string[],
  blocks: readonly number[] | null = null,
): Promise<StepPlan> {
  const { runtime, ...plain } = await configWith(settings, targets);
  const config = { ...plain, runtime: { ...runtime, lora: { blocks } } };
  return (await planOf(config, step, await preflight(config, step))).largest;
}

const near = (a: number, b: number) => assert.ok(Math.abs(a / b - 1) < 0.01, `${a} and ${b}`);

test("many blocks are planned from a few of them", async () => {
  await writeModel(join(folder, "models/tiny-ltx2.safetensors"), { num_layers: 9 });
  const few = await planWith({}, ["attn1.to_q", "ff.net.2"]);
  // Blocks that are named one by one are all recorded.
  const named = Array.from({ length: 9 }, (_, i) => `transformer_blocks.${i}`);
  const all = await planWith(
    {},
    named.flatMap((block) => [`${block}.attn1.to_q`, `${block}.ff.net.2`]),
  );
  for (const key of ["weights", "trained", "optimizer", "step"] as const) near(few.memory[key], all.memory[key]);
  near(few.cost.matmulFlops, all.cost.matmulFlops);
  near(few.cost.movedBytes, all.cost.movedBytes);
  near(few.operations, all.operations);
});

test("blocks with adapters are planned from a few of each kind, and nothing flows back through those before the first", async () => {
  await writeModel(join(folder, "models/tiny-ltx2.safetensors"), { num_layers: 12 });
  const targets = ["attn1.to_q", "ff.net.2"];
  const all = (await planWith({}, targets)).cost.matmulFlops;
  const compared = async (blocks: readonly number[], isCheckpointed: boolean) => {
    const settings = { enable_gradient_checkpointing: isCheckpointed };
    const few = await planWith(settings, targets, blocks);
    const named = blocks.flatMap((i) => targets.map((target) => `transformer_blocks.${i}.${target}`));
    const whole = await planWith(settings, named);
    for (const key of ["weights", "trained", "optimizer", "step"] as const) near(few.memory[key], whole.memory[key]);
    near(few.cost.matmulFlops, whole.cost.matmulFlops);
    return few.cost.matmulFlops / all;
  };
  // Half of the blocks take the forward pass, and half of a backward pass that is as long.
  const half = await compared([6, 7, 8, 9, 10, 11], false);
  assert.ok(half < 0.76, String(half));
  await compared([5, 6, 7, 8, 9], true);
});

test("a step that computes blocks again takes less memory and more work", async () => {
  const [kept, again] = [await planWith({}), await planWith({ enable_gradient_checkpointing: true })];
  assert.ok(again.memory.step < 0.6 * kept.memory.step, `${again.memory.step} of ${kept.memory.step}`);
  const ratio = again.cost.matmulFlops / kept.cost.matmulFlops;
  assert.ok(ratio > 1.2 && ratio < 1.5, String(ratio));
});

test("accumulating takes the work of its batches", async () => {
  const [one, two] = [await planWith({}), await planWith({ gradient_accumulation_steps: 2 })];
  const ratio = two.cost.matmulFlops / one.cost.matmulFlops;
  assert.ok(Math.abs(ratio - 2) < 0.01, String(ratio));
});

test("of very many batches a few are recorded, and the others take as much as these", async () => {
  const costOfBatches = async (count: number) => (await planWith({ gradient_accumulation_steps: count })).cost;
  const [five, eight, many] = [await costOfBatches(5), await costOfBatches(8), await costOfBatches(1_000_000)];
  for (const part of ["matmulFlops", "movedBytes", "nodes"] as const) {
    const each = (eight[part] - five[part]) / 3;
    const off = many[part] / (eight[part] + 999_992 * each) - 1;
    assert.ok(Math.abs(off) < 1e-6, `${part} ${off}`);
  }
});

test("the graphs of a step are the ones that its plan counts, and each of them can be printed", async () => {
  const config = await configWith({});
  const examined = await preflight(config, step);
  const graphs = await graphsOf(config, step, examined);
  const flops = graphs.map((graph) => costOf(graph).matmulFlops);
  near(
    flops.reduce((a, b) => a + b),
    (await planOf(config, step, examined)).largest.cost.matmulFlops,
  );
  const texts = graphs.map(printGraph);
  assert.is(new Set(texts).size, texts.length);
  assert.match(texts[flops.indexOf(Math.max(...flops))] ?? "", /: float32\[.*\] = (MatMul|FusedMatMul|Gemm)\(/);
  const nodes = (all: readonly Graph[]) => all.reduce((sum, graph) => sum + graph.nodes.length, 0);
  assert.ok(nodes(await graphsOf(config, step, examined, { blocks: 2 })) < nodes(graphs) / 2);
});

test("a plan is the same after others for the same engine, whose recordings it takes, as alone", async () => {
  const torch = (): PlannedEngine => ({ name: "torch", provider: "cuda", precision: "bfloat16" });
  const shared = torch();
  for (const [settings, offload] of [
    [{}, "none"],
    [{}, "blocks"],
    [{ optimizer_type: "adamw8bit" }, "blocks"],
    [{ enable_gradient_checkpointing: true }, "none"],
  ] as const) {
    const { runtime, ...plain } = await configWith(settings, ["attn1.to_q"]);
    const config = { ...plain, runtime: { ...runtime, offload } };
    const examined = await preflight(config, step);
    assert.equal(await planOf(config, step, examined, shared), await planOf(config, step, examined, torch()));
  }
});

test("a text that all samples share is kept once", () => {
  const sources = [
    { name: "conditions", kind: "text_embeddings" as const, directory: "conditions" },
    { name: "empty", kind: "text_embeddings" as const, directory: "empty.pt", shared: true },
  ];
  const text = { kind: "text_embeddings" as const, tokens: 128 };
  const outline = { sample: { name: "", files: {} }, sources: { conditions: text, empty: text } };
  // Of 8 samples 8 contexts and that of the file: 9, where a sample has two.
  assert.is(contextsOf({ sources }, outline, 8), 4.5);
  assert.is(contextsOf({ sources }, { ...outline, sources: { conditions: text } }, 8), 8);
});

test.run();
