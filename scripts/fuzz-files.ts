/**
 * Readers of files on hostile inputs. For each kind: samples that are changed, and how they are read. A reader may refuse a file with a
 * finding; anything else that it throws is a bug.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { page } from "../bin/run-report/page.ts";
import { readMetrics } from "../bin/run-report/metrics.ts";
import { examineRunConfig } from "../bin/project/run-config.ts";
import { processIo } from "../bin/shell/io.ts";
import { renderJson, renderTerminal } from "../compiler/diagnostics/index.ts";
import { sourceFile } from "../compiler/source/index.ts";
import { withEntries } from "../runtime/data/entries.ts";
import { readSource } from "../runtime/data/sample.ts";
import { CallLog } from "../runtime/engine/recording/call-log.ts";
import { lastNodeOf } from "../runtime/engine/recording/call-tree.ts";
import { fitsRun } from "../runtime/engine/recording/check-recording.ts";
import { sealed } from "../runtime/engine/recording/recording-file.ts";
import { openSavedRecordings } from "../runtime/engine/recording/saved-recordings.ts";
import { isTensor, readPt, readTypes, toFloat32, writePt } from "../runtime/files/pt/index.ts";
import type { Graph } from "../runtime/graph/graph.ts";
import { legacySample } from "../runtime/testing/legacy-sample.ts";
import { archives, hostileTexts, mutated, trees } from "./fuzz-bytes.ts";
import { safetensorsFiles, stateFiles } from "./fuzz-checkpoints.ts";
import { yamlTexts } from "./fuzz-yaml.ts";
import { host, refusing, verifying, type MakeSubject, type Subject } from "./fuzz-subject.ts";

/** The archive as PyTorch writes it when it is told to compute no checksums: changes get past them. */
function withoutChecksums(file: Buffer): Buffer {
  const copy = Buffer.from(file);
  for (let at = copy.indexOf("PK\x01\x02"); at >= 0; at = copy.indexOf("PK\x01\x02", at + 1))
    copy.writeUInt32LE(0, at + 16);
  return copy;
}

async function ptFiles(folder: string): Promise<Subject> {
  const path = join(folder, "clip.pt");
  const values = Float32Array.from({ length: 24 }, (_, i) => i / 4);
  await writePt(path, {
    latents: { shape: [2, 3, 2, 2], storage: "bfloat16", values },
    mask: { shape: [24], storage: "int64", values },
    fps: { float: 24 },
    name: "clip",
    none: null,
  });
  const file = readFileSync(path);
  return {
    inputs: fc.oneof(mutated([withoutChecksums(file), legacySample]), mutated([file]), archives),
    async read(input) {
      writeFileSync(path, input);
      await refusing(() => readTypes(path));
      await refusing(async () => {
        const value = await readPt(path);
        if (value instanceof Map) for (const entry of value.values()) if (isTensor(entry)) toFloat32(entry);
      });
      for (const kind of ["video_latents", "text_embeddings", "audio_latents"] as const) {
        await refusing(() => withEntries(path, (entries) => readSource(entries, { kind }, 2)));
      }
      await verifying(path, "pt", input.length);
    },
  };
}

const graph: Graph = {
  inputs: [{ name: "x", shape: [2], dtype: "float32" }],
  initializers: [
    { name: "c", shape: [2], dtype: "float32", bytes: new Uint8Array(8) },
    { name: "w", shape: [2], dtype: "bfloat16", bytes: { path: "/models/a.safetensors", offset: 64, length: 4 } },
  ],
  nodes: [
    {
      op: "Add",
      inputs: ["x", "c"],
      outputs: [{ name: "y", shape: [2], dtype: "float32" }],
      attributes: { axis: 1, axes: [1] },
    },
  ],
  outputs: ["y"],
};
const x = { shape: [2], dtype: "float32" } as const;
const calls = [
  { ...x, key: "tidy()" },
  { ...x, key: "input(float32[2])" },
  { ...x, key: "return %0" },
];
const recording = {
  inputs: [{ kind: "host", index: 0 }],
  numbers: [1, null, -0],
  outputs: [x],
  hasGradient: [],
  flops: 0,
} as const;

