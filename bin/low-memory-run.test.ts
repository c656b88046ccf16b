import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { resolveConfig } from "../runtime/config/index.ts";
import { lowMemoryConfig } from "./testing/low-memory-config.ts";

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

test.run();
