import { spawnSync } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../runtime/testing/temporary-folders.ts";
import { readArgs, UsageError } from "./args.ts";

const test = suite("the conformance command");
const folder = temporaryFolders(test, "ltxc-conformance");
const vectors = fileURLToPath(new URL("./vectors", import.meta.url));

function run(...args: string[]) {
  const path = fileURLToPath(new URL("run.ts", import.meta.url));
  const env = { ...process.env, UVU_DEFER: "0" };
  return spawnSync(process.execPath, ["--import", "tsx", path, ...args], { encoding: "utf8", env });
}

test("what is wrong with a command is told", () => {
  for (const [args, message] of [
    [["--engine", "gpu"], "there is no engine gpu; there are: cpu, wasm, onnx, torch, tfjs-node-gpu"],
    [["--provider", "rocm"], "there is no provider rocm; there are: cpu, webgpu, cuda"],
    [["--provider", "cuda", "--engine", "cpu"], "only the engines onnx and torch have providers"],
    [["--target", "jax"], "there is no target jax; there are: ltx-trainer"],
    [["--target", "ltx-trainer", "--engine", "cpu"], "--target goes with DIR and --case only"],
    [["a", "b"], "one folder of vectors is replayed, not 2"],
    [["no/such/folder"], "there is no folder no/such/folder"],
  ] as const) {
    try {
      readArgs(args);
      assert.unreachable(args.join(" "));
    } catch (error) {
      assert.instance(error, UsageError);
      assert.is((error as Error).message, message);
    }
  }
  assert.throws(() => readArgs(["--case", "["]), /Invalid regular expression/);
  assert.throws(() => readArgs(["--engines", "cpu"]), /Unknown option/);
});

test("engines follow from what is asked for", () => {
  assert.equal(readArgs([])?.engines, ["cpu", "wasm", "onnx"]);
  assert.equal(readArgs(["--provider", "webgpu"])?.engines, ["onnx"]);
  assert.equal(readArgs(["--engine", "cpu"])?.engines, ["cpu"]);
  assert.is(readArgs(["--help"]), null);
});

test("without a Python the check of compiled Python says what it looked for, and fails", () => {
  const path = fileURLToPath(new URL("run.ts", import.meta.url));
  const env = { ...process.env, LTXC_PYTHON: "no/such/python" };
  const args = ["--import", "tsx", path, "--target", "ltx-trainer"];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env });
  assert.is(status, 1);
  assert.match(
    stdout,
    /^no Python with PyTorch: no\/such\/python: .*; set LTXC_PYTHON to a Python with torch and pyyaml$/m,
  );
});

test("an unknown group ends with exit code 2 and no stack", () => {
  const { status, stderr } = run("--group", "nope");
  assert.is(status, 2);
  assert.match(stderr, /^conformance: there is no group nope; there are: embeddings, /);
  assert.not.match(stderr, /\n +at /);
});

test("cases of groups that are not replayed are counted, and fail when asked for by name", async () => {
  const root = await folder();
  await cp(join(vectors, "positions", "audio_basic"), join(root, "positions", "audio_basic"), { recursive: true });
  await mkdir(join(root, "smells", "rose"), { recursive: true });
  const all = run(root, "--engine", "cpu");
  assert.is(all.status, 0);
  assert.match(all.stdout, /^1 not replayed: .*\n1 passed, 0 failed\n$/m);
  const asked = run(root, "--engine", "cpu", "--group", "smells");
  assert.is(asked.status, 1);
  assert.match(asked.stdout, /^0 passed, 1 failed\n$/m);
});

test.run();
