import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { configure, ltxc, project } from "../testing/testing.ts";

const test = suite<{ trained: string; cwd: string }>("folders of runs");

/** A project with a finished run. */
test.before(async (context) => {
  context.trained = await project({ steps: 2, interval: "null" });
  const { code, err } = await ltxc(["run"], { cwd: context.trained });
  assert.is(code, 0, err);
});
test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-folders-"));
  await cp(context.trained, context.cwd, { recursive: true });
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));
test.after(({ trained }) => rm(trained, { recursive: true }));

const lora = "checkpoints/lora_weights_step_00002.safetensors";
const saved = (cwd: string, output: string) => readFile(join(cwd, output, lora));

test("a second run does not begin in the folder of the first, whose LoRA stays; `check` says so before", async ({
  cwd,
}) => {
  const before = await saved(cwd, "outputs");
  for (const settings of [[], ["--set", "seed=7", "--set", "checkpoints.keep_last_n=1"]]) {
    const { code, out, err } = await ltxc(["run", ...settings], { cwd });
    assert.is(code, 1);
    assert.is(out, "");
    assert.match(
      err,
      /error\[LTX6341\]: .*outputs holds a finished run of `inpainting` \(2 steps\), 1 checkpoint, the last of step 2/,
    );
    assert.match(err, /`ltxc run --new` trains in .*outputs-2; `ltxc run --overwrite` deletes it/);
  }
  assert.equal(await saved(cwd, "outputs"), before);
  const checked = await ltxc(["check"], { cwd });
  assert.is(checked.code, 0);
  assert.match(checked.err + checked.out, "warning[LTX6341]");
  // A default stands for the wrong setting, which is not what the run would have.
  const wrong = await ltxc(["check", "train.yaml", "--set", "lora.rank=0"], { cwd });
  assert.match(wrong.out, /warning\[LTX6341\]: .*, written [\d: -]{16}\n/);
  assert.match(wrong.out, "help: `ltxc run --new` trains in");
});

test("a run that goes on with another engine says so, and how to stay with the one before; so does `check`", async ({
  cwd,
}) => {
  const resume = ["run", "--resume", "--set", "optimization.steps=3", "--set"];
  const same = await ltxc([...resume, "runtime.engine=wasm"], { cwd });
  assert.equal([same.code, same.err.includes("LTX6194")], [0, false], same.err);
  const loaded = ["--set", "model.load_checkpoint=outputs/checkpoints", "--set", "optimization.steps=4"];
  const checked = await ltxc(["check", "train.yaml", ...loaded, "--set", "runtime.engine=cpu"], { cwd });
  const wanted =
    /warning\[LTX6194\]: the engine was wasm in float32 up to step 3, and is now cpu in float32: [^]*`--set runtime.engine=wasm`/;
  assert.match(checked.out + checked.err, wanted);
  const other = await ltxc(["run", "--resume", "--set", "optimization.steps=4", "--set", "runtime.engine=cpu"], {
    cwd,
  });
  assert.is(other.code, 0, other.err);
  assert.match(other.err, wanted);
});

test("--new trains next to it and says where, also how to go on there", async ({ cwd }) => {
  const before = await saved(cwd, "outputs");
  const { code, out, err } = await ltxc(["run", "--new"], {
    cwd,
    onText: (text, interrupt) => text.includes("step 1/2") && interrupt(),
  });
  assert.is(code, 130, err);
  assert.match(out, /^output folder outputs-2\n/);
  assert.match(out, /ltxc run --resume --set output_dir=\S*outputs-2/);
  assert.equal(await saved(cwd, "outputs"), before);
  assert.equal(await readdir(join(cwd, "outputs-2/checkpoints")).then((names) => names.includes("run.lock")), false);
});

test("--overwrite deletes what ltxc wrote and trains the same again; a mistake elsewhere deletes nothing", async ({
  cwd,
}) => {
  const before = await saved(cwd, "outputs");
  await writeFile(join(cwd, "outputs/notes.txt"), "mine");
  await writeFile(join(cwd, "outputs/strategy/own.txt"), "mine");
  const wrong = await ltxc(["run", "--overwrite", "--set", "model.model_path=none.safetensors"], { cwd });
  assert.is(wrong.code, 1);
  assert.equal(await saved(cwd, "outputs"), before);
  const { code, out, err } = await ltxc(["run", "--overwrite"], { cwd });
  assert.is(code, 0, err);
  assert.match(out, /^deleted from outputs: 1 checkpoint \(.*\), 1 training state \(.*\), 1 metrics file \(.*\)/);
  assert.equal(await saved(cwd, "outputs"), before);
  const started = (await readFile(join(cwd, "outputs/metrics.jsonl"), "utf8")).match(/"type":"started"/g);
  assert.is(started?.length, 1);
  for (const name of ["notes.txt", "strategy/own.txt"])
    assert.is(await readFile(join(cwd, "outputs", name), "utf8"), "mine");
});

