// `ltxc run --on ltx-trainer`, with a program in place of Python that does what the official trainer with a compiled strategy does.
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseYaml, toPlain } from "../../compiler/1-parse/index.ts";
import { Bag } from "../../compiler/diagnostics/index.ts";
import { sourceFile } from "../../compiler/source/index.ts";
import { ltxc, project, type Call } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("run on the official trainer");

/** Answers the question for its packages, and "trains": writes lines of progress, then weights, or does what `FAKE` says. */
const fake = `#!${process.execPath}
const fs = require("node:fs"), path = require("node:path");
const [, , first, second, ...rest] = process.argv;
if (first === "-c") {
  const all = { ltx_trainer: process.env.FAKE !== "none", ltx_core: true, torch: true, accelerate: true, gpus: 2 };
  console.log(JSON.stringify(all));
  process.exit(0);
}
const config = JSON.parse(fs.readFileSync(process.argv.at(-2), "utf8"));
const folder = path.join(config.output_dir, "checkpoints");
const save = (step) => {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "lora_weights_step_0000" + step + ".safetensors"), "");
};
fs.writeFileSync(path.join(config.output_dir, "seen.json"), JSON.stringify({ args: process.argv.slice(2), config, cwd: process.env.LTXC_FOLDER }));
if (process.env.FAKE === "rank fails") {
  console.error(\`[rank1]: Traceback (most recent call last):
[rank1]:   File "x.py", line 1
[rank1]: RuntimeError: CUDA out of memory on rank 1
[rank0]:[W1127 12:36:02.07 reducer.cpp:1529] Warning: unused parameters
W1127 13:58:41.0 25 torch/distributed/elastic/multiprocessing/api.py:900] Sending process 24996 closing signal SIGTERM
E1127 13:58:41.0 25 torch/distributed/elastic/multiprocessing/api.py:874] failed (exitcode: 1)
Traceback (most recent call last):
  File "run.py", line 883
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
build/ltxc_inpainting.py FAILED
------------------------------------------------------------
Failures:
<NO_OTHER_FAILURES>
Root Cause (first observed failure):
[0]:
  time      : 2026-11-27_13:58:41
============================================================\`);
  process.exit(1);
}
if (process.env.FAKE === "fails") {
  console.error("Traceback (most recent call last):\\n  File\\nRuntimeError: CUDA out of memory");
  process.exit(3);
}
if (process.env.FAKE === "deaf") {
  setInterval(() => {}, 1000);
  process.stdin.on("end", () => fs.writeFileSync(path.join(config.output_dir, "stdin-ended"), "")).resume();
  return;
}
// Before any line tells that it is time to interrupt it.
if (process.env.FAKE === "waits") {
  save(2);
  process.on("SIGINT", () => process.exit(130));
  setInterval(() => {}, 1000);
}
for (let step = 1; step <= 3; step++) {
  const line = { step, losses: { inpaint: 1 / step }, samples: 4, rate: step === 1 ? null : 0.01, time: 1000 + step / 4 };
  fs.appendFileSync(process.env.LTXC_PROGRESS, JSON.stringify(line) + "\\n");
}
if (process.env.FAKE !== "waits") save(3);
`;

test.before(async (context) => {
  context.cwd = await project({ steps: 3, interval: "null" });
  await rm(join(context.cwd, "build"), { recursive: true });
  await mkdir(join(context.cwd, "env/bin"), { recursive: true });
  await writeFile(join(context.cwd, "env/bin/python"), fake);
  await chmod(join(context.cwd, "env/bin/python"), 0o755);
});
test.after.each(({ cwd }) => rm(join(cwd, "outputs"), { recursive: true, force: true }));
test.after(({ cwd }) => rm(cwd, { recursive: true }));

const encoder = ["--set", "model.text_encoder_path=data"];
const there = ["run", "--on", "ltx-trainer", "--set", "runtime.ltx_trainer=env", ...encoder];

