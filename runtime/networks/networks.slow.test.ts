// Strategies with networks in every kind of training: on each engine, with stages that are computed again, and resumed.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { compile } from "../../compiler/index.ts";
import type { Step } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/index.ts";
import { messagesOf, trainIn, type Settings } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { torchEngines } from "../testing/test-torch.ts";

const test = suite("strategies with networks in every kind of training");
const newFolder = temporaryFolders(test, "networks");
const { engine: wasm } = await openEngine("wasm");

const names = ["pixel_loss", "latent_perceptual_loss"];
const three = {
  optimization: { steps: 3, learning_rate: 0.01, scheduler_type: "constant" },
  // Both networks of random weights make little of what they are given.
  training_strategy: { weight: 100 },
};

/** The smallest window, so that engines without a kernel for convolutions need no minutes. */
const smaller = (text: string): string => text.replace(/window: \{.*?\}/, "window: {frames: 1, height: 1, width: 2}");

async function project(name: string) {
  const folder = await newFolder();
  await compiledProject(folder, name);
  const path = join(folder, `${name}.strategy`);
  const { artifacts } = await compile({ path, text: smaller(await readFile(path, "utf8")) });
  const code = artifacts.find((artifact) => artifact.name.endsWith(".mjs"))?.text ?? "";
  await writeFile(join(folder, "smaller.mjs"), code);
  return { folder, step: (await import(pathToFileURL(join(folder, "smaller.mjs")).href)) as Step };
}

type Project = Awaited<ReturnType<typeof project>>;

async function lossesOf(engine: Engine, made: Project, settings: Settings = three): Promise<readonly number[]> {
  const before = engine.memory().tensors;
  const { losses } = await trainIn(engine, made, settings);
  assert.is(engine.memory().tensors, before, "everything is freed");
  return losses;
}

const isNear = (a: readonly number[], b: readonly number[], by: number): boolean =>
  a.length === b.length && a.every((x, i) => Math.abs(x - (b[i] ?? NaN)) <= by);

for (const name of names)
  test(`three steps of ${name} are the same on every engine`, async () => {
    const made = await project(name);
    const expected = await lossesOf(wasm, made);
    const others = [(await openEngine("cpu")).engine, (await openEngine("onnx")).engine, ...(await torchEngines())];
    for (const engine of others) {
      const losses = await lossesOf(engine, made);
      assert.ok(isNear(losses, expected, 1e-3), `${engine.name}: ${losses.join()} ${expected.join()}`);
    }
  });

test("stages of the video VAE that are computed again change nothing", async () => {
  const made = await project("pixel_loss");
  const expected = await lossesOf(wasm, made);
  const optimization = { ...three.optimization, enable_gradient_checkpointing: true };
  assert.ok(isNear(await lossesOf(wasm, made, { ...three, optimization }), expected, 1e-4));
});

/** With one other number in the file of its network. */
async function expectRefused(made: Project, model: Readonly<Record<string, unknown>>): Promise<void> {
  const bytes = await readFile(join(made.folder, "data/features.safetensors"));
  // The last number of the last tensor.
  bytes[bytes.length - 1] = 0x3e;
  await writeFile(join(made.folder, "other.safetensors"), bytes);
  const more = { runtime: { networks: { features: "other.safetensors" } } };
  assert.match(
    (await messagesOf(trainIn(wasm, made, { ...three, model }, more))).join(),
    /the file of the network `features`/,
  );
}

test("a resumed run goes on with the same windows, and is refused where a network's file has changed", async () => {
  for (const name of names) {
    const made = await project(name);
    const whole = await trainIn(wasm, made, three);
    const half = await trainIn(wasm, made, { ...three, optimization: { ...three.optimization, steps: 2 } });
    const model = { load_checkpoint: half.summary.checkpoint };
    if (name !== "pixel_loss") await expectRefused(made, model);
    const rest = await trainIn(wasm, made, { ...three, model });
    assert.equal(rest.losses, whole.losses.slice(2));
  }
});

test.run();
