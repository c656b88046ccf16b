// `ltxc parity`, with a program in place of Python that "trains" as ltxc did, or does what `FAKE` says. parity.slow.test.ts has the
// trainer that stands in for the official one, with what `ltxc parity` puts around it.
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc, project } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("parity");

/** Writes down the losses that ltxc had, in the order that it was given, or losses of its own. */
const fake = `#!${process.execPath}
const fs = require("node:fs"), path = require("node:path");
if (process.argv[2] === "-c") {
  const all = { ltx_trainer: process.env.FAKE !== "none", ltx_core: process.env.FAKE !== "none", torch: true, accelerate: true };
  console.log(JSON.stringify({ ...all, gpus: 4 }));
  process.exit(0);
}
const [harness, config] = process.argv.slice(-3);
if (process.env.FAKE === "fails") { console.error("Traceback\\n  File\\nImportError: no module peft"); process.exit(1); }
const given = JSON.parse(fs.readFileSync(process.env.LTXC_PARITY, "utf8"));
const written = JSON.parse(fs.readFileSync(config, "utf8"));
const folder = path.dirname(harness);
const ours = fs.readFileSync(path.join(folder, "ltxc/metrics.jsonl"), "utf8").trim().split("\\n").map((line) => JSON.parse(line));
const size = given.order.length / written.optimization.steps;
for (const { globalStep: step, terms } of ours.filter(({ type }) => type === "step")) {
  const samples = given.order.slice((step - 1) * size, step * size);
  if (process.env.FAKE === "order") samples.reverse();
  const factor = process.env.FAKE === "drifts" && step > 1 ? 1.001 : process.env.FAKE === "other" ? 2 : 1 + 1e-6;
  const own = Object.fromEntries(Object.entries(terms).map(([name, loss]) => [name, loss * factor]));
  fs.appendFileSync(given.record + ".0", JSON.stringify({ step, part: 0, samples, terms: own }) + "\\n");
  fs.appendFileSync(process.env.LTXC_PROGRESS, JSON.stringify({ step, losses: own, samples: size, rate: null }) + "\\n");
}
if (process.env.FAKE === "waits") {
  process.on("SIGINT", () => process.exit(130));
  setInterval(() => {}, 1000);
}
`;

test.before(async (context) => {
  context.cwd = await project({ engine: "wasm", batch_size: 1, dropout: 0.1 });
  await mkdir(join(context.cwd, "env/bin"), { recursive: true });
  await writeFile(join(context.cwd, "env/bin/python"), fake);
  await chmod(join(context.cwd, "env/bin/python"), 0o755);
});
test.after.each(({ cwd }) => rm(join(cwd, "parity"), { recursive: true, force: true }));
test.after(({ cwd }) => rm(cwd, { recursive: true }));

const set = ["--set", "runtime.ltx_trainer=env", "--set", "model.text_encoder_path=data"];
const two = ["--set", "optimization.batch_size=2", "--steps", "1"];
const parity = ["parity", "--steps", "2", ...set];

test("losses that agree are shown step by step, and both runs are kept", async ({ cwd }) => {
  const { code, out, err } = await ltxc(parity, { cwd });
  assert.is(code, 0, err);
  assert.match(out, "as the run config says, but in float32, with a constant learning rate, without dropout");
  assert.match(out, /step {2}ltxc {7}ltx-trainer {2}difference\n {3}1 {2}\d\.\d{7} {2}\d\.\d{7} {4}1\.0e-6\n {3}2 /);
  assert.match(out, /largest difference 1\.0e-6 of the loss, at step \d; 1e-4 is allowed\nboth runs are in parity\n/);
  assert.match(out, /the two train alike\n$/);
  assert.match(err, /^ltxc step 1\/2 {2}loss /);
  assert.match(err, /\nltx-trainer step 2\/2 {2}loss /);
  const kept = await readdir(join(cwd, "parity"));
  for (const name of ["ltxc", "ltx-trainer.log", "parity.json", "start"]) assert.ok(kept.includes(name), name);
  assert.not.ok(existsSync(join(cwd, "outputs")));
  await expectSameStart(cwd);
});

/** The official trainer gets the weights that ltxc started from, and what makes it exact. */
async function expectSameStart(cwd: string): Promise<void> {
  const text = await readFile(join(cwd, "parity/train.json"), "utf8");
  const config = JSON.parse(text) as Record<string, Record<string, unknown>>;
  const start = join(cwd, "parity/start/checkpoints/lora_weights_step_00001.safetensors");
  assert.is(config["model"]?.["load_checkpoint"], start);
  assert.ok(existsSync(start));
  assert.is(config["lora"]?.["dropout"], 0);
  assert.is(config["lora"]?.["rank"], 8);
  assert.is(config["acceleration"]?.["mixed_precision_mode"], "no");
  assert.is(config["optimization"]?.["steps"], 2);
  assert.is(config["optimization"]?.["batch_size"], 1);
  assert.is(config["output_dir"] as unknown, join(cwd, "parity/ltx-trainer"));
  assert.not("evaluation" in config || "runtime" in config);
}

