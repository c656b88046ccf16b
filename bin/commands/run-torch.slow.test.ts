// Whole runs on the engine torch, where there is a PyTorch: the losses of another engine, and a resume that changes nothing.
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { TrainEvent } from "../../runtime/index.ts";
import { wantsBfloat16 } from "../../runtime/engine/torch/processor.ts";
import { testTorch } from "../../runtime/testing/test-torch.ts";
import { ltxc, project } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("run on the engine torch");

test.before(async (context) => {
  context.cwd = await project({ steps: 4, interval: "null" });
});
test.after(({ cwd }) => rm(cwd, { recursive: true }));

// bfloat16 is tested also where the processor only imitates it.
const wanted = process.env[wantsBfloat16];
test.before(() => void (process.env[wantsBfloat16] = "1"));
test.after(() => {
  if (wanted === undefined) delete process.env[wantsBfloat16];
  else process.env[wantsBfloat16] = wanted;
});

type Settings = Readonly<Record<string, string>>;

/** The losses of a run's steps. */
async function lossesOf(cwd: string, settings: Settings, ...options: string[]): Promise<number[]> {
  const set = Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const { code, out, err } = await ltxc(["run", "--json", ...options, ...set], { cwd });
  assert.is(code, 0, err + out);
  const events = out.trim().split("\n");
  return events.map((line): TrainEvent => JSON.parse(line)).flatMap((x) => (x.type === "step" ? [x.loss] : []));
}

test("a folder without PyTorch ends it before anything is made", async ({ cwd }) => {
  const set = ["runtime.engine=torch", "runtime.torch=./nowhere", "output_dir=none"].flatMap((x) => ["--set", x]);
  const { code, err } = await ltxc(["run", ...set], { cwd });
  assert.is(code, 1);
  assert.match(err, "LTX7050");
  assert.not.ok(existsSync(join(cwd, "none/checkpoints")));
});

const found = await testTorch();
if (found !== null) {
  const torch: Settings = { "runtime.engine": "torch", "runtime.provider": "cpu", "runtime.torch": found.folder };
  const inFloat32: Settings = { ...torch, "acceleration.mixed_precision_mode": '"no"' };

  test("in float32 it trains to the losses of the recording engine of ONNX Runtime, in bfloat16 near to them", async ({
    cwd,
  }) => {
    const expected = await lossesOf(cwd, { "runtime.engine": "onnx" }, "--overwrite");
    const off = (losses: readonly number[]) =>
      Math.max(...losses.map((loss, i) => Math.abs(loss / (expected[i] ?? NaN) - 1)));
    assert.is(expected.length, 4);
    const exact = await lossesOf(cwd, inFloat32, "--overwrite");
    assert.ok(off(exact) < 1e-5, `float32 is off by ${off(exact)}`);
    const narrow = await lossesOf(cwd, torch, "--overwrite");
    assert.is(narrow.length, 4);
    // A rounding is off by 2^-9 at most.
    assert.ok(off(narrow) > 0 && off(narrow) < 2 ** -6, `bfloat16 is off by ${off(narrow)}`);
  });

  for (const [precision, settings] of Object.entries({ float32: inFloat32, bfloat16: torch }))
    test(`${precision}: a run that was resumed equals one that never stopped, bit for bit`, async ({ cwd }) => {
      const [whole, parts] = [`whole-${precision}`, `parts-${precision}`];
      const steps = (first: number, saved: string) => ({
        ...settings,
        "optimization.steps": String(first),
        "checkpoints.interval": saved,
      });
      // A schedule of the same length in both: the first part ends at its checkpoint of step 2.
      const all = await lossesOf(cwd, { ...steps(4, "2"), output_dir: whole }, "--overwrite");
      await lossesOf(cwd, { ...steps(4, "2"), output_dir: parts }, "--overwrite");
      const later = ["lora_weights_step_00004.safetensors", "training_state_step_00004.state"];
      for (const name of later) await rm(join(cwd, parts, "checkpoints", name));
      const rest = await lossesOf(cwd, { ...steps(4, "2"), output_dir: parts }, "--resume");
      assert.equal(rest, all.slice(2));
      const weights = (folder: string) => readFile(join(cwd, folder, "checkpoints", later[0] ?? ""));
      assert.equal(await weights(parts), await weights(whole));
    });

  test("installing PyTorch fetches nothing where there is one that works", async ({ cwd }) => {
    const before = { ...process.env };
    // The package lies in lib/python3.x/site-packages of its environment.
    Object.assign(process.env, { VIRTUAL_ENV: resolve(found.folder, "../../../.."), XDG_DATA_HOME: join(cwd, "data") });
    const { code, out, err } = await ltxc(["install", "torch", "--cpu"], { cwd });
    for (const name of ["VIRTUAL_ENV", "XDG_DATA_HOME"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    assert.equal([code, err], [0, ""]);
    assert.match(out, `PyTorch ${found.version} on `);
    assert.match(out, `in ${found.folder}; nothing is to be done`);
    assert.not.ok(existsSync(join(cwd, "data/ltxc/torch")));
  });
}

test.run();