async function seen(cwd: string) {
  const text = await readFile(join(cwd, "outputs/seen.json"), "utf8");
  return JSON.parse(text) as {
    args: string[];
    config: Record<string, Record<string, unknown>>;
    cwd: string;
  };
}

test("compiles, starts it, shows the progress, and ends with the same report", async ({ cwd }) => {
  const { code, out, err } = await ltxc([...there, "--set", "runtime.processes=2", "--set", "seed=9"], { cwd });
  assert.is(code, 0, err);
  assert.match(out, "training `inpainting` on the official trainer: 3 steps, 8 samples, 2 processes");
  assert.match(out, /loss 1\.0000 → 0\.3333, ratio 0\.33/);
  assert.match(out, /LoRA: outputs\/checkpoints\/lora_weights_step_00003\.safetensors\n$/);
  assert.match(err, /^step 1\/3 {2}loss 1\.0000 {2}… left/);
  assert.not.match(err, "NaN");
  const { args, config, cwd: folder } = await seen(cwd);
  assert.equal(args.slice(0, 4), ["-m", "accelerate.commands.launch", "--num_processes", "2"]);
  assert.is(args[4], join(cwd, "build/ltxc_inpainting.py"));
  assert.match(await readFile(args[4] as string, "utf8"), "class InpaintingStrategy(TrainingStrategy):");
  assert.is(folder, cwd);
  assert.is(config["seed"] as unknown, 9);
  assert.is(config["training_strategy"]?.["name"], "inpainting");
});

test("`ltxc report` finds what it needs", async ({ cwd }) => {
  await ltxc(there, { cwd });
  const { code, err } = await ltxc(["report"], { cwd });
  assert.is(code, 0, err);
  assert.ok(existsSync(join(cwd, "outputs/report.html")));
});

test("the run config can say it, and relative paths start at its folder", async ({ cwd }) => {
  const written = await readFile(join(cwd, "train.yaml"), "utf8");
  await mkdir(join(cwd, "configs"), { recursive: true });
  const path = join(cwd, "configs/far.yaml");
  const moved = written
    .replace("engine: wasm", "engine: ltx-trainer\n  ltx_trainer: ../env")
    .replace(/(model_path|preprocessed_data_root|output_dir): /g, "$1: ../")
    .replace("training_mode:", "text_encoder_path: ../data\n  training_mode:");
  await writeFile(path, moved);
  const { code, err } = await ltxc(["run", "configs/far.yaml"], { cwd });
  assert.is(code, 0, err);
  assert.is((await seen(cwd)).cwd, join(cwd, "configs"));
  await rm(join(cwd, "configs"), { recursive: true });
});

test("a failure is told with the trainer's last line, and where the rest is", async ({ cwd }) => {
  const { code, err } = await ltxc(there, { cwd, env: { FAKE: "fails" } });
  assert.is(code, 1);
  assert.match(err, "error[LTX6610]: the official trainer ended with exit code 3: RuntimeError: CUDA out of memory");
  assert.match(await readFile(join(cwd, "outputs/ltx-trainer.log"), "utf8"), "Traceback");
  await rm(join(cwd, "outputs"), { recursive: true });
  const rank = await ltxc(there, { cwd, env: { FAKE: "rank fails" } });
  assert.match(
    rank.err,
    "error[LTX6610]: the official trainer ended with exit code 1: RuntimeError: CUDA out of memory on rank 1",
  );
});

test("Ctrl-C ends the trainer, and the report says how to go on", async ({ cwd }) => {
  let isPressed = false;
  const onText = (text: string, interrupt: () => void) => {
    if (isPressed || !text.includes("step 3/3")) return;
    isPressed = true;
    interrupt();
  };
  const { code, out } = await ltxc(there, { cwd, env: { FAKE: "waits" }, onText });
  assert.is(code, 130);
  assert.match(out, "stopped after step 3, saved outputs/checkpoints/lora_weights_step_00002.safetensors");
  assert.match(out, /^to go on: ltxc run --resume --on ltx-trainer --set /m);
});

