import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { expectSums, planned } from "../testing/planned.ts";
import { configure, ltxc, project } from "../testing/testing.ts";

const test = suite("plan");
const folder = await project();
test.after(() => rm(folder, { recursive: true }));

test("memory by its parts, and what other settings would save", async () => {
  const { fits, plan, residentBytes, alternatives } = await planned(folder);
  assert.ok(fits);
  const { trained, optimizer, step } = plan.largest.memory as { trained: number; optimizer: number; step: number };
  assert.is(optimizer, 2 * trained);
  // Of eight samples 128 tokens each: 64 channels in float32, and a mask.
  assert.is(plan.largest.memory["captions"], 8 * 128 * (4 * 64 + 4));
  assert.ok(step > 1e6 && residentBytes > trained + optimizer + step);
  const settings = alternatives.map((alternative) => alternative.settings.join(" + "));
  // A model so small makes less in a step than the graph of a checkpointed one takes.
  assert.equal(settings.slice(0, 2), ["optimizer_type: adamw8bit", "batch_size: 1, gradient_accumulation_steps: 2"]);
  for (const alternative of alternatives) assert.ok(alternative.residentBytes < residentBytes, alternative.settings[0]);
});

test("settings that save nothing are not offered", async () => {
  const least = ["optimizer_type=adamw8bit", "batch_size=1"];
  const set = least.map((setting) => `optimization.${setting}`);
  assert.equal((await planned(folder, ...set)).alternatives, []);
  const { out } = await ltxc(["plan", ...set.flatMap((text) => ["--set", text])], { cwd: folder });
  assert.match(out, /^With other settings\n {2}none of those that are tried saves memory$/m);
});

test("the parts add up, in text and as JSON", () => expectSums(folder, ["optimization.gradient_accumulation_steps=3"]));

test("a text with memory, time and advice", async () => {
  const { out, code } = await ltxc(["plan"], { cwd: folder });
  assert.is(code, 0);
  assert.match(out, /^train\.yaml on the engine onnx on cpu, in float32; the run takes the engine wasm, which/m);
  assert.match(
    out,
    /^ {2}memory +about \d+\.\d MiB \(base model .*, trained .*, optimizer .*, captions .*, a step .*, kept .*, the program .*\)$/m,
  );
  assert.match(out, /^ {2}optimizer_type: adamw8bit +about /m);
  assert.match(
    out,
    /^ {2}accuracy +memory within 10 % in runs that were measured; saving a checkpoint is not counted$/m,
  );
  assert.match(out, /^It fits: .* of .* are free\.$/m);
  const json = JSON.parse((await ltxc(["plan", "--json"], { cwd: folder })).out) as Record<string, unknown>;
  assert.is(json["memoryTolerance"], 0.1);
});

test("--emit graph prints the operations of a step, forward and backward, and nothing else", async () => {
  const { out, err, code } = await ltxc(["plan", "--emit", "graph"], { cwd: folder });
  assert.is(code, 0);
  assert.is(err, "");
  assert.match(out, /^# graph 1 of (\d+)\ninput .*\n/);
  assert.match(out, /^\w+: float32\[216, 64\] = Gemm\(/m, "a linear layer for two samples of 108 video tokens");
  assert.not.match(out, "train.yaml on the engine onnx");
  const json = await ltxc(["plan", "--emit", "graph", "--json"], { cwd: folder });
  const { path, graphs } = JSON.parse(json.out) as { path: string; graphs: string[] };
  assert.is(path, "train.yaml");
  assert.is(graphs.map((text, i) => `# graph ${i + 1} of ${graphs.length}\n${text}\n`).join("\n"), out);
  const products = (text: string) => text.match(/= (Gemm|(Fused)?MatMul)\(/g)?.length ?? 0;
  const fewer = await ltxc(["plan", "--emit", "graph", "--set", "lora.target_modules=[attn1.to_q]"], { cwd: folder });
  assert.ok(products(fewer.out) < products(out), "fewer trained layers take fewer products forward and backward");
});

test("a card that is not known is a finding, with what is meant", async () => {
  const { out, code } = await ltxc(["plan", "--gpu", "409O"], { cwd: folder });
  assert.is(code, 1);
  assert.match(out, /error\[LTX6391\]: no card is known as `409O`/);
  assert.match(out, "did you mean `4090`?");
  for (const [asked, meant] of [
    ["4O90", "4090"],
    ["h10O", "h100"],
  ] as const)
    assert.match((await ltxc(["plan", "--gpu", asked], { cwd: folder })).out, `did you mean \`${meant}\`?`);
  for (const wrong of ["0 GB", "-3 GB", "1e999 GB", "24,5 GB"]) {
    const said = (await ltxc(["plan", `--gpu=${wrong}`], { cwd: folder })).out;
    assert.match(said, `error[LTX6391]: \`${wrong}\` is no amount of memory that a card has`);
  }
  const size = await ltxc(["plan", "--gpu", "24"], { cwd: folder });
  assert.match(size.out, 'if you mean its memory, write "24 GB"');
});

test("it is said why a card has no time, and what the run config says otherwise", async () => {
  const least = ["optimizer_type=adamw8bit", "batch_size=1"];
  const set = least.flatMap((setting) => ["--set", `optimization.${setting}`]);
  const { out } = await ltxc(["plan", "--gpu", "t4", ...set, "--set", "runtime.engine=wasm"], { cwd: folder });
  assert.match(out, /^ {2}speed +not known: T4 has no bfloat16 in hardware/m);
  assert.match(out, "for T4 (16 GiB); the run config says `engine: wasm`, with which a run would not compute so");
});

test("findings come instead of a plan", async () => {
  await configure(folder, { steps: -1 });
  const { out, code } = await ltxc(["plan"], { cwd: folder });
  await configure(folder, { steps: 4 });
  assert.is(code, 1);
  assert.match(out, /error\[LTX6\d+\]/);
});

test.run();
