import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Tensor } from "../contract.ts";
import { loadTfjsAlone } from "../engine/load-tfjs.ts";
import { createOnnxEngine } from "../engine/onnx/engine.ts";
import { createSimulatedDevice } from "../engine/recording/simulated-device.ts";

const test = suite("model flops");
const tf = await loadTfjsAlone();

/** What the engine counts for one step of attention behind a trained layer, and for a second one. */
function counted(isCheckpointed: boolean): readonly (number | undefined)[] {
  const engine = createOnnxEngine(tf, createSimulatedDevice());
  const { ops } = engine;
  const keep = (...shape: number[]) =>
    engine.keep({ shape, dtype: "float32", data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  const [x, w] = [keep(1, 2, 6, 4), keep(4, 4)];
  const block = ([x, w]: readonly Tensor[]): Tensor => {
    const y = ops.linear(x as Tensor, w as Tensor, null);
    return ops.attention(y, y, y, null);
  };
  const step = () =>
    engine.differentiate(() => {
      const y = isCheckpointed
        ? engine.checkpoint(([x]) => block([x as Tensor, w]), { inputs: [x], constants: [], parameters: [w] })
        : block([x, w]);
      return { loss: ops.sum(ops.square(y)), outputs: {} };
    }, [w]);
  return [1, 2].map(() => {
    step();
    return engine.flops?.();
  });
}

test("counts products forward and back, and what a checkpointed block computes again only once", () => {
  // 12 rows of 4 channels through the layer, and its weight's gradient; 2 + 5 products of attention with 2 heads and 6 x 6 scores.
  const once = 2 * (2 * 12 * 4 * 4) + 7 * (2 * 2 * 6 * 6 * 4);
  assert.equal(counted(false), [once, 2 * once]);
  // A checkpointed block also hands back the gradient of its input, which nothing needs here and which is left out.
  assert.equal(counted(true), [once, 2 * once]);
});

test.run();