test("what is missing is told before anything starts", async ({ cwd }) => {
  const none = await ltxc(there, { cwd, env: { FAKE: "none" } });
  assert.is(none.code, 1);
  assert.match(none.err, /error\[LTX6608\]: there is no official trainer in .*env: .* has no ltx_trainer/);
  assert.match(none.err, /\(1\) get the packages .*\n +\(2\) install them .*\n +\(3\) write `ltx_trainer: PATH`/);
  const [on, name] = ["ltx-trainer", "runtime.ltx_trainer=env"];
  const encoderless = await ltxc(["run", "--on", on, "--set", name], { cwd });
  assert.match(encoderless.err, /error\[LTX6611\]/);
  const many = await ltxc([...there, "--set", "runtime.processes=4"], { cwd });
  assert.match(many.err, "error[LTX6609]: there are 4 processes for 2 GPUs");
  const data = await ltxc([...there, "--set", "data.preprocessed_data_root=none"], { cwd });
  assert.is(data.code, 1);
  assert.not.ok(existsSync(join(cwd, "outputs")));
});

test("official sections are read as what they mean", async ({ cwd }) => {
  const audio = ["name=text_to_video", "with_audio=true", "first_frame_conditioning_p=0.25"];
  const flexible = ["name=flexible", "video={is_generated: true, latents_dir: latents}"];
  await ltxc(["init", "sound", "--from", "text_to_video_with_audio"], { cwd });
  const folder = join(cwd, "sound");
  await rm(join(folder, "text_to_video_with_audio.strategy"));
  const written = await readFile(join(folder, "train.yaml"), "utf8");
  const path = join(folder, "official.yaml");
  const options = ["--set", "runtime.ltx_trainer=../env", ...encoder, "--set", "optimization.steps=3"];
  for (const [settings, section] of [
    [audio, { name: "text_to_video_with_audio", first_frame_conditioning_p: 0.25 }],
    [flexible, { name: "flexible" }],
  ] as const) {
    const lines = settings.map((text) => `\n  ${text.replace("=", ": ")}`).join("");
    await writeFile(path, written.replace(/training_strategy:(\n {2}.*)+/, `training_strategy:${lines}`));
    const { code, err } = await ltxc(["run", "official.yaml", "--on", "ltx-trainer", ...options], { cwd: folder });
    assert.is(code, 0, err);
    const { config, args } = await seen(folder);
    assert.equal(config["training_strategy"], section);
    assert.match(args[4] ?? "", `ltxc_${section.name}.py`);
    await rm(join(folder, "outputs"), { recursive: true });
  }
});

test("earlier work is not written over, and options of ltxc's own runs are refused", async ({ cwd }) => {
  await ltxc(there, { cwd });
  const again = await ltxc(there, { cwd });
  assert.is(again.code, 1);
  assert.match(again.err, /error\[LTX6341\]/);
  const { code, err } = await ltxc([...there, "--new"], { cwd });
  assert.is(code, 2);
  assert.match(err, "`--new` is only for runs of ltxc's own");
});

test("a finished run of ltxc's own is neither trained over nor gone on with", async ({ cwd }) => {
  const compiled = await ltxc(["compile"], { cwd });
  assert.is(compiled.code, 0, compiled.err);
  const own = await ltxc(["run"], { cwd });
  await rm(join(cwd, "build"), { recursive: true });
  assert.is(own.code, 0, own.err);
  const lora = join(cwd, "outputs/checkpoints/lora_weights_step_00003.safetensors");
  const before = await readFile(lora);
  const over = await ltxc(there, { cwd });
  assert.equal([over.code, /error\[LTX6341\]: .*finished run of `inpainting`/.test(over.err)], [1, true], over.err);
  assert.match(over.err, "--set output_dir=");
  assert.not.match(over.err, "--overwrite");
  const on = await ltxc([...there, "--resume", "--set", "optimization.steps=6"], { cwd });
  assert.equal([on.code, /error\[LTX6344\]: .*would begin at step 0/.test(on.err)], [1, true], on.err);
  assert.match(on.err, "it does not read the training state of ltxc");
  assert.match(on.err, "`ltxc run --resume` without `--on` goes on with it");
  assert.equal(await readFile(lora), before);
  // The same weights with a state of the official trainer: that one it goes on with.
  await rename(lora.replace("lora_weights", "training_state").replace("safetensors", "state"), `${lora}.moved`);
  const stateless = await ltxc([...there, "--resume"], { cwd });
  assert.match(stateless.err, "it does not find a training state of its own next to them");
  await writeFile(lora.replace("lora_weights", "training_state").replace("safetensors", "pt"), "");
  const resumed = await ltxc([...there, "--resume"], { cwd });
  assert.is(resumed.code, 0, resumed.err);
});

