// `ltxc run --on ltx-trainer` and `ltxc parity` in processes of their own, with the trainer that stands in for the official one.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { findPythons } from "../../scripts/python-environment.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite<{ cwd: string; bin: string }>("processes of the official trainer");
const root = fileURLToPath(new URL("../..", import.meta.url));
const bundle = join(root, "dist/ltxc.mjs");
// PyTorch 1 has a launcher that does not run with today's Python.
const python = findPythons().pythons.find(({ torch }) => !torch.startsWith("1."));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly text: string;
}

function environment(): NodeJS.ProcessEnv {
  const folder = join(root, "conformance/python");
  const paths = ["standin", "standin_missing/pydantic", "standin_missing/safetensors"].map((name) =>
    join(folder, name),
  );
  const lacks = (name: string) => spawnSync(python?.path ?? "", ["-c", `import ${name}`]).status !== 0;
  const used = paths.filter((_, i) => i === 0 || lacks(i === 1 ? "pydantic" : "safetensors"));
  return { ...process.env, PYTHONPATH: used.join(":"), OMP_NUM_THREADS: "1" };
}

/** Runs it; `act` is called with all that it printed so far, until it is true. */
function start(cwd: string, args: readonly string[], act: (text: string, child: ChildProcess) => boolean = () => true) {
  const child = spawn(process.execPath, [bundle, ...args], {
    cwd,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [text, isDone] = ["", false];
  const seen = (part: Buffer) => {
    text += part.toString();
    if (!isDone) isDone = act(text, child);
  };
  child.stdout.on("data", seen);
  child.stderr.on("data", seen);
  return new Promise<Ended>((done) => child.on("close", (code, signal) => done({ code, signal, text })));
}

/** Processes that still run a module of this project. */
function running(cwd: string): string[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.filter((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8").includes(join(cwd, "build"));
    } catch {
      return false;
    }
  });
}

test.before(async (context) => {
  const setup = spawnSync(process.execPath, [join(root, "scripts/setup.mjs")], { encoding: "utf8" });
  assert.is(setup.status, 0, setup.stderr);
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-there-"));
  const { code, err } = await ltxc(["init", ".", "--target", "ltx-trainer"], { cwd: context.cwd });
  assert.is(code, 0, err);
  context.bin = python === undefined ? "" : join(python.path, "../..");
});
test.after.each(({ cwd }) => rm(join(cwd, "outputs"), { recursive: true, force: true }));
test.after(({ cwd }) => rm(cwd, { recursive: true }));

const endless = ["optimization.steps=100000", "checkpoints.interval=2"];
const two = ["runtime.processes=2"];
const set = (settings: readonly string[]) => settings.flatMap((text) => ["--set", text]);

if (python === undefined || process.platform !== "linux") console.log("no PyTorch 2 on Linux: not tried");
else {
  test("two processes train, and are shown as one run", async ({ cwd, bin }) => {
    const steps = ["optimization.steps=4", ...two, `runtime.ltx_trainer=${bin}`];
    const { code, text } = await start(cwd, ["run", ...set(steps)]);
    assert.is(code, 0, text);
    assert.match(text, "4 steps, 8 samples, 2 processes");
    assert.match(text, "LoRA: outputs/checkpoints/lora_weights_step_00004.safetensors");
    const lines = (await readFile(join(cwd, "outputs/metrics.jsonl"), "utf8")).trim().split("\n");
    assert.is(lines.filter((line) => line.includes('"type":"step"')).length, 4);
  });

  test("a process that fails ends all, and says why", async ({ cwd, bin }) => {
    const settings = [
      ...two,
      `runtime.ltx_trainer=${bin}`,
      "optimization.learning_rate=1e30",
      "optimization.max_grad_norm=0",
    ];
    const { code, text } = await start(cwd, ["run", ...set(settings)]);
    assert.is(code, 1, text);
    assert.match(text, /error\[LTX6610\]: .*the loss `inpaint` of sample \d of the sorted data is/);
    assert.equal(running(cwd), []);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const)
    test(`${signal} ends all processes, also where nobody but ltxc gets it`, async ({ cwd, bin }) => {
      const settings = set([...two, ...endless, `runtime.ltx_trainer=${bin}`]);
      const { code, text } = await start(cwd, ["run", ...settings], (shown, child) => {
        if (!/step \d+\/100000/.test(shown)) return false;
        return child.kill(signal);
      });
      assert.is(code, 130, text);
      assert.match(text, "ending the official trainer (Ctrl-C again stops at once)");
      assert.match(text, /stopped after step \d+/);
      assert.equal(running(cwd), []);
    });

  test("a second Ctrl-C kills what does not end", async ({ cwd, bin }) => {
    let presses = 0;
    const settings = set([...two, ...endless, `runtime.ltx_trainer=${bin}`]);
    const { code, text } = await start(cwd, ["run", ...settings], (shown, child) => {
      if (presses === 0 && /step \d+\/100000/.test(shown)) {
        presses = 1;
        child.kill("SIGINT");
        setTimeout(() => child.kill("SIGINT"), 600);
      }
      return presses > 0;
    });
    // It may have ended by the first one already.
    assert.is(code, 130, text);
    assert.equal(running(cwd), []);
  });

  test("parity gives both sides the same samples, with one process and with two", async ({ cwd, bin }) => {
    for (const processes of [1, 2]) {
      const settings = set([`runtime.processes=${processes}`, `runtime.ltx_trainer=${bin}`]);
      const args = ["--json", "parity", "--steps", "5", "--overwrite", ...settings];
      const { code, text } = await start(cwd, args);
      // The model that stands in is another one, so its losses differ.
      assert.is(code, 1, text);
      const result = JSON.parse(text) as { otherSamples: number | null; steps: object[]; first: { step: number } };
      assert.is(result.otherSamples, null);
      assert.is(result.steps.length, 5);
      assert.is(result.first.step, 1);
    }
  });
}

test.run();
