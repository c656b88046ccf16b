/**
 * What a run adds to the bare graph of its train step: data, draws, recording's replay, reading the loss, clipping, AdamW, events
 * (aim: at most 5 % of a step), and the strategy's own part of the step (aim: under 1 % at the real width).
 */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { findBuild } from "../bin/project/builds.ts";
import { guardOf } from "../bin/trust/guard.ts";
import { processIo } from "../bin/shell/io.ts";
import { examineRunConfig } from "../bin/project/run-config.ts";
import { sourceFile } from "../compiler/source/source-file.ts";
import type { StrategyConfig } from "../runtime/config/index.ts";
import type { HostTensor } from "../runtime/contract.ts";
import { loadTfjsAlone } from "../runtime/engine/load-tfjs.ts";
import type { Device } from "../runtime/engine/recording/device.ts";
import { startOnnxDevice } from "../runtime/engine/onnx/device.ts";
import { createOnnxEngine } from "../runtime/engine/onnx/engine.ts";
import type { Graph } from "../runtime/graph/graph.ts";
import { train } from "../runtime/train.ts";
import type { Model } from "../runtime/training/forward.ts";
import { openExamined } from "../runtime/opening/open-run.ts";
import type { Run } from "../runtime/training/run-inputs.ts";
import { largeProject, type ProjectSize } from "./large-project.ts";

const sizes: Readonly<Record<string, ProjectSize>> = {
  "width 512, 2 blocks, 1,024 tokens": { heads: 8, headDim: 64, layers: 2, grid: [16, 8, 8] },
  "width 4096, 1 block, 1,024 tokens": { heads: 32, headDim: 128, layers: 1, grid: [16, 8, 8] },
};
const steps = 5;
/** Runs and their graphs alone are measured by turns, since the machine is not the same from minute to minute. */
const rounds = 4;

type Feeds = Parameters<Device["run"]>[1];

/** A device that can do again what it did last for its largest graph. */
async function watchedDevice() {
  const device = await startOnnxDevice();
  const nodes = new Map<number, number>();
  let last: { readonly session: number; readonly feeds: Feeds; readonly outputs: number } | null = null;
  const watched: Device = {
    ...device,
    open(graph: Graph) {
      const session = device.open(graph);
      nodes.set(session, graph.nodes.length);
      return session;
    },
    run(session, feeds, outputs) {
      const copy = (feed: number | HostTensor) =>
        typeof feed === "number" ? feed : { ...feed, data: feed.data.slice() };
      if ((nodes.get(session) ?? 0) >= (nodes.get(last?.session ?? -1) ?? 0))
        last = { session, feeds: feeds.map(copy), outputs };
      return device.run(session, feeds, outputs);
    },
    // Weights of earlier steps are needed again.
    free: () => {},
  };
  /** Milliseconds of that graph alone, waited for at its smallest output. */
  async function again(): Promise<number> {
    if (last === null) throw new Error("nothing was run");
    const began = performance.now();
    const ids = device.run(last.session, last.feeds, last.outputs);
    await device.read(ids[0] ?? -1);
    for (const id of ids) device.free(id);
    return performance.now() - began;
  }
  return { watched, again };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

async function open(folder: string, device: Device): Promise<{ readonly run: Run; close(): Promise<void> }> {
  const path = join(folder, "train.yaml");
  const places = { build: join(folder, "build"), cwd: folder, config: folder };
  const find = (section: StrategyConfig) =>
    findBuild(section, places, guardOf({ cwd: folder, env: process.env }, { json: true }));
  const options = { withFiles: true };
  const examined = await examineRunConfig(processIo(), sourceFile(path, readFileSync(path, "utf8")), find, options);
  if (examined.ready === null || examined.preflight === null) throw new Error("the project's run config is refused");
  const { config, step } = examined.ready;
  return openExamined(createOnnxEngine(await loadTfjsAlone(), device), config, step, examined.preflight);
}

/** Milliseconds of the steps of a run but the first two, which record. */
async function stepsOf(run: Run): Promise<number[]> {
  const times: number[] = [];
  await train(run, {
    onEvent: (event) => {
      if (event.type === "step" && event.globalStep > 2) times.push(event.secondsPerStep * 1000);
    },
  });
  return times;
}

for (const [name, size] of Object.entries(sizes)) {
  const folder = await largeProject(size, { steps, interval: "null", rank: 16, alpha: 16 });
  try {
    const { watched, again } = await watchedDevice();
    const { run, close } = await open(folder, watched);
    const [wholes, bare]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      wholes.push(...(await stepsOf(run)));
      for (let i = 0; i < steps - 2; i++) bare.push(await again());
    }
    const whole = median(wholes);
    await close();
    const own = await open(folder, await startOnnxDevice());
    // The model gives back what it is given: all that is left is the strategy's.
    const model: Model = ({ video, audio }) => ({
      video: video === null ? null : own.run.engine.ops.mul(video.latent, scaleOf(own.run)),
      audio: audio === null ? null : audio.latent,
      outputs: {},
    });
    const strategy = median(await stepsOf({ ...own.run, model }));
    await own.close();
    const added = ((whole / median(bare) - 1) * 100).toFixed(1);
    console.log(
      `  ${name}: step ${whole.toFixed(0)} ms, its graph alone ${median(bare).toFixed(0)} ms, ${added} % added (aim: at most 5 %);` +
        ` a step without the model ${strategy.toFixed(1)} ms, ${((strategy / whole) * 100).toFixed(2)} %`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** 1, by way of what is trained, so that there is a gradient. */
function scaleOf({ engine: { ops }, trainable }: Run) {
  const [first] = trainable.tensors();
  if (first === undefined) throw new Error("nothing is trained");
  return ops.add(ops.mul(ops.sum(first), 1e-12), 1);
}
