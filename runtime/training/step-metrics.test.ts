import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Report } from "./forward.ts";
import { blindSamples, brokenTerm, idleSamples, overlappingTerms, stepMetrics } from "./step-metrics.ts";

const test = suite("step metrics");

function report(
  terms: Record<string, number[]>,
  more: Partial<Record<"sigma" | "generated", number[]>> = {},
  overlaps: Record<string, number[]> = {},
): Report {
  const lists = (record: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(record).map(([name, list]) => [name, Float32Array.from(list)]));
  const { sigma = [0.1, 0.9], generated = [1, 1] } = more;
  return {
    terms: lists(terms),
    sigma: Float32Array.from(sigma),
    generated: Float32Array.from(generated),
    overlaps: lists(overlaps),
    blind: null,
  };
}

const samples = [
  ["a.pt", "b.pt"],
  ["c.pt", "d.pt"],
];

test("means run over all samples of all micro-batches; a sample's loss is the sum of its terms", () => {
  const metrics = stepMetrics([report({ x: [1, 2], y: [0, 4] }), report({ x: [3, 6], y: [0, 0] })]);
  assert.is(metrics.loss, 4);
  assert.equal(metrics.terms, { x: 3, y: 1 });
  assert.equal(metrics.sigmaBuckets, { "0.00-0.25": 2, "0.75-1.00": 6 });
});

test("the first term that is not a number is named with its samples", () => {
  assert.is(brokenTerm([report({ x: [1, 2] })], samples), null);
  const found = brokenTerm([report({ x: [1, 2], y: [1, 1] }), report({ x: [1, 1], y: [NaN, Infinity] })], samples);
  assert.equal(found, { term: "y", samples: ["c.pt", "d.pt"] });
});

test("samples without a generated token are named", () => {
  assert.equal(idleSamples([report({ x: [1, 1] }), report({ x: [0, 1] }, { generated: [0, 1] })], samples), ["c.pt"]);
});

test("a term over kept tokens is named once, with the first sample that shows it", () => {
  const overlaps = (x: number[], y: number[]) => report({ x: [1, 1], y: [1, 1] }, {}, { x, y });
  assert.equal(overlappingTerms([overlaps([0, 0], [0, 0]), overlaps([0, 1], [0, 0])], samples), [
    { term: "x", sample: "d.pt" },
  ]);
  assert.equal(overlappingTerms([overlaps([0, 1], [0, 0]), overlaps([1, 0], [1, 0])], samples), [
    { term: "x", sample: "b.pt" },
    { term: "y", sample: "c.pt" },
  ]);
});

test("samples in which a token attends to nothing are found, video first", () => {
  const flags = (video: number[], audio: number[]) => ({
    ...report({ x: [0, 0] }),
    blind: { video: Float32Array.from(video), audio: Float32Array.from(audio) },
  });
  assert.is(blindSamples([report({ x: [0, 0] }), flags([0, 0], [0, 0])], samples), null);
  assert.equal(blindSamples([flags([0, 0], [1, 0]), flags([0, 1], [0, 0])], samples), {
    modality: "video",
    samples: ["d.pt"],
  });
  assert.equal(blindSamples([flags([0, 0], [1, 1])], samples), { modality: "audio", samples: ["a.pt", "b.pt"] });
});

test.run();