/** The pair of files of a recording, whose names follow from its calls; the tree has both. */
async function recordingFiles(folder: string): Promise<Subject> {
  const scope = "scope";
  openSavedRecordings(folder, scope, () => {}).save(calls, recording, graph);
  const [inner = ""] = readdirSync(folder);
  const names = readdirSync(join(folder, inner));
  const path = (kind: string) => join(folder, inner, names.find((name) => name.endsWith(`.${kind}.recording`)) ?? "");
  const [callsFile, graphFile] = [readFileSync(path("calls")), readFileSync(path("graph"))];
  const log = new CallLog();
  log.describe("input", ["x" as never, host(2)]);
  const saved = { scope, calls, recording: { ...recording, numbers: ["1", null, "-0"] } };
  const plainGraph: unknown = JSON.parse(sealed(graph).text.split("\n")[1] ?? "");
  const pairs = trees([{ saved, graph: plainGraph }]).map((tree) => {
    const { saved: own = null, graph: other = null } = (tree ?? {}) as Record<string, unknown>;
    const text = JSON.stringify(other) ?? "null";
    const graphText = `${sealed(JSON.parse(text)).text}`;
    const checksum = /sha256:(\w+)/.exec(graphText)?.[1] ?? "";
    const body = typeof own === "object" && own !== null ? { ...own, graph: checksum } : own;
    return Buffer.from(`${sealed(body).text}\u0000${graphText}`);
  });
  const separator = Buffer.from("\u0000");
  const together = [Buffer.concat([callsFile, separator, graphFile])];
  return {
    inputs: fc.oneof(mutated(together), pairs),
    read(input) {
      const at = input.indexOf(0);
      writeFileSync(path("calls"), at < 0 ? input : input.subarray(0, at), { mode: 0o600 });
      writeFileSync(path("graph"), at < 0 ? "" : input.subarray(at + 1), { mode: 0o600 });
      for (const found of openSavedRecordings(folder, scope, () => {}).all) {
        lastNodeOf(new Map(), found.calls);
        const read = found.graph();
        if (read !== null) fitsRun(found.recording, read, log, 0);
      }
    },
  };
}

const event = {
  type: "step",
  globalStep: 1,
  steps: 9,
  loss: 0.5,
  terms: { flow: 0.5 },
  sigmaBuckets: { "0.0-0.2": 1 },
  learningRate: 1e-4,
  gradNorm: 1,
  secondsPerStep: 1,
  samplesPerSecond: 1,
  tokensPerSecond: 100,
  flopsPerSecond: null,
  mfu: null,
  gpu: null,
  waitSeconds: 0,
  peakMemoryBytes: 1e9,
};
const events = [
  {
    type: "started",
    time: "2026-01-01T00:00:00Z",
    globalStep: 0,
    steps: 9,
    strategy: "a",
    samples: 8,
    trainableParameters: 99,
    loaded: null,
    environment: { node: "v20" },
  },
  event,
  { ...event, globalStep: 2 },
  { type: "evaluation", globalStep: 2, loss: 0.5, sigmas: [{ sigma: 0.1, loss: 0.5 }] },
  { type: "warning", finding: { code: "LTX6304", message: "said" } },
  { type: "checkpoint", path: "a.safetensors" },
  { type: "finished", globalStep: 9 },
];

