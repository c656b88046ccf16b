import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { resolveConfig } from "../runtime/config/index.ts";
import { lowMemoryConfig } from "./testing/low-memory-config.ts";
import { project } from "./testing/testing.ts";

const test = suite("official settings for little memory");

test("they are taken as they are, and two that have no effect here are told", () => {
  const { config, findings } = resolveConfig(parse(lowMemoryConfig), { configDirectory: "." });
  assert.equal(
    findings.map(({ code, severity, path }) => [code, severity, path?.join(".")]),
    [
      ["LTX6006", "warning", "acceleration.load_text_encoder_in_8bit"],
      ["LTX6006", "warning", "acceleration.offload_optimizer_during_validation"],
    ],
  );
  assert.is(config?.acceleration.quantization, "int8-quanto");
  assert.is(config?.optimization.optimizer_type, "adamw8bit");
  assert.ok(config?.optimization.enable_gradient_checkpointing);
});

test("without PyTorch, a run with quantized weights says how to get one, and what to write otherwise", async () => {
  const cwd = await project({ engine: "auto" });
  try {
    const bundle = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));
    const args = [bundle, "run", "--set", "acceleration.quantization=int8-quanto"];
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd,
      encoding: "utf8",
      env: { PATH: "", HOME: cwd },
    });
    assert.is(status, 1);
    assert.match(
      stderr,
      /error\[LTX6220\].*`ltxc install torch`.*help: without PyTorch, write .*`quantization: null`/s,
    );
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test.run();
