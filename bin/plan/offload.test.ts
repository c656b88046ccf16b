import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunConfig } from "../../runtime/config/index.ts";
import { offloadFindings } from "./offload.ts";

const test = suite("weights on the host");

test("where it has no effect, the reason is said", () => {
  const config = (training_mode: string, offload: string) =>
    ({ model: { training_mode }, runtime: { offload } }) as unknown as RunConfig;
  const said = (engine: "onnx" | "torch" | "cpu", mode = "lora", offload = "blocks") =>
    offloadFindings(config(mode, offload), engine)[0]?.message ?? null;
  assert.match(said("onnx") ?? "", "maps the weights from their file already");
  assert.match(said("cpu") ?? "", "only the engine torch can do so, not cpu");
  assert.match(said("torch", "full") ?? "", "a full training has no frozen weights");
  assert.equal([said("torch"), said("onnx", "lora", "auto")], [null, null]);
});

test.run();
