// A second Ctrl-C ends a run at once, whatever it is doing, and leaves only whole files.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readTensorFile } from "../runtime/checkpoints/tensor-file.ts";
import { project } from "./testing/testing.ts";
import { negative, sample, usual, validation } from "./testing/validation.ts";

const test = suite<{ cwd: string }>("second Ctrl-C");
const root = fileURLToPath(new URL("..", import.meta.url));
const bundle = join(root, "dist/ltxc.mjs");

test.before(async (context) => {
  const setup = spawnSync(process.execPath, [join(root, "scripts/setup.mjs")], { encoding: "utf8" });
  assert.is(setup.status, 0, setup.stderr);
  context.cwd = await project({ steps: 100_000, interval: "null" });
});
test.after(({ cwd }) => rm(cwd, { recursive: true }));

/** How a phase is reached: the settings, and when it has begun, by what was printed so far. */
interface Phase {
  readonly name: string;
  readonly settings: readonly string[];
  readonly began: RegExp;
}

/** Each takes minutes if nothing ends it. */
const phases: readonly Phase[] = [
  {
    name: "a-recording",
    settings: ["runtime.engine=onnx", "optimization.gradient_accumulation_steps=100000"],
    began: /engine onnx/,
  },
  { name: "a-step", settings: ["optimization.gradient_accumulation_steps=100000"], began: /training `/ },
  {
    name: "an-evaluation",
    settings: ["evaluation.samples=3", `evaluation.sigmas=[${Array.from({ length: 900 }, (_, i) => (i + 1) / 1000)}]`],
    began: /training `/,
  },
];

function start(cwd: string, output: string, settings: readonly string[]): ChildProcess {
  const set = [...settings, `output_dir=${output}`].flatMap((text) => ["--set", text]);
  return spawn(process.execPath, [bundle, "run", ...set], { cwd, stdio: ["ignore", "pipe", "pipe"] });
}

const ended = (child: ChildProcess): Promise<readonly [number | null, NodeJS.Signals | null]> =>
  new Promise((resolve) => child.on("close", (...how) => resolve(how)));

/** Reads every file of the run. A file that was being written has another name, and the next run removes it. */
async function expectWhole(cwd: string, output: string): Promise<void> {
  const checkpoints = join(cwd, output, "checkpoints");
  for (const name of await readdir(checkpoints).catch(() => []))
    if (!name.endsWith(".tmp")) await readTensorFile(join(checkpoints, name));
  const metrics = join(cwd, output, "metrics.jsonl");
  if (!existsSync(metrics)) return;
  for (const line of (await readFile(metrics, "utf8")).trim().split("\n")) JSON.parse(line);
}

async function interruptTwice(cwd: string, { name, settings, began }: Phase): Promise<void> {
  const child = start(cwd, name, settings);
  let [text, presses] = ["", 0];
  const seen = (part: Buffer) => {
    text += part.toString();
    if (presses === 0 ? !began.test(text) : presses > 1 || !text.includes("Ctrl-C again stops at once")) return;
    presses++;
    child.kill("SIGINT");
  };
  child.stdout?.on("data", seen);
  child.stderr?.on("data", seen);
  // What a shell shows as 130; the first one alone would end with the code 130, and save.
  assert.equal(await ended(child), [null, "SIGINT"], text);
  assert.is(presses, 2);
  await expectWhole(cwd, name);
}

for (const phase of phases) test(`during ${phase.name.replace("-", " ")}`, ({ cwd }) => interruptTwice(cwd, phase));

test("while a sample is drawn", async () => {
  const own = await project({ steps: 100_000, interval: "null" });
  await validation(
    own,
    [...usual, ...sample, negative].map((line) => line.replace(/inference_steps: .*/, "inference_steps: 1000")),
  );
  await interruptTwice(own, { name: "a-sample", settings: [], began: /training `/ });
  assert.ok(existsSync(join(own, "a-sample")) && !existsSync(join(own, "a-sample/samples")));
  await rm(own, { recursive: true });
});

test("the first one ends a run that is still being loaded", async ({ cwd }) => {
  const child = start(cwd, "loading", []);
  const watcher = watch(cwd, (_, name) => {
    if (name === "loading") child.kill("SIGINT");
  });
  assert.equal(await ended(child), [null, "SIGINT"]);
  watcher.close();
  await expectWhole(cwd, "loading");
  // Its lock is not in the way.
  const next = spawnSync(
    process.execPath,
    [bundle, "run", "--set", "output_dir=loading", "--set", "optimization.steps=2"],
    { cwd, encoding: "utf8" },
  );
  assert.is(next.status, 0, next.stderr);
});

test("while a checkpoint is written: what is there is whole, and the run goes on from it", async ({ cwd }) => {
  const checkpoints = join(cwd, "saving/checkpoints");
  await mkdir(checkpoints, { recursive: true });
  const child = start(cwd, "saving", ["checkpoints.interval=1", "optimization.steps=60"]);
  let [text, presses] = ["", 0];
  const press = () => {
    presses++;
    child.kill("SIGINT");
  };
  child.stdout?.on("data", (part: Buffer) => {
    text += part.toString();
    if (presses === 0 && text.includes("saved saving/checkpoints/lora_weights_step_00003")) press();
  });
  // The second one when the next file begins to be written after the first one has arrived.
  const watcher = watch(checkpoints, () => {
    if (presses === 1 && text.includes("Ctrl-C again")) press();
  });
  const [code, signal] = await ended(child);
  watcher.close();
  assert.ok(signal === "SIGINT" || code === 130, `${code} ${signal}`);
  await expectWhole(cwd, "saving");
  const args = ["run", "--resume", "--set", "output_dir=saving", "--set", "optimization.steps=60"];
  const resumed = spawnSync(process.execPath, [bundle, ...args], { cwd, encoding: "utf8" });
  assert.is(resumed.status, 0, resumed.stderr);
  assert.equal(
    (await readdir(checkpoints)).filter((name) => name.endsWith(".tmp")),
    [],
  );
});

test.run();
