import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { OutputInfo, Tensor } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { transformerLayout } from "./parameters.ts";
import { createLora, matchTargets } from "./lora.ts";
import { checkOutputs, createOutputs, outputsWith } from "./outputs.ts";
import { host, numbers, tinyConfig, tinyInputs, tinyWeights } from "../testing/tiny-model.ts";
import { createTransformer } from "./transformer.ts";

const test = suite("outputs");
const { engine } = await openEngine("cpu");
const { ops } = engine;
const config = tinyConfig({ num_layers: 2 });
const targets = { video: 3, audio: 2 };
const infos: readonly OutputInfo[] = [
  { name: "mid", kind: "tap", modality: "video", block: 0 },
  { name: "wide", kind: "linear", modality: "video", input: "mid", features: 5, activation: "silu" },
  { name: "aligned", kind: "linear", modality: "video", input: "wide", features: 2, activation: "none" },
];
const threeQuarters = (_: string, count: number) => new Float32Array(count).fill(0.75);
const between = (name: string, count: number) => numbers(name, count).map((x) => (x + 1) / 2);

/** The tiny model's outputs, the tapped stream over all of its tokens, and gradients of `aligned`'s mean square by `parameters`. */
async function run(parameters: (name: string) => boolean) {
  const weights = tinyWeights(engine, config);
  const lora = createLora(
    engine,
    matchTargets(transformerLayout(config), { target_modules: ["attn1.to_q"] }).targets,
    { rank: 2, alpha: 2 },
    between,
  );
  const start = lora.tensors();
  // B starts at 0, where nothing reaches A.
  lora.replace(start.map(({ shape }, i) => engine.keep(host(`lora${i}`, shape))));
  engine.dispose(...start);
  const outputs = createOutputs(engine, infos, config, between);
  const names = [...lora.names, ...outputs.names];
  const chosen = [...lora.tensors(), ...outputs.tensors()].filter((_, i) => parameters(names[i] ?? ""));
  const transformer = createTransformer(ops, config, weights, lora);
  const {
    gradients,
    outputs: made,
    loss,
  } = engine.differentiate(() => {
    const { tap, outputs: collected } = outputs.collect(targets);
    let whole: Tensor | null = null;
    transformer.forward({ video: tinyInputs(engine, config, "video"), audio: null }, (place, x) => {
      if (place === "video.block0") whole = x;
      tap(place, x);
    });
    const { mid, wide, aligned } = collected();
    if (!mid || !wide || !aligned || whole === null) throw new Error("an output is missing");
    return { loss: ops.mean(ops.square(aligned)), outputs: { mid, wide, aligned, whole: ops.mul(whole, 1) } };
  }, chosen);
  const read = async (x: Tensor | null) => (x === null ? null : engine.read(x));
  const results = {
    names: names.filter(parameters),
    gradients: await Promise.all(gradients.map(read)),
    made: Object.fromEntries(
      await Promise.all(Object.entries(made).map(async ([name, x]) => [name, await engine.read(x)] as const)),
    ),
    heads: await Promise.all(outputs.tensors().map((x) => engine.read(x))),
  };
  engine.dispose(
    loss,
    ...gradients,
    ...Object.values(made),
    ...lora.tensors(),
    ...outputs.tensors(),
    ...weights.values(),
  );
  return results;
}

test("a tap is the stream after its block, without references; heads follow in order", async () => {
  const before = engine.memory().tensors;
  const { made, heads } = await run(() => false);
  const { mid, wide, aligned, whole } = made;
  assert.equal(
    [mid?.shape, wide?.shape, aligned?.shape],
    [
      [2, 3, 12],
      [2, 3, 5],
      [2, 3, 2],
    ],
  );
  // The first of four tokens is a reference's.
  assert.equal(mid?.data.slice(0, 36), whole?.data.slice(12, 48));
  const [weight, bias] = heads;
  const x = Array.from({ length: 12 }, (_, i) => (mid?.data[i] ?? NaN) * (weight?.data[i] ?? NaN)).reduce(
    (sum, product) => sum + product,
    bias?.data[0] ?? NaN,
  );
  assert.ok(Math.abs((wide?.data[0] ?? NaN) - x / (1 + Math.exp(-x))) < 1e-5);
  assert.is(engine.memory().tensors, before);
});