test("of two runs at once in a folder one trains, the other names it, whichever trainer", async ({ cwd }) => {
  let second: Promise<Call> | null = null;
  let isPressed = false;
  const onText = (text: string, interrupt: () => void) => {
    if (isPressed || !text.includes("step 3/3")) return;
    isPressed = true;
    second = ltxc(there, { cwd }).finally(interrupt);
  };
  const first = await ltxc(there, { cwd, env: { FAKE: "waits" }, onText });
  const refused = await (second as Promise<Call> | null);
  assert.is(first.code, 130, first.err);
  assert.is(refused?.code, 1);
  assert.match(refused?.err ?? "", `error[LTX6340]`);
  assert.match(refused?.err ?? "", `train in another folder: \`--set output_dir=${join(cwd, "outputs-2")}\``);
  assert.not.ok(existsSync(join(cwd, "outputs/run.lock")));
});

test("where `ltxc run` was killed, the trainer sees its stdin end; one that goes on all the same is named", async ({
  cwd,
}) => {
  const main = fileURLToPath(new URL("../ltxc.ts", import.meta.url));
  const args = ["--import", import.meta.resolve("tsx"), main, ...there];
  const first = spawn(process.execPath, args, { cwd, env: { ...process.env, FAKE: "deaf" }, stdio: "ignore" });
  const [lock, ended] = [join(cwd, "outputs/run.lock"), join(cwd, "outputs/stdin-ended")];
  const childIn = () => (existsSync(lock) ? parsedChild(readFileSync(lock, "utf8")) : null);
  while (childIn() === null) await sleep(20);
  const pid = childIn() ?? 0;
  first.kill("SIGKILL");
  while (!existsSync(ended)) await sleep(20);
  const { code, err } = await ltxc(there, { cwd });
  assert.is(code, 1);
  assert.match(err, `error[LTX6340]: ${join(cwd, "outputs")} is in use: process ${pid} still trains there`);
  assert.match(err, `\`kill -- -${pid}\`, or train in another folder: \`--set output_dir=`);
  process.kill(-pid, "SIGKILL");
});

const parsedChild = (text: string): number | null =>
  Number(/"child": \{\s*"pid": (\d+)/.exec(text)?.[1] ?? NaN) || null;

test("a project for the official trainer has all that it asks for", async ({ cwd }) => {
  const { code, err } = await ltxc(["init", "other", "--target", "ltx-trainer"], { cwd });
  assert.is(code, 0, err);
  const text = await readFile(join(cwd, "other/train.yaml"), "utf8");
  const root = parseYaml(sourceFile("train.yaml", text), new Bag(), "1.1");
  const config = toPlain(root as NonNullable<typeof root>) as Record<string, Record<string, unknown>>;
  assert.is(config["model"]?.["text_encoder_path"], "models/gemma");
  assert.equal(config["validation"], { interval: null, generate_video: false, generate_audio: false });
  assert.equal(config["runtime"], { engine: "ltx-trainer", ltx_trainer: null, processes: 1 });
  const names = [
    "config.json",
    "model.safetensors",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
  ];
  assert.equal(await readdir(join(cwd, "other/models/gemma")), names);
  const checked = await ltxc(["check"], { cwd: join(cwd, "other") });
  assert.is(checked.code, 0, checked.err);
});

test.run();
