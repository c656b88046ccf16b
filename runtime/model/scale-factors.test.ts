import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../findings.ts";
import { readScaleFactors } from "./scale-factors.ts";

const test = suite("scale-factors");
const blocks = (...names: string[]) => names.map((name) => [name, {}]);
const read = (vae: unknown) => readScaleFactors({ vae }, "x.safetensors", []);

test("each compressing block halves its axes, on top of the patch", () => {
  const published = blocks(
    "res_x",
    "compress_space_res",
    "res_x",
    "compress_time_res",
    "compress_all_res",
    "compress_all",
  );
  assert.equal(read({ encoder_blocks: published }), { time: 8, height: 32, width: 32 });
  assert.equal(read({ encoder_blocks: blocks("compress_all", "compress_all") }), { time: 4, height: 16, width: 16 });
  assert.equal(read({ encoder_blocks: blocks("compress_time"), patch_size: 2 }), { time: 2, height: 2, width: 2 });
});

test("decoder blocks stand in for encoder blocks; without either the usual factors hold", () => {
  assert.equal(read({ decoder_blocks: blocks("compress_all") }), { time: 2, height: 8, width: 8 });
  assert.equal(read({}), { time: 8, height: 32, width: 32 });
});

test("what can not be read is refused, never guessed", () => {
  for (const vae of [
    undefined,
    "text",
    { encoder_blocks: "x" },
    { encoder_blocks: [1] },
    { encoder_blocks: [], patch_size: 0 },
  ]) {
    assert.throws(
      () => read(vae),
      (error: unknown) => error instanceof FindingsError && error.findings[0]?.code === "LTX6208",
    );
  }
});

test.run();
