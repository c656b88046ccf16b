// How runs end: real processes, signals, pipes and full disks.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { project } from "./testing/testing.ts";

const test = suite<{ cwd: string }>("ends of runs");
const root = fileURLToPath(new URL("..", import.meta.url));
const bundle = join(root, "dist/ltxc.mjs");

test.before(async (context) => {
  const setup = spawnSync(process.execPath, [join(root, "scripts/setup.mjs")], { encoding: "utf8" });
  assert.is(setup.status, 0, setup.stderr);
  context.cwd = await project({ steps: 100_000, interval: "null" });
});
test.after(({ cwd }) => rm(cwd, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `ltxc run` into a folder of its own; `during` acts on it when it has begun to train. */
async function runAnd(
  cwd: string,
  output: string,
  during: (child: ChildProcess) => void,
  ...args: readonly string[]
): Promise<Ended> {
  const into = ["--set", `output_dir=${output}`];
  const child = spawn(process.execPath, [bundle, "run", ...into, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  let isOn = false;
  // Data and model are still being read when the training begins to count.
  const began = /^(unread|remodelled)/.test(output) ? /step 1\// : /training `/;
  const seen = () => {
    if (isOn || !began.test(out + err)) return;
    isOn = true;
    during(child);
  };
  child.stdout.on("data", (text: Buffer) => ((out += text.toString()), seen()));
  child.stderr.on("data", (text: Buffer) => ((err += text.toString()), seen()));
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, out, err })));
}

const stoppedAt = (text: string): string => /(?:stopped after|weights of) step (\d+)/.exec(text)?.[1] ?? "none";
const isSaved = (cwd: string, output: string, step: string): boolean =>
  existsSync(join(cwd, output, `checkpoints/lora_weights_step_${step.padStart(5, "0")}.safetensors`));
const metrics = (cwd: string, output: string) => readFile(join(cwd, output, "metrics.jsonl"), "utf8");

test("SIGHUP lets the step finish, saves and ends with 130, even if nothing can be printed any more", async ({
  cwd,
}) => {
  const { code } = await runAnd(cwd, "hangup", (child) => {
    child.stdout?.destroy();
    child.stderr?.destroy();
    // Shells send it more than once.
    for (let i = 0; i < 3; i++) child.kill("SIGHUP");
  });
  assert.is(code, 130);
  const last = (await metrics(cwd, "hangup")).trim().split("\n").at(-1) ?? "";
  const { type, globalStep } = JSON.parse(last) as { type: string; globalStep: number };
  assert.is(type, "interrupted");
  assert.ok(isSaved(cwd, "hangup", String(globalStep)));
});

test("a run under nohup outlives its terminal", async ({ cwd }) => {
  process.env["_"] = "/usr/bin/nohup";
  const { code, out } = await runAnd(cwd, "nohup", (child) => {
    child.kill("SIGHUP");
    setTimeout(() => child.kill("SIGTERM"), 300);
  }).finally(() => delete process.env["_"]);
  assert.is(code, 130, out);
  const text = await metrics(cwd, "nohup");
  assert.ok(Number(stoppedAt(out)) > 2, text.slice(-500));
});

test("Ctrl-C that arrives twice by way of npm is one, a second one ends the process at once with 130", async ({
  cwd,
}) => {
  const once = await runAnd(cwd, "once", (child) => {
    child.kill("SIGINT");
    child.kill("SIGINT");
  });
  assert.is(once.code, 130, once.err);
  assert.ok(isSaved(cwd, "once", stoppedAt(once.out)));
  // A step that takes minutes, so that the first one can not have ended the run.
  const twice = await runAnd(
    cwd,
    "twice",
    (child) => {
      child.kill("SIGINT");
      child.stdout?.once("data", () => child.kill("SIGINT"));
    },
    "--set",
    "optimization.gradient_accumulation_steps=100000",
  );
  // What a shell shows as 130.
  assert.is(twice.signal, "SIGINT", twice.err);
  assert.match(twice.out, /finishing this step, then saving \(Ctrl-C again stops at once\)\n$/);
});

test("a run whose reader has gone trains to its end, says so in its metrics and ends with 1", async ({ cwd }) => {
  const script = `"${process.execPath}" "${bundle}" run --json --set output_dir=piped --set optimization.steps=40; echo $? >&2`;
  const { stderr, stdout } = spawnSync("sh", ["-c", `(${script}) | head -2`], { cwd, encoding: "utf8" });
  assert.is(stdout.trim().split("\n").length, 2);
  assert.match(stderr, /^warning: stdout can not be written any more \(EPIPE\); the training goes on without it\n1\n$/);
  const lines = (await metrics(cwd, "piped")).trim().split("\n");
  assert.ok(lines.some((line) => line.includes("LTX7040")));
  assert.match(lines.at(-1) ?? "", `"finished"`);
});

