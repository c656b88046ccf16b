import { suite } from "uvu";
import * as assert from "uvu/assert";
import { speedOf } from "./step-speed.ts";

const test = suite("speed of a step");

const work = { samples: 2, tokens: 12_288, flops: 8e14, seconds: 2 };
const gpu = (name: string) => ({ name, memoryBytes: 5e10, memoryTotalBytes: 8e10, utilization: 0.97 });

test("tokens, operations and the share of the card's peak go by the step's time", () => {
  const speed = speedOf(work, "bfloat16", gpu("NVIDIA H100 80GB HBM3"));
  assert.equal([speed.samplesPerSecond, speed.tokensPerSecond, speed.flopsPerSecond], [1, 6144, 4e14]);
  assert.is(speed.mfu, 4e14 / 989e12);
  assert.is(speedOf(work, "float32", gpu("NVIDIA A100-SXM4-40GB")).mfu, 4e14 / 19.5e12);
});

test("a name is taken as a whole, and of a card that is not known there is no share", () => {
  const peakOf = (name: string) => 4e14 / (speedOf(work, "bfloat16", gpu(name)).mfu ?? NaN) / 1e12;
  const peaks = [
    ["NVIDIA A10", 125],
    ["NVIDIA A100 80GB PCIe", 312],
    ["NVIDIA H100 PCIe", 756],
    ["NVIDIA L40S", 362],
    ["NVIDIA H100 NVL", 835],
    ["NVIDIA H200", 989],
    ["NVIDIA GH200 480GB", 989],
    ["NVIDIA RTX 6000 Ada Generation", 364],
    ["NVIDIA GeForce RTX 4090", 165.2],
  ] as const;
  for (const [name, peak] of peaks) assert.ok(Math.abs(peakOf(name) - peak) < 1e-9, `${name}: ${peakOf(name)}`);
  // Other cards with a known number in their name, a part of a card, and cards without bfloat16.
  const others = [
    "GeForce RTX 4090 Laptop GPU",
    "GeForce RTX 4090 D",
    "GeForce RTX 4070 Ti",
    "A40-48Q",
    "GRID A100D-40C",
  ];
  for (const name of ["Quadro K420", "Tesla T4", "Tesla V100-SXM2-16GB", ...others])
    assert.is(speedOf(work, "bfloat16", gpu(`NVIDIA ${name}`)).mfu, null, name);
  assert.is(speedOf(work, "float32", gpu("Tesla V100-PCIE-16GB")).mfu, 4e14 / 14e12);
});

test("without a GPU, or without a count of operations, nothing is made up", () => {
  assert.is(speedOf(work).mfu, null);
  const uncounted = speedOf({ ...work, flops: null }, "bfloat16", gpu("NVIDIA H100"));
  assert.equal([uncounted.flopsPerSecond, uncounted.mfu], [null, null]);
});

test.run();
