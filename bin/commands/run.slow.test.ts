import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { TrainEvent } from "../../runtime/index.ts";
import { ltxc, project } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("run on two engines");

test.before(async (context) => {
  context.cwd = await project({ steps: 4, interval: "null" });
});
test.after(({ cwd }) => rm(cwd, { recursive: true }));

test("the recording engine trains to the same losses", async ({ cwd }) => {
  const lossesOn = async (engine: string) => {
    const { code, out, err } = await ltxc(["run", "--json", "--overwrite", "--set", `runtime.engine=${engine}`], {
      cwd,
    });
    assert.is(code, 0, err);
    const events = out.trim().split("\n");
    return events.map((line): TrainEvent => JSON.parse(line)).flatMap((x) => (x.type === "step" ? [x.loss] : []));
  };
  const [expected, actual] = [await lossesOn("wasm"), await lossesOn("onnx")];
  assert.is(actual.length, 4);
  actual.forEach((loss, i) => assert.ok(Math.abs(loss - (expected[i] ?? NaN)) < 1e-5, `step ${i + 1}: ${loss}`));
});

test.run();