test("a run whose output nobody reads trains to its end and ends", async ({ cwd }) => {
  if (process.platform === "win32") return;
  const pipe = join(cwd, "pipe");
  spawnSync("mkfifo", [pipe]);
  // Its other end is open, too, so that it fills up: 64 KiB on Linux, about a hundred steps.
  const fd = openSync(pipe, "r+");
  const args = ["run", "--json", "--set", "output_dir=ignored", "--set", "optimization.steps=300"];
  const child = spawn(process.execPath, [bundle, ...args], { cwd, stdio: ["ignore", fd, "pipe"] });
  let err = "";
  child.stderr?.on("data", (text: Buffer) => (err += text.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  closeSync(fd);
  assert.match(await metrics(cwd, "ignored"), /"type":"finished","globalStep":300/);
  assert.is(code, 1, err);
  assert.is(err, "warning: the reader of stdout has stopped reading and misses the end\n");
});

test("a thread that computes and ends leaves words, the last checkpoint and the exit code of a finding", async ({
  cwd,
}) => {
  // After the first checkpoint it is sent what no device sends, which is an error while it is at work.
  const hook = `
    import { Worker } from "node:worker_threads";
    const { postMessage } = Worker.prototype;
    let reads = 0;
    Worker.prototype.postMessage = function (message, ...more) {
      if (message.type === "read" && ++reads === 100) postMessage.call(this, { type: "free", ids: null });
      postMessage.call(this, message, ...more);
    };`;
  await writeFile(join(cwd, "hook.mjs"), hook);
  const set = ["output_dir=threadless", "runtime.engine=onnx", "checkpoints.interval=1"].flatMap((x) => ["--set", x]);
  const args = ["--import", pathToFileURL(join(cwd, "hook.mjs")).href, bundle, "run", ...set];
  const { status, signal, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  assert.equal([status, signal], [1, null], stderr);
  assert.match(stderr, "LTX7042");
  assert.match(stderr, /the weights of step \d+ are in .*`ltxc run --resume` goes on from there/);
});

test("other commands end with their own exit code when their reader has gone", ({ cwd }) => {
  const script = (command: string) => `("${process.execPath}" "${bundle}" ${command}; echo $? >&2) | true`;
  const code = (command: string) => spawnSync("sh", ["-c", script(command)], { cwd, encoding: "utf8" }).stderr;
  assert.is(code("explain"), "0\n");
  assert.match(code("check --json --set optimization.steps=-1"), /^1\n$/);
});

test("results that a full disk does not take are an error", async ({ cwd }) => {
  if (process.platform !== "linux") return;
  // Its node, so that nothing can replace the machine's own.
  const made = spawnSync("mknod", [join(cwd, "full"), "c", "1", "7"]);
  const target = made.status === 0 ? "full" : "/dev/full";
  const run = (command: string) =>
    spawnSync("sh", ["-c", `"${process.execPath}" "${bundle}" ${command} > ${target}`], { cwd, encoding: "utf8" });
  const explain = run("explain");
  assert.is(explain.status, 1);
  assert.match(explain.stderr, /^error: stdout can not be written \(ENOSPC\)/);
  const trained = run("run --set output_dir=unseen --set optimization.steps=3");
  assert.is(trained.status, 1, trained.stderr);
  assert.match(trained.stderr, "LTX7040");
  assert.ok(isSaved(cwd, "unseen", "3"));
});

test("a sample that can not be read any more ends the run, but not before its weights are saved", async ({ cwd }) => {
  const latents = join(cwd, "data/latents");
  await mkdir(join(cwd, "whole"));
  spawnSync("cp", ["-r", latents, join(cwd, "whole")]);
  const names = await readdir(latents);
  const { code, err } = await runAnd(cwd, "unread", () => {
    for (const name of names) void truncate(join(latents, name), 100);
  });
  spawnSync("cp", ["-r", join(cwd, "whole/latents"), join(cwd, "data")]);
  assert.is(code, 1, err);
  assert.match(err, /LTX61\d\d/);
  assert.match(err, /the weights of step \d+ are in .*; `ltxc run --resume` goes on from there/);
  assert.ok(isSaved(cwd, "unread", stoppedAt(err)));
  const settings = ["--resume", "--set", `optimization.steps=${Number(stoppedAt(err)) + 2}`];
  const resumed = await runAnd(cwd, "unread", () => {}, ...settings);
  assert.is(resumed.code, 0, resumed.err);
});

for (const [how, change] of [
  ["cut off", (path: string) => truncate(path, 5000)],
  ["replaced", (path: string) => copyFile(path, `${path}.new`).then(() => rename(`${path}.new`, path))],
] as const)
  test(`a model that is ${how} during the run ends it with a finding, after its weights were saved where that is possible`, async ({
    cwd,
  }) => {
    const model = join(cwd, "models/tiny-ltx2.safetensors");
    await copyFile(model, join(cwd, "whole.safetensors"));
    const output = `remodelled-${how.replace(" ", "-")}`;
    const { code, signal, err } = await runAnd(cwd, output, () => void change(model), "--set", "runtime.engine=onnx");
    await copyFile(join(cwd, "whole.safetensors"), model);
    assert.match(err, /LTX7043.*\n.*was changed while it was in use|was changed while it was in use[^]*LTX7043/);
    // A step that is just reading what is no longer there can only be told, not ended.
    if (how === "cut off" && signal === "SIGBUS") return assert.match(err, "there is no earlier checkpoint");
    assert.equal([code, signal], [1, null], err);
    assert.ok(isSaved(cwd, output, stoppedAt(err)), err);
  });

test.run();