async function metricsFiles(folder: string): Promise<Subject> {
  const path = join(folder, "metrics.jsonl");
  const text = (list: readonly unknown[]) => list.map((each) => `${JSON.stringify(each)}\n`).join("");
  const lists = trees([events]).map((tree) => Buffer.from(Array.isArray(tree) ? text(tree) : text([tree])));
  return {
    inputs: fc.oneof(
      mutated([Buffer.from(text(events))]),
      lists,
      lists,
      fc.oneof({ weight: 1, arbitrary: hostileTexts }, { weight: 50, arbitrary: lists }),
    ),
    async read(input) {
      writeFileSync(path, input);
      const metrics = await readMetrics(input.toString("utf8").split("\n"));
      page({ name: "run", metrics, config: null, strategies: [], checkpoints: [], samples: [], samplesLeftOut: 0 });
      await verifying(path, "metrics", input.length);
    },
  };
}

const examples = new URL("../examples/", import.meta.url);

/** The run configs of all examples. */
function runConfigs(): Buffer[] {
  return readdirSync(examples, { withFileTypes: true }).flatMap((entry) => {
    const file = new URL(`${entry.name}/train.yaml`, examples);
    return entry.isDirectory() && existsSync(file) ? [readFileSync(file)] : [];
  });
}

async function configFiles(): Promise<Subject> {
  const io = processIo();
  const samples = runConfigs();
  const grown = trees([
    {
      model: { model_path: "a.safetensors", training_mode: "lora", load_checkpoint: null },
      lora: { rank: 2, alpha: 2, dropout: 0, target_modules: ["to_k"] },
      data: { preprocessed_data_root: "data", num_dataloader_workers: 1 },
      optimization: { steps: 9, batch_size: 1, learning_rate: 1e-4, scheduler_type: "linear", scheduler_params: {} },
      training_strategy: {
        name: "flexible",
        video: { is_generated: true, conditions: [{ type: "first_frame", probability: 0.5 }] },
      },
      validation: {
        interval: 9,
        samples: [{ prompt: "a", conditions: [{ type: "first_frame", image_or_video: "a" }] }],
        video_dims: [64, 64, 9],
      },
      flow_matching: { timestep_sampling_mode: "shifted_logit_normal", timestep_sampling_params: { std: 1 } },
      checkpoints: { interval: 9, keep_last_n: 2, precision: "bfloat16" },
      runtime: { engine: "auto" },
      seed: 42,
      output_dir: "outputs",
    },
  ]).map((tree) => Buffer.from(JSON.stringify(tree) ?? ""));
  return {
    inputs: fc.oneof(
      mutated(samples),
      grown,
      fc.oneof({ weight: 1, arbitrary: hostileTexts }, { weight: 50, arbitrary: grown }),
    ),
    async read(input) {
      const file = sourceFile("train.yaml", input.toString("utf8"));
      const found = await examineRunConfig(io, file, async () => ({ step: null, findings: [] }), { withFiles: false });
      renderTerminal([found]);
      renderJson([found]);
    },
  };
}

const subjects = {
  pt: ptFiles,
  safetensors: safetensorsFiles,
  state: stateFiles,
  recordings: recordingFiles,
  metrics: metricsFiles,
  config: configFiles,
  yaml: yamlTexts,
} satisfies Record<string, MakeSubject>;

export type FileKind = keyof typeof subjects;
export const fileKinds = Object.keys(subjects) as readonly FileKind[];

/** Milliseconds of the processor that one input may take. */
export const LONGEST = 5000;

/**
 * Lets a reader loose on `runs` inputs in `folder`. Throws the smallest one on which it fails, or takes too long. Returns the longest
 * time that one took, in milliseconds of the processor.
 */
export async function fuzzFiles(
  kind: FileKind,
  folder: string,
  runs: number,
  seed?: number,
  tick: () => void = () => {},
): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const { inputs, read } = await subjects[kind](folder);
  let slowest = 0;
  const property = fc.asyncProperty(inputs, async (input) => {
    tick();
    // Of the processor, which other processes may want as well.
    const began = process.cpuUsage();
    await read(input);
    const { user, system } = process.cpuUsage(began);
    const took = (user + system) / 1000;
    slowest = Math.max(slowest, took);
    if (took > LONGEST) throw new Error(`${Math.round(took)} ms for one input`);
  });
  await fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }) });
  return slowest;
}
