import { appendFile, cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openSafetensors, writeSafetensors } from "../../runtime/files/index.ts";
import type { Expected, TrainEvent } from "../../runtime/index.ts";
import { configure, ltxc, project, type Call } from "../testing/testing.ts";

const test = suite<{ original: string; cwd: string }>("run");

test.before(async (context) => {
  context.original = await project({ steps: 4, interval: "null" });
});
test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-run-"));
  await cp(context.original, context.cwd, { recursive: true });
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));
test.after(({ original }) => rm(original, { recursive: true }));

/** The run ends with these codes and nothing else, and nothing is trained. */
function refuses({ code, err }: Call, ...codes: readonly string[]): void {
  const found = [...err.matchAll(/^(?:error|warning)\[(LTX\d+)\]/gm)].map((match) => match[1]);
  assert.equal(found, codes, err);
  assert.is(code, 1);
}

const checkpoints = (cwd: string) => readdir(join(cwd, "outputs/checkpoints"));

test("trains, and shows start, end, curve and where the LoRA is", async ({ cwd }) => {
  const { code, out, err } = await ltxc(["run"], { cwd });
  assert.is(code, 0, err);
  assert.match(out, /^engine wasm: /);
  assert.match(out, "training `inpainting`: 4 steps, 8 samples");
  assert.match(out, "not reckoned for the engine wasm; `ltxc plan` says what the engine onnx would take");
  assert.match(out, /loss \d+\.\d{4} → \d+\.\d{4}, ratio \d\.\d\d \(median of the first and the last 2 steps\)/);
  assert.match(out, /│█/);
  assert.match(out, /LoRA: outputs\/checkpoints\/lora_weights_step_00004\.safetensors\n$/);
  assert.match(err, /^step 1\/4 {2}loss /);
  const file = await openSafetensors(join(cwd, "outputs/checkpoints/lora_weights_step_00004.safetensors"));
  assert.ok(file.tensors.has("diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight"));
  await file.close();
});

test("the recording engine says what it records, to programs each time, and what the run is expected to take", async ({
  cwd,
}) => {
  const { out } = await ltxc(["run", "--json", "--set", "runtime.engine=onnx"], { cwd });
  const events = out
    .trim()
    .split("\n")
    .map((line): { type: string; operations?: number; expected?: Expected } => JSON.parse(line));
  const { engine, insteadOf, residentBytes = 0, flopsPerStep = 0 } = events[0]?.expected ?? {};
  assert.equal([engine?.name, engine?.provider, insteadOf], ["onnx", "cpu", null]);
  assert.ok(residentBytes > 2 ** 27 && flopsPerStep > 1e8);
  const metrics = await readFile(join(cwd, "outputs/metrics.jsonl"), "utf8");
  assert.equal(JSON.parse(metrics.split("\n")[0] ?? "").expected, events[0]?.expected);
  const recorded = events.filter(({ type }) => type === "recorded");
  assert.ok(recorded.length > 0 && recorded.every(({ operations = 0 }) => operations > 0));
  assert.ok(events.every(({ type }) => type !== "recording"));
});

test("--json prints one event per line, from started to finished", async ({ cwd }) => {
  const { code, out } = await ltxc(["run", "--json"], { cwd });
  assert.is(code, 0);
  const events = out
    .trim()
    .split("\n")
    .map((line): TrainEvent => JSON.parse(line));
  assert.equal(
    events.map(({ type }) => type),
    ["started", "step", "step", "step", "step", "checkpoint", "finished"],
  );
});

test("--quiet prints the LoRA's place only", async ({ cwd }) => {
  const { out, err } = await ltxc(["run", "--quiet"], { cwd });
  assert.is(out, "LoRA: outputs/checkpoints/lora_weights_step_00004.safetensors\n");
  assert.is(err, "");
});

test("on a terminal the progress redraws itself and is gone at the end", async ({ cwd }) => {
  const { err } = await ltxc(["run", "--color", "never"], { cwd, columns: 100 });
  assert.match(err, /^1\/4 ━+─+ {2}loss /);
  assert.match(err, /4\/4 ━{30} /);
  assert.ok(err.endsWith("\u001b[G\u001b[3A\u001b[J"));
});

test("Ctrl-C finishes the step, saves and says how to go on; --resume does", async ({ cwd }) => {
  const stopped = await ltxc(["run"], {
    cwd,
    onText: (text, interrupt) => /^step 1\/4 .*\n$/m.test(text) && interrupt(),
  });
  assert.is(stopped.code, 130);
  assert.match(stopped.out, "finishing this step, then saving (Ctrl-C again stops at once)");
  assert.match(stopped.out, "stopped after step 1, saved outputs/checkpoints/lora_weights_step_00001.safetensors");
  assert.match(stopped.out, "to go on: ltxc run --resume");
  const resumed = await ltxc(["run", "--resume"], { cwd });
  assert.is(resumed.code, 0, resumed.err);
  assert.match(resumed.out, "going on after step 1 from outputs/checkpoints/lora_weights_step_00001.safetensors");
  assert.ok((await checkpoints(cwd)).includes("lora_weights_step_00004.safetensors"));
});

test("wrong settings, params, data and model are told of in one round", async ({ cwd }) => {
  await configure(cwd, {
    learning_rate: "fast",
    batch_size: "two",
    mask_threshold: 2,
    model_path: "models/none.safetensors",
  });
  await rm(join(cwd, "data/conditions"), { recursive: true });
  const { code, err } = await ltxc(["run"], { cwd });
  assert.is(code, 1);
  const codes = [...err.matchAll(/^error\[(LTX\d+)\]/gm)].map((match) => match[1]);
  assert.equal(codes.toSorted(), ["LTX6002", "LTX6002", "LTX6003", "LTX6121", "LTX6303"]);
});

