// Small functions stand in the test that they serve.
/* oxlint-disable unicorn/consistent-function-scoping */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Tensor } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { FindingsError } from "../findings.ts";
import { readConnectorConfig } from "./connector-config.ts";
import { createConnector, type Connector } from "./connector.ts";
import { createEmbeddingsProcessor, type TextFeatures } from "./embeddings.ts";
import { connectorLayout } from "./parameters.ts";
import { createModule } from "./module.ts";
import { validFirst } from "./text-order.ts";
import { host, tinySection } from "../testing/tiny-model.ts";

const test = suite("embeddings");
const { engine } = await openEngine("cpu");

/** A connector with four registers; its weights live as long as the test. */
function connector(stream: "video" | "audio", registers: number | null = 4): Connector {
  const { config } = readConnectorConfig(tinySection(), stream, registers);
  if (config === null) throw new Error("refused");
  const weights = connectorLayout(config, stream).map(({ name, shape }): [string, Tensor] => [
    name,
    engine.keep(host(name, shape)),
  ]);
  return createConnector(createModule(engine.ops, new Map(weights)), config);
}

function mask(...rows: number[][]): HostTensor {
  return { shape: [rows.length, rows[0]?.length ?? 0], dtype: "int32", data: Int32Array.from(rows.flat()) };
}

async function run(video: Connector, audio: Connector | null, features: TextFeatures) {
  const contexts = engine.tidy(() => createEmbeddingsProcessor(engine.ops, video, audio).run(features));
  const result = { video: await engine.read(contexts.video), mask: await engine.read(contexts.mask) };
  engine.dispose(contexts.video, contexts.audio, contexts.mask);
  return result;
}

test("text comes first, each kind in its own order, wherever the padding is", () => {
  const { index, valid, bias } = validFirst(mask([0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0]));
  assert.equal(Array.from(index), [1, 3, 0, 2, 0, 1, 2, 3, 0, 1, 2, 3]);
  assert.equal(Array.from(valid.data), [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
  assert.equal(
    Array.from(bias.data.slice(0, 4), (x) => x === 0),
    [true, true, false, false],
  );
});

test("what stands in the padding does not matter, not even NaN", async () => {
  const video = connector("video");
  const clean = host("features", [1, 8, 12]);
  const junk = { ...clean, data: clean.data.map((x, i) => (i < 36 ? NaN : x)) };
  const padded = mask([0, 0, 0, 1, 1, 1, 1, 1]);
  const [a, b] = [
    await run(video, null, { video: clean, audio: null, mask: padded }),
    await run(video, null, { video: junk, audio: null, mask: padded }),
  ];
  assert.equal(a.video.data, b.video.data);
  assert.ok(a.video.data.every(Number.isFinite));
  assert.equal(Array.from(a.mask.data), [1, 1, 1, 1, 1, 1, 1, 1]);
});

test("padding left or right gives the same context", async () => {
  const video = connector("video");
  const text = host("text", [1, 5, 12]).data as Float32Array;
  const left = Float32Array.from([...new Float32Array(36), ...text]);
  const right = Float32Array.from([...text, ...new Float32Array(36)]);
  const at = (data: Float32Array, row: number[]) =>
    run(video, null, { video: { shape: [1, 8, 12], dtype: "float32", data }, audio: null, mask: mask(row) });
  assert.equal(
    (await at(left, [0, 0, 0, 1, 1, 1, 1, 1])).video.data,
    (await at(right, [1, 1, 1, 1, 1, 0, 0, 0])).video.data,
  );
});

test("features that do not fit are findings", async () => {
  const [video, audio] = [connector("video"), connector("audio")];
  const good = { video: host("v", [1, 8, 12]), audio: host("a", [1, 8, 8]), mask: mask([1, 1, 1, 1, 1, 1, 1, 1]) };
  const refused = (code: string, audio: Connector | null, features: TextFeatures) =>
    assert.throws(
      () => engine.tidy(() => createEmbeddingsProcessor(engine.ops, video, audio).run(features)),
      (error: unknown) => error instanceof FindingsError && error.findings[0]?.code === code,
    );
  refused("LTX6214", audio, { ...good, audio: null });
  refused("LTX6214", null, good);
  refused("LTX6213", audio, { ...good, audio: host("a", [1, 8, 12]) });
  refused("LTX6213", audio, { ...good, mask: mask([1, 1, 1, 1]) });
  const six = { video: host("v", [1, 6, 12]), audio: null, mask: mask([1, 1, 1, 1, 1, 1]) };
  refused("LTX6213", null, six);
  assert.equal((await run(connector("video", null), null, six)).video.shape, [1, 6, 12]);
});

test.run();
