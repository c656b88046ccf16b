// The gradients of every example agree with finite differences, on the sample data and the tiny model of `ltxc init`.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { resolveConfig } from "../runtime/config/index.ts";
import type { HostTensor, Ops, Step, Tensor } from "../runtime/contract.ts";
import { createSampler, normal, openEngine, openRun, type Run } from "../runtime/index.ts";
import { forward, noNetworks, noWeights } from "../runtime/training/forward.ts";
import { exampleNames, readExample } from "./init/example.ts";
import { project } from "./testing/testing.ts";

const test = suite("gradients of the examples");
const { engine } = await openEngine("wasm");

/** Length of the step to both sides, and how far the two slopes may be apart, relative to the larger. */
const STEP = 2e-2;
const TOLERANCE = 1e-3;

/** Params with which the loss has a slope at random weights: DPO's default beta of 2000 is for differences of a real model. */
const gentler: Readonly<Record<string, object>> = { diffusion_dpo: { beta: 1 } };

async function open(name: string) {
  const { smallestBatch, datasets } = (await readExample(name)).program;
  // Two data sets have half of a batch each.
  const smallest = Math.max(smallestBatch, datasets.length);
  const folder = await project({ batch_size: smallest, num_dataloader_workers: 0 }, name);
  const raw = parse(await readFile(join(folder, "train.yaml"), "utf8")) as { training_strategy: object };
  Object.assign(raw.training_strategy, gentler[name]);
  const { config } = resolveConfig(raw, { configDirectory: folder });
  if (config === null) throw new Error("the run config is refused");
  const step = (await import(pathToFileURL(join(folder, "build", `${name}.mjs`)).href)) as Step;
  const opened = await openRun(engine, config, step);
  const close = async () => {
    await opened.close();
    await rm(folder, { recursive: true });
  };
  return { run: opened.run, close };
}

/**
 * Operations whose `stopGradient` gives `held`, the values of an earlier pass, where there are any: a finite difference otherwise moves
 * what the gradient holds still. What passes is added to `seen`.
 */
function holdingStill(ops: Ops, held: readonly Tensor[], seen: Tensor[]): Ops {
  const stopGradient = (x: Tensor): Tensor => {
    seen.push(x);
    return ops.stopGradient(held[seen.length - 1] ?? x);
  };
  return { ...ops, stopGradient };
}

/** The weights moved by `by` along a direction. */
async function moved(run: Run, direction: readonly HostTensor[], by: number): Promise<void> {
  const values = await Promise.all(run.trainable.tensors().map((tensor) => engine.read(tensor)));
  const next = values.map(({ shape, data }, i): HostTensor => {
    const along = direction[i]?.data ?? [];
    return { shape, dtype: "float32", data: Float32Array.from(data, (value, j) => value + by * (along[j] ?? 0)) };
  });
  engine.dispose(...run.trainable.tensors());
  run.trainable.replace(next.map((value) => engine.keep(value)));
}

/** Small random numbers: a fresh LoRA's B is zero, and with it the gradient of its A. */
const randomDirection = (run: Run): HostTensor[] =>
  run.trainable.tensors().map(({ shape }, i) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return { shape, dtype: "float32", data: normal({ seed: 3, step: i, microBatch: 0, name: "direction" }, count) };
  });

function normalized(gradients: readonly HostTensor[]): { readonly norm: number; readonly direction: HostTensor[] } {
  const norm = Math.hypot(...gradients.map(({ data }) => Math.hypot(...data)));
  const direction = gradients.map(({ shape, data }): HostTensor => {
    return { shape, dtype: "float32", data: Float32Array.from(data, (value) => value / norm) };
  });
  return { norm, direction };
}

/** The loss of the run's first micro-batch, by its own weights. */
async function lossOf(run: Run) {
  const { config, step, params, model, positions, scaleFactors, weight = noWeights, network = noNetworks } = run;
  const sampler = createSampler(config.flow_matching);
  const loaded = await run.data.load(0);
  const progress = { globalStep: 0, progress: 0 };
  return (held: readonly Tensor[]) => {
    const seen: Tensor[] = [];
    const ops = holdingStill(engine.ops, held, seen);
    const context = { ops, step, params, model, sampler, positions, scaleFactors, weight, network };
    const { loss } = forward(context, loaded.batch(), { draws: run.draws(0, 0), progress, divisor: 1 });
    return { loss, outputs: Object.fromEntries(seen.map((tensor, i) => [i, tensor])) };
  };
}

const numberOf = async (tensor: Tensor): Promise<number> => (await engine.read(tensor)).data[0] ?? NaN;

for (const name of await exampleNames()) {
  test(name, async () => {
    const { run, close } = await open(name);
    await moved(run, randomDirection(run), 0.05);
    const pass = await lossOf(run);
    const { loss, outputs, gradients } = engine.differentiate(() => pass([]), run.trainable.tensors());
    const held = Object.values(outputs);
    const values = gradients.map(
      (gradient, i) => gradient ?? engine.ops.fill(run.trainable.tensors()[i]?.shape ?? [], 0),
    );
    const { norm, direction } = normalized(await Promise.all(values.map((gradient) => engine.read(gradient))));
    assert.ok(norm > 1e-4, "the loss does not depend on the weights");
    const at = async (by: number): Promise<number> => {
      await moved(run, direction, by);
      const moved_ = engine.tidy(() => pass(held).loss);
      const value = await numberOf(moved_);
      engine.dispose(moved_);
      await moved(run, direction, -by);
      return value;
    };
    const difference = async (by: number) => ((await at(by)) - (await at(-by))) / (2 * by);
    // Richardson's extrapolation: what is left of the error falls with the fourth power of the step.
    const slope = (4 * (await difference(STEP / 2)) - (await difference(STEP))) / 3;
    assert.ok(Math.abs(slope - norm) < TOLERANCE * Math.max(norm, slope), `slope ${slope}, gradient ${norm}`);
    engine.dispose(loss, ...held, ...values);
    await close();
  });
}

test.run();
