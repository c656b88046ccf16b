import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "./index.ts";
import { measureEngine } from "./measure.ts";

const test = suite("measuring an engine");

test("measured rates are plausible, and no tensor is left", async () => {
  const { engine } = await openEngine("wasm");
  const before = engine.memory().tensors;
  const { matmulGflops, bandwidthGBs } = await measureEngine(engine);
  assert.ok(matmulGflops > 0.05 && matmulGflops < 1e6, String(matmulGflops));
  assert.ok(bandwidthGBs > 0.005 && bandwidthGBs < 1e5, String(bandwidthGBs));
  assert.is(engine.memory().tensors, before);
});

test.run();