test("options that contradict each other are a usage error", async ({ cwd }) => {
  for (const options of [
    ["--new", "--overwrite"],
    ["--resume", "--new"],
    ["--resume-anyway", "--overwrite"],
  ]) {
    const { code, err } = await ltxc(["run", ...options], { cwd });
    assert.is(code, 2);
    assert.match(err, "give one of them");
  }
});

test("of two runs at once one trains, the other names it", async ({ cwd }) => {
  await rm(join(cwd, "outputs"), { recursive: true });
  const both = await Promise.all([ltxc(["run"], { cwd }), ltxc(["run"], { cwd })]);
  assert.equal(both.map(({ code }) => code).toSorted(), [0, 1]);
  const refused = both.find(({ code }) => code === 1);
  assert.match(refused?.err ?? "", `error[LTX6340]`);
  assert.match(refused?.err ?? "", `is in use by another run: process ${process.pid} on`);
  const names = await readdir(join(cwd, "outputs"));
  assert.not(names.some((name) => name.startsWith("run.lock")));
});

test("what a lock or a metrics file says reaches no terminal raw", async ({ cwd }) => {
  const evil = "a\u001b[31mb\nc\u200b\u202e";
  const lock = { token: "0123456789abcdef", host: evil, pid: 1, since: evil, command: evil };
  await writeFile(join(cwd, "outputs/run.lock"), JSON.stringify(lock));
  const locked = await ltxc(["run"], { cwd });
  assert.match(locked.err, "on a\\u001b[31mb\\u000ac\\u200b\\u202e, since");
  await rm(join(cwd, "outputs/run.lock"));
  const lines = [
    { type: "started", strategy: evil },
    { type: "step", globalStep: 2, steps: 2 },
  ];
  await writeFile(join(cwd, "outputs/metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const finished = await ltxc(["run"], { cwd });
  assert.match(finished.err, "a run of `a\\u001b[31mb\\u000ac\\u200b\\u202e` that stopped");
  for (const { out, err } of [locked, finished]) assert.not.match(out + err, /[^\P{Cc}\n]|\p{Cf}/u);
});

test("a folder with a date: each run has its own, --resume and report take the newest", async ({ cwd }) => {
  await configure(cwd, { output_dir: '"runs/{strategy}-{date}-{time}-{seed}"' });
  const { code, out, err } = await ltxc(["run"], { cwd });
  assert.is(code, 0, err);
  const folder = /^output folder (runs\/inpainting-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-42)\n/.exec(out)?.[1] ?? "";
  assert.match(await readFile(join(cwd, folder, "training_config.yaml"), "utf8"), `output_dir: "${join(cwd, folder)}"`);
  await cp(join(cwd, folder), join(cwd, "runs/inpainting-2020-01-01-00-00-00-42"), { recursive: true });
  const resumed = await ltxc(["run", "--resume", "--set", "optimization.steps=3"], { cwd });
  assert.is(resumed.code, 0, resumed.err);
  assert.match(resumed.out, `output folder ${folder}\n`);
  const report = await ltxc(["report"], { cwd });
  assert.is(report.out, `3 steps of ${folder} → ${folder}/report.html\n`);
  const wrong = await ltxc(["run", "--set", "output_dir=runs/{stratgy}"], { cwd });
  assert.match(wrong.err, "error[LTX6343]: `output_dir` has no placeholder `{stratgy}`");
  assert.match(wrong.err, "did you mean `strategy`?");
});

test("the lock of a killed run is in nobody's way, and a later run keeps its checkpoints apart", async ({ cwd }) => {
  const lock = {
    token: "0123456789abcdef",
    host: "h",
    pid: 2 ** 30,
    since: "2026-11-27T10:00:00.000Z",
    command: "ltxc run",
  };
  const [boot, namespace] = await Promise.all([
    readFile("/proc/sys/kernel/random/boot_id", "utf8"),
    import("node:fs/promises").then(({ readlink }) => readlink("/proc/self/ns/pid")),
  ]);
  await writeFile(join(cwd, "outputs/run.lock"), JSON.stringify({ ...lock, boot: boot.trim(), namespace }));
  await appendFile(join(cwd, "outputs/metrics.jsonl"), '{"type":"st');
  const { code, err } = await ltxc(["run", "--resume", "--set", "optimization.steps=3"], { cwd });
  assert.is(code, 0, err);
  assert.equal(
    (await readdir(join(cwd, "outputs"))).filter((name) => name.startsWith("run.lock")),
    [],
  );
});

test.run();
