import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunConfig } from "../config/run-config.ts";
import { FindingsError } from "../findings.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";
import { checkFp8 } from "./check-fp8.ts";

const test = suite("settings of checkpoints in 8 bits");

const config = (training_mode: string, quantization: string | null) =>
  ({ model: { model_path: "m", training_mode }, acceleration: { quantization } }) as unknown as RunConfig;
const model = (isFp8: boolean) => ({ isFp8, warnings: [] }) as unknown as ExaminedModel;
const said = (mode: string, quantization: string | null, isFp8 = true) =>
  checkFp8(config(mode, quantization), model(isFp8)).warnings.map(({ code }) => code);

test("they are not quantized once more, and not trained themselves", () => {
  assert.equal(said("lora", null), []);
  assert.equal(said("lora", "int8-quanto"), ["LTX6615"]);
  assert.equal([said("full", null, false), said("lora", "int8-quanto", false)], [[], []]);
  assert.throws(
    () => said("full", null),
    (error: unknown) => error instanceof FindingsError && error.findings[0]?.code === "LTX6399",
  );
});

test.run();
