import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadTfjsAlone } from "../engine/load-tfjs.ts";
import { createOnnxEngine } from "../engine/onnx/engine.ts";
import { createSimulatedDevice } from "../engine/recording/simulated-device.ts";
import { createPositions } from "./positions.ts";
import { host, tinyConfig, tinyInputs, tinyWeights } from "../testing/tiny-model.ts";
import { createTransformer } from "./transformer.ts";

const test = suite("memory of a train step");

const tf = await loadTfjsAlone();
const configOf = (layers: number) =>
  tinyConfig(
    { num_layers: layers, num_attention_heads: 8, attention_head_dim: 6, cross_attention_dim: 48 },
    "video-only",
  );

interface Trained {
  readonly layers?: number;
  /** Which weights are trained; all if not given. */
  readonly isTrained?: (name: string) => boolean;
}

/** Bytes that a step of the model makes at most, besides its weights. */
function stepBytes(tokens: number, isCheckpointed: boolean, { layers = 2, isTrained }: Trained = {}): number {
  const device = createSimulatedDevice();
  const engine = createOnnxEngine(tf, device);
  const { ops } = engine;
  const config = configOf(layers);
  const weights = tinyWeights(engine, config);
  const trained = [...weights].filter(([name]) => isTrained?.(name) ?? true);
  const parametersOf = (prefix: string) => trained.filter(([name]) => name.startsWith(prefix)).map(([, x]) => x);
  const isSharedTrained = isTrained === undefined;
  const checkpointing = isCheckpointed ? { run: engine.checkpoint, parametersOf, isSharedTrained } : null;
  const model = createTransformer(ops, config, weights, undefined, checkpointing);
  const grid = { frames: tokens / 64, height: 8, width: 8 };
  const positions = createPositions({ time: 8, height: 32, width: 32 }).video(grid, [24]);
  const { held } = device.usage();
  const forward = () => {
    const video = tinyInputs(engine, config, "video", {
      latent: ops.constant(host("latent", [1, tokens, 3])),
      sigma: ops.constant(host("sigma", [1])),
      timesteps: ops.constant(host("timesteps", [1, tokens])),
      context: ops.constant(host("context", [1, 3, 48])),
      positions,
    });
    const { video: velocity } = model.forward({ video, audio: null });
    if (velocity === null) throw new Error("no velocity");
    return { loss: ops.mean(ops.square(velocity)), outputs: {} };
  };
  engine.differentiate(
    forward,
    trained.map(([, x]) => x),
  );
  return device.usage().peak - held;
}

for (const isCheckpointed of [false, true]) {
  test(`grows with the tokens${isCheckpointed ? ", also where blocks are computed again" : ""}`, () => {
    const [a, b, c] = [2048, 4096, 8192].map((tokens) => stepBytes(tokens, isCheckpointed)) as [number, number, number];
    assert.ok(b / a < 2.1 && c / b < 2.1, `${b / a} and ${c / b}`);
    // A single attention has 2 GiB of scores.
    assert.ok(c < 2 ** 28, String(c));
  });
}

test("a block that is computed again leaves nothing from the forward pass but its input", () => {
  const tokens = 1024;
  const isTrained = (name: string) => name.endsWith("attn1.to_q.bias");
  const [few, more] = [2, 6].map((layers) => stepBytes(tokens, true, { layers, isTrained })) as [number, number];
  const input = 4 * tokens * 48;
  // Every token has a timestep of its own here: scales and shifts made of them are as large as an input, nine for each block.
  assert.ok((more - few) / 4 < 1.1 * input, `${(more - few) / 4 / input} inputs`);
});

test.run();