test("--json has every loss by terms", async ({ cwd }) => {
  const { code, out, err } = await ltxc(["--json", ...parity], { cwd });
  assert.is(code, 0, err);
  assert.is(err, "");
  const result = JSON.parse(out) as Record<string, unknown> & { steps: { terms: object; difference: number }[] };
  assert.is(result["isEqual"], true);
  assert.is(result["tolerance"], 1e-4);
  assert.is(result.steps.length, 2);
  assert.equal(Object.keys(result.steps[0]?.terms ?? {}), ["inpaint"]);
  assert.is(result["folder"], join(cwd, "parity"));
  const kept = JSON.parse(await readFile(join(cwd, "parity/parity.json"), "utf8")) as Record<string, unknown>;
  assert.equal(kept["steps"], result["steps"]);
});

test("losses that differ end with 1, and it is said from when on and what to look at", async ({ cwd }) => {
  const first = await ltxc(parity, { cwd, env: { FAKE: "other" } });
  assert.is(first.code, 1);
  assert.match(first.err, "error[LTX6614]: the losses differ from the first step on");
  assert.match(first.out, "largest difference 5.0e-1 of the loss");
  const later = await ltxc([...parity, "--overwrite"], { cwd, env: { FAKE: "drifts" } });
  assert.is(later.code, 1);
  assert.match(later.err, "error[LTX6614]: the first step agrees, and then the losses differ");
  const order = await ltxc([...parity, "--overwrite", ...two], { cwd, env: { FAKE: "order" } });
  assert.is(order.code, 1);
  assert.match(order.err, "error[LTX6614]: the two trained on other samples, from step 1 on");
});

test("an earlier comparison is replaced only if that is asked for, and anything else never", async ({ cwd }) => {
  await mkdir(join(cwd, "parity"));
  await writeFile(join(cwd, "parity/parity.json"), "{}");
  const again = await ltxc(parity, { cwd });
  assert.is(again.code, 2);
  assert.match(again.err, "error: parity holds an earlier comparison\nhelp: choose another folder with `--out`");
  await writeFile(join(cwd, "parity/notes.txt"), "mine");
  const replaced = await ltxc([...parity, "--overwrite"], { cwd });
  assert.is(replaced.code, 0, replaced.err);
  assert.ok(existsSync(join(cwd, "parity/notes.txt")));
  const other = await ltxc([...parity, "--overwrite", "--out", "data"], { cwd });
  assert.is(other.code, 2);
  assert.match(other.err, "error: data is there already, and holds no comparison");
  assert.ok(existsSync(join(cwd, "data/latents")));
});

test("without the official packages it says in three lines what to install, and trains nothing", async ({ cwd }) => {
  const { code, err } = await ltxc(parity, { cwd, env: { FAKE: "none" } });
  assert.is(code, 1);
  assert.match(err, /error\[LTX6608\]: there is no official trainer in/);
  assert.match(err, /help: \(1\) .*\n +\(2\) .*\n +\(3\) .*\n/);
  assert.not.ok(existsSync(join(cwd, "parity")));
});

test("what is wrong with run config, data or command line is told before anything is made", async ({ cwd }) => {
  const encoder = await ltxc(["parity", "--set", "runtime.ltx_trainer=env"], { cwd });
  assert.is(encoder.code, 1);
  assert.match(encoder.err, "error[LTX6611]");
  const data = await ltxc([...parity, "--set", "data.preprocessed_data_root=none"], { cwd });
  assert.is(data.code, 1);
  const config = await ltxc([...parity, "--set", "optimization.batch_size=no"], { cwd });
  assert.is(config.code, 1);
  const steps = await ltxc(["parity", "--steps", "0"], { cwd });
  assert.is(steps.code, 2);
  assert.match(steps.err, "`--steps` is 1 or more");
  assert.not.ok(existsSync(join(cwd, "parity")));
});

test("a side that fails is told with its last line, and what was trained is kept", async ({ cwd }) => {
  const { code, err } = await ltxc(parity, { cwd, env: { FAKE: "fails" } });
  assert.is(code, 1);
  assert.match(err, "error[LTX6610]: the official trainer ended with exit code 1: ImportError: no module peft");
  assert.match(err, join(cwd, "parity/ltx-trainer.log"));
  assert.ok(existsSync(join(cwd, "parity/ltxc/checkpoints")));
});

for (const [side, env, sign] of [
  ["ltxc", {}, "ltxc step 1/2"],
  ["the official trainer", { FAKE: "waits" }, "ltx-trainer step 2/2"],
] as const)
  test(`Ctrl-C ends it while ${side} trains`, async ({ cwd }) => {
    let isPressed = false;
    const onText = (text: string, interrupt: () => void) => {
      if (isPressed || !text.includes(sign)) return;
      isPressed = true;
      interrupt();
    };
    const { code, out } = await ltxc(parity, { cwd, env, onText });
    assert.is(code, 130);
    assert.match(out, /ending \(Ctrl-C again stops at once\)\nstopped; what was trained is in parity\n$/);
  });

test.run();
