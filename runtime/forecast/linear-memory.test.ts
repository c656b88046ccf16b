import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { project } from "../../bin/testing/testing.ts";
import { resolveConfig } from "../config/index.ts";
import type { Step } from "../contract.ts";
import type { Precision } from "../engine/engine.ts";
import { writePt } from "../files/pt/index.ts";
import { preflight } from "../opening/preflight.ts";
import { planOf } from "./step-plan.ts";

const test = suite("memory of long clips");
const folder = await project({}, "text_to_video");
test.after(() => rm(folder, { recursive: true }));
const step = (await import(pathToFileURL(join(folder, "build/text_to_video.mjs")).href)) as Step;

const [channels, height, width] = [8, 8, 8];

async function writeClips(frames: number): Promise<void> {
  const latents = join(folder, "data/latents");
  for (const name of await readdir(latents)) {
    const values = new Float32Array(channels * frames * height * width);
    await writePt(join(latents, name), {
      latents: { storage: "bfloat16", shape: [channels, frames, height, width], values },
      num_frames: frames,
      height,
      width,
      fps: { float: 24 },
    });
  }
}

/** Bytes of a step's values on the engine `torch`, apart from weights and optimizer. */
async function stepBytes(frames: number, isCheckpointed: boolean, precision: Precision): Promise<number> {
  await writeClips(frames);
  const raw = parse(await readFile(join(folder, "train.yaml"), "utf8")) as Record<string, Record<string, unknown>>;
  raw["optimization"] = { ...raw["optimization"], enable_gradient_checkpointing: isCheckpointed };
  const { config, findings } = resolveConfig(raw, { configDirectory: folder });
  if (config === null) throw new Error(findings.map(({ message }) => message).join());
  const engine = { name: "torch", provider: "cpu", precision } as const;
  const { largest } = await planOf(config, step, await preflight(config, step), engine);
  assert.is(largest.tokens, frames * height * width);
  return largest.memory.step;
}

for (const [precision, isCheckpointed] of [
  ["float32", false],
  ["bfloat16", true],
] as const)
  test(`it grows with the number of tokens, not with its square: ${precision}${isCheckpointed ? ", checkpointed" : ""}`, async () => {
    const [one, two, four] = [
      await stepBytes(8, isCheckpointed, precision),
      await stepBytes(16, isCheckpointed, precision),
      await stepBytes(32, isCheckpointed, precision),
    ];
    const [first, second] = [two - one, four - two];
    assert.ok(first > 0.4 * two, "tokens take most of it");
    assert.ok(Math.abs(second / first - 2) < 0.02, `${one}, ${two}, ${four} bytes`);
  });

test.run();