test("gradients reach heads and the adapters in front of the tap, and none behind it", async () => {
  const { names, gradients } = await run(() => true);
  const reached = names.filter((_, i) => gradients[i]?.data.some((x) => x !== 0));
  assert.equal(
    reached.toSorted(),
    names
      .filter((name) => name.startsWith("outputs.") || name.startsWith("transformer_blocks.0.attn1.to_q"))
      .toSorted(),
  );
});

test("heads start uniform in 1/sqrt(inputs), by their names", async () => {
  const outputs = createOutputs(engine, infos, config, threeQuarters);
  assert.equal(outputs.names, [
    "outputs.wide.weight",
    "outputs.wide.bias",
    "outputs.aligned.weight",
    "outputs.aligned.bias",
  ]);
  assert.equal(
    outputs.tensors().map(({ shape }) => shape),
    [[5, 12], [5], [2, 5], [2]],
  );
  const values = await Promise.all(outputs.tensors().map((x) => engine.read(x)));
  // 0.75 of the way from -1/sqrt(inputs) to 1/sqrt(inputs).
  assert.equal(
    values.map(({ data }) => [...new Set(data)]),
    [12, 12, 5, 5].map((inputs) => [Math.fround(0.5 / Math.sqrt(inputs))]),
  );
  engine.dispose(...outputs.tensors());
});

test("a tap of a block that the model does not have is named with the last one", () => {
  const beyond: OutputInfo = { name: "late", kind: "tap", modality: "audio", block: 2 };
  assert.equal(checkOutputs(infos, config), []);
  const [finding] = checkOutputs([...infos, beyond], config);
  assert.is(
    `${finding?.code} ${finding?.message}`,
    "LTX6217 the output `late` taps block 2, but the model's blocks are 0 to 1",
  );
  assert.equal(checkOutputs([{ ...beyond, block: -2 }], config), []);
  assert.is(checkOutputs([{ ...beyond, block: -3 }], config).length, 1);
});

test("a block below 0 counts from the last", async () => {
  const last: OutputInfo = { name: "last", kind: "tap", modality: "video", block: -1 };
  const outputs = createOutputs(engine, [last], config, between);
  const { tap, outputs: collected } = outputs.collect(targets);
  const x = engine.keep({
    shape: [1, targets.video, 1],
    dtype: "float32",
    data: new Float32Array(targets.video).fill(3),
  });
  tap("video.block0", ops.mul(x, 2));
  tap("video.block1", x);
  assert.equal([...(await engine.read(collected()["last"] ?? x)).data], Array<number>(targets.video).fill(3));
});

test("parameters give blocks and features, and findings name them", () => {
  const tap: OutputInfo = { name: "mid", kind: "tap", modality: "video", block: 0, param: "layer" };
  const head: OutputInfo = {
    name: "head",
    kind: "linear",
    modality: "video",
    input: "mid",
    features: 4,
    activation: "none",
    param: "width",
  };
  const strategy = { outputs: [tap, head] };
  assert.equal(outputsWith(strategy, { layer: 1, width: 7 }).outputs, [
    { ...tap, block: 1 },
    { ...head, features: 7 },
  ]);
  assert.equal(outputsWith(strategy, {}).outputs, [tap, head]);
  const [finding] = checkOutputs(outputsWith(strategy, { layer: 2 }).outputs, config);
  assert.equal(finding?.path, ["training_strategy", "layer"]);
  assert.match(finding?.help ?? "", "give `layer` a block up to 1");
});

test.run();
