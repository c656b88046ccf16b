// Bindings with arguments that are used several times in a body are functions there; what they compute is what was put in before.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compile } from "../index.ts";

const test = suite("functions in generated modules");
const sample = fileURLToPath(new URL("samples/functions.strategy", import.meta.url));

async function moduleOf(text: string): Promise<string> {
  const { artifacts, diagnostics } = await compile({ path: "functions.strategy", text });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  assert.equal(errors, []);
  return artifacts.find(({ name }) => name.endsWith(".ts"))?.text ?? "";
}

const written = readFileSync(sample, "utf8");
const module = await moduleOf(written);
const count = (text: string, part: string): number => text.split(part).length - 1;

test("each has the binding as a comment, its parameters in order, and the draws and numbers of its uses", () => {
  assert.match(module, "// same(m): m > 0.5\n  const same = (m: Tensor): Tensor => ops.greater(m, 0.5);\n");
  assert.match(module, "const error = (a: Tensor, b: Tensor): Tensor => ops.mean(ops.square(ops.sub(a, b)), [2]);");
  assert.match(module, "const grain = (radius: number, noise: Tensor): Tensor => ");
  assert.match(module, /grain\(2, draws.randn\("video.noise#1", /);
  assert.match(module, /grain\(\s*params.power,\s*draws.randn\("video.noise#2", /);
});

test("what is used once, or with values of other axes, stays in its place", () => {
  assert.not.match(module, "const once");
  assert.match(module, "ops.mean(ops.square(ops.sub(audioPrediction, audioTarget)), [2])");
});

test("what two terms need of one is calculated once, and called after the binding", () => {
  assert.is(count(module, "change(videoPrediction)"), 1);
  assert.match(module, "const lossChange = change(videoPrediction);");
  assert.match(module, "change(lossChange)");
});

test("a function stands in front of its first call, and a parameter hides no value", () => {
  for (const name of ["same", "grain", "change", "error"]) {
    const declared = module.indexOf(`const ${name} = (`);
    assert.ok(declared > 0 && declared < module.search(new RegExp(`(?<!// )\\b${name}\\((?!.*:)`)), name);
  }
  assert.match(module, "const x = ops.mean(");
  assert.match(module, "const change = (x_: Tensor): Tensor => ");
});

test("numbers that are new in each step are passed on where they are written", async () => {
  const text = written
    .replace("once(a): a * 3", "once(a): a * progress")
    .replace("mean(once(", "mean(once(video.target) + once(");
  const changed = await moduleOf(text);
  assert.not.match(changed, "const once");
  // Each has a name of its own.
  const names = [...changed.matchAll(/"(host\.\d+)"/g)].map(([, name]) => name);
  assert.is(new Set(names).size, names.length);
});

test("two parts of a term that are alike are told apart by what they are made of", async () => {
  const parts = "mean(abs(video.prediction - video.target) + (video.prediction - video.target)^2, token, channel)";
  const others = "mean(abs(audio.prediction - audio.target) + (audio.prediction - audio.target)^2, token, channel)";
  const text = `${written.slice(0, written.indexOf("loss:"))}loss:\n  a: ${parts} + ${others}\n`;
  const changed = await moduleOf(text);
  assert.match(changed, "const lossDifference = ops.sub(videoPrediction, videoTarget);");
  assert.match(changed, "const lossPredictionDifference = ops.sub(audioPrediction, audioTarget);");
});

test.run();
