// The official settings for little memory, unchanged, in a process of its own, where there is a PyTorch.
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openSafetensors, type TrainEvent } from "../runtime/index.ts";
import { testTorch } from "../runtime/testing/test-torch.ts";
import { lowMemoryConfig } from "./testing/low-memory-config.ts";
import { ltxc } from "./testing/testing.ts";

const test = suite<{ cwd: string; cache: string }>("a run with the official settings for little memory");
const root = fileURLToPath(new URL("..", import.meta.url));

test.before(async (context) => {
  const setup = spawnSync(process.execPath, [join(root, "scripts/setup.mjs")], { encoding: "utf8" });
  assert.is(setup.status, 0, setup.stderr);
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-low-memory-"));
  context.cache = await mkdtemp(join(tmpdir(), "ltxc-low-memory-cache-"));
  assert.is((await ltxc(["init", ".", "--from", "text_to_video_with_audio"], { cwd: context.cwd })).code, 0);
  // As whoever comes from the official trainer: no strategy of ours.
  await rm(join(context.cwd, "text_to_video_with_audio.strategy"));
  await writeFile(join(context.cwd, "low_memory.yaml"), lowMemoryConfig);
});
test.after(async ({ cwd, cache }) => {
  await rm(cwd, { recursive: true });
  await rm(cache, { recursive: true });
});

const found = await testTorch();
if (found !== null) {
  /** The losses of a run, and the bytes of its LoRA. */
  const run = async ({ cwd, cache }: { cwd: string; cache: string }, ...set: readonly string[]) => {
    const options = set.flatMap((setting) => ["--set", setting]);
    const args = [join(root, "dist/ltxc.mjs"), "run", "low_memory.yaml", "--json", "--overwrite", ...options];
    const env = { ...process.env, VIRTUAL_ENV: found.folder, XDG_CACHE_HOME: cache };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: "utf8" });
    assert.is(status, 0, stderr + stdout);
    const events = stdout.trim().split("\n");
    const losses = events
      .map((line): TrainEvent => JSON.parse(line))
      .flatMap((event) => (event.type === "step" ? [event.loss] : []));
    const path = join(cwd, "outputs/low_memory/checkpoints/lora_weights_step_00002.safetensors");
    return { losses, path, text: stdout + stderr };
  };

  test("it trains on the engine torch, and names what the base was quantized to", async (context) => {
    const { losses, path, text } = await run(context);
    assert.is(losses.length, 2);
    assert.match(text, /"engine":\s*"torch"/);
    const { metadata, close } = await openSafetensors(path);
    await close();
    assert.is(metadata["ltxc.base_model_quantization"], "int8-quanto");
    const wide = await run(context, "acceleration.quantization=null");
    losses.forEach((loss, i) => assert.ok(Math.abs(loss / (wide.losses[i] ?? NaN) - 1) < 0.02, `${loss} in step ${i}`));
  });

  test("with blocks that wait on the host it computes the same, bit for bit", async (context) => {
    const held = await run(context);
    const weights = await readFile(held.path);
    const streamed = await run(context, "runtime.offload=blocks");
    assert.equal(streamed.losses, held.losses);
    assert.equal(await readFile(streamed.path), weights);
  });
}

test.run();