test("--resume after a change is refused at each changed setting; --resume-anyway goes on", async ({ cwd }) => {
  assert.is((await ltxc(["run", "--set", "optimization.steps=1"], { cwd })).code, 0);
  const changed = ["--set", "optimization.steps=2", "--set", "seed=7"];
  await configure(cwd, { mask_threshold: 0.25 });
  const refused = await ltxc(["run", "--resume", ...changed], { cwd });
  refuses(refused, "LTX6314", "LTX6314");
  assert.match(
    refused.err,
    /`seed` was 42 when .*training_state_step_00001\.state was saved, and is now 7\n --> --set:1:6/,
  );
  assert.match(
    refused.err,
    /`training_strategy\.mask_threshold` was 0\.5 when .* and is now 0\.25\n +--> train\.yaml:/,
  );
  const anyway = await ltxc(["run", "--resume-anyway", ...changed], { cwd });
  assert.is(anyway.code, 0, anyway.err);
  assert.match(anyway.out, "going on after step 1");
});

test("--resume without a checkpoint is refused", async ({ cwd }) => {
  refuses(await ltxc(["run", "--resume"], { cwd }), "LTX6307");
});

test("a strategy that is not compiled, changed since, or not there is told apart", async ({ cwd }) => {
  await appendFile(join(cwd, "inpainting.strategy"), "\n# changed\n");
  refuses(await ltxc(["run"], { cwd }), "LTX6502");
  await rm(join(cwd, "build"), { recursive: true });
  refuses(await ltxc(["run"], { cwd }), "LTX6501");
  await configure(cwd, { name: "inpaintin" });
  refuses(await ltxc(["run"], { cwd }), "LTX6010");
});

test("a missing run config is a usage error that names the way out", async ({ cwd }) => {
  await rm(join(cwd, "train.yaml"));
  const { code, err } = await ltxc(["run"], { cwd });
  assert.is(code, 2);
  assert.match(err, "train.yaml does not exist\nhelp: `ltxc init` makes a project with one");
});

test("broken YAML is shown at its place", async ({ cwd }) => {
  await writeFile(join(cwd, "train.yaml"), "model: {model_path: x\n");
  const { code, err } = await ltxc(["run"], { cwd });
  assert.is(code, 1);
  assert.match(err, /error\[LTX1\d+\]/);
  assert.match(err, /--> train\.yaml:\d+:\d+/);
});

test("all mistakes of the run config come at once, also those in the strategy's params", async ({ cwd }) => {
  await configure(cwd, { learning_rate: "fast", rank: 1, mask_threshold: 2, seed: "42\nsed: 1" });
  const call = await ltxc(["run"], { cwd });
  refuses(call, "LTX6003", "LTX6003", "LTX6002", "LTX6001");
  assert.match(call.err, "`training_strategy.mask_threshold` must be at most 1");
});

test("missing data, model and output folder come at once", async ({ cwd }) => {
  await rm(join(cwd, "data/mask_latents"), { recursive: true });
  await writeFile(join(cwd, "file"), "");
  await configure(cwd, { model_path: "models/none.safetensors", output_dir: "file/outputs" });
  const { code, err } = await ltxc(["run"], { cwd });
  assert.is(code, 1);
  assert.match(err, /data[\\/]mask_latents/);
  assert.match(err, "none.safetensors does not exist");
  assert.match(err, /error\[LTX6191\].*\n *--> train\.yaml:\d+:13/);
  assert.match(err, "3 errors");
});

test("an empty data folder and a truncated file are findings", async ({ cwd }) => {
  await truncate(join(cwd, "data/latents/clip_1.pt"), 900);
  const truncated = await ltxc(["run"], { cwd });
  assert.is(truncated.code, 1);
  assert.match(truncated.err, /error\[LTX61\d\d\].*clip_1\.pt/);
  await rm(join(cwd, "data/latents"), { recursive: true });
  await cp(join(cwd, ".vscode"), join(cwd, "data/latents"), { recursive: true });
  const empty = await ltxc(["run"], { cwd });
  assert.is(empty.code, 1);
  assert.match(empty.err, /error\[LTX61\d\d\]/);
});

test("a checkpoint that lacks tensors is refused with their names", async ({ cwd }) => {
  const path = join(cwd, "models/tiny-ltx2.safetensors");
  const file = await openSafetensors(path);
  const missing = "model.diffusion_model.transformer_blocks.1.attn1.to_q.weight";
  const kept = await Promise.all(
    [...file.tensors].map(async ([name, { shape, dtype }]) => ({ name, shape, dtype, data: await file.read(name) })),
  );
  await file.close();
  await writeSafetensors(
    path,
    kept.filter(({ name }) => name !== missing),
    file.metadata,
  );
  const call = await ltxc(["run"], { cwd });
  refuses(call, "LTX6205");
  assert.match(call.err, missing);
});

test("a loss that is no number stops the run and names step and term", async ({ cwd }) => {
  await configure(cwd, { learning_rate: "1e38" });
  const { code, err, out } = await ltxc(["run", "--json"], { cwd });
  assert.is(code, 1, err);
  const last: { type: string; diagnostics: { code: string; message: string }[] } = JSON.parse(
    out.trim().split("\n").at(-1) ?? "",
  );
  assert.is(last.type, "findings");
  assert.match(last.diagnostics[0]?.code ?? "", /LTX700[12]/);
  assert.match(last.diagnostics[0]?.message ?? "", /step \d/);
});

test.run();
