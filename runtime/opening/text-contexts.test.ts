import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../contract.ts";
import type { HostBatch } from "../data/batch.ts";
import { openEngine } from "../engine/index.ts";
import type { EmbeddingsProcessor } from "../model/embeddings.ts";
import { createTextContexts } from "./text-contexts.ts";

const test = suite("text contexts");
const { engine } = await openEngine("cpu");
const { ops } = engine;

const float = (shape: readonly number[], values: readonly number[]): HostTensor => ({
  shape,
  dtype: "float32",
  data: Float32Array.from(values),
});

/** Captions of two tokens of one channel: the sample's number. */
function batch(...samples: readonly number[]): HostBatch {
  const features = float(
    [samples.length, 2, 1],
    samples.flatMap((sample) => [sample, sample]),
  );
  const mask = float(
    [samples.length, 2],
    samples.flatMap(() => [1, 1]),
  );
  const sources = { text: { kind: "text_embeddings" as const, video: features, audio: features, mask } };
  return { size: samples.length, names: samples.map((sample) => `${sample}.pt`), sources };
}

/** Connectors that double, and a count of what they were run on. */
function doubling() {
  const runs: number[] = [];
  const embeddings: EmbeddingsProcessor = {
    run({ video, mask }) {
      runs.push(video.data[0] ?? NaN);
      const double = ops.mul(ops.input("video", video), 2);
      return { video: double, audio: ops.neg(double), mask: ops.input("mask", mask) };
    },
  };
  return { runs, embeddings };
}

async function valuesOf(contexts: ReturnType<typeof createTextContexts>, ...samples: readonly number[]) {
  const { contexts: made, release } = contexts.of(batch(...samples));
  const { video, audio } = made["text"] ?? {};
  if (!video || !audio) return assert.unreachable();
  const [v, a] = [await engine.read(video), await engine.read(audio)];
  release();
  assert.equal(v.shape, [samples.length, 2, 1]);
  assert.equal(
    Array.from(a.data),
    Array.from(v.data, (x) => -x),
  );
  return Array.from(v.data);
}

test("a caption goes through the connectors once, whatever batches it comes in", async () => {
  const { runs, embeddings } = doubling();
  const before = engine.memory().tensors;
  const contexts = createTextContexts(engine, embeddings);
  assert.equal(await valuesOf(contexts, 1), [2, 2]);
  assert.equal(await valuesOf(contexts, 1, 3), [2, 2, 6, 6]);
  assert.equal(await valuesOf(contexts, 3), [6, 6]);
  assert.equal(runs, [1, 3]);
  // Three tensors of each sample, and none of the batches.
  assert.is(engine.memory().tensors, before + 6);
  contexts.dispose();
  assert.is(engine.memory().tensors, before);
});

test("contexts beyond their share of the memory are computed again", async () => {
  const { runs, embeddings } = doubling();
  // Each takes 24 bytes.
  const contexts = createTextContexts(engine, embeddings, { mostBytes: 50 });
  for (const sample of [1, 2, 3, 3, 2, 1]) assert.equal(await valuesOf(contexts, sample), [2 * sample, 2 * sample]);
  assert.equal(runs, [1, 2, 3, 1]);
  contexts.dispose();
});

test("a text that all samples share goes through the connectors once", async () => {
  const { runs, embeddings } = doubling();
  const contexts = createTextContexts(engine, embeddings, { shared: new Set(["text"]) });
  assert.equal(await valuesOf(contexts, 1, 1), [2, 2, 2, 2]);
  await valuesOf(contexts, 3);
  assert.equal(runs, [1]);
  contexts.dispose();
});

test.run();
