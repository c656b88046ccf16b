import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Sample } from "../data/dataset.ts";
import type { HostSample } from "../data/sample.ts";
import { fail, FindingsError } from "../findings.ts";
import { lookAtSamples } from "./look-at-samples.ts";

const test = suite("looking at samples");
const samples: readonly Sample[] = Array.from({ length: 50 }, (_, i) => ({ name: `${i}.pt`, files: {} }));
const float = (shape: readonly number[]) => ({ shape, dtype: "float32" as const, data: new Float32Array(0) });

const look = async ({ name }: Sample): Promise<HostSample> => ({
  name,
  sources: {
    latents: {
      kind: "video_latents",
      latents: float([]),
      storage: "bfloat16",
      frames: 2,
      height: 3,
      width: 4,
      fps: 25,
    },
    sound: { kind: "audio_latents", latents: float([]), storage: "float32", steps: 9 },
    text: { kind: "text_embeddings", video: float([]), audio: null, mask: { ...float([3]), data: new Int32Array(3) } },
    weights: { kind: "tensor", value: float([7]) },
  },
});

test("what headers say, source by source", async () => {
  const [first] = await lookAtSamples(samples, new Map(), look);
  assert.equal(first?.sources, {
    latents: { kind: "video_latents", grid: [2, 3, 4], fps: 25, storage: "bfloat16" },
    sound: { kind: "audio_latents", grid: [9], storage: "float32" },
    text: { kind: "text_embeddings", tokens: 3 },
    weights: { kind: "tensor", shape: [7] },
  });
});

test("of many samples some, evenly spread", async () => {
  const names = (await lookAtSamples(samples, new Map(), look, 5)).map(({ sample }) => sample.name);
  assert.equal(names, ["0.pt", "10.pt", "20.pt", "30.pt", "40.pt"]);
  assert.is((await lookAtSamples(samples, new Map(), look, 50)).length, 50);
  assert.is((await lookAtSamples(samples, new Map(), look, 49)).length, 49);
});

test("the first ten mistakes are told, the others are counted", async () => {
  const refuse = async (sample: Sample) =>
    Number.parseInt(sample.name) < 20 ? fail("LTX6134", sample.name, "do") : look(sample);
  try {
    await lookAtSamples(samples, new Map(), refuse);
    assert.unreachable();
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    assert.is(error.findings.length, 11);
    assert.is(error.findings[9]?.message, "9.pt");
    assert.is(error.findings[10]?.message, "10 more of the 50 samples that were looked at do not fit, such as 10.pt");
  }
});

test("a bug is no mistake of the data", async () => {
  const broken = () => Promise.reject(new TypeError("bug"));
  const error = await lookAtSamples(samples, new Map(), broken).catch((x: unknown) => x);
  assert.instance(error, TypeError);
});

test.run();
