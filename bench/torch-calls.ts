/**
 * What a step costs the host with the engine `torch`: nodes and calls a block, and time in three parts: comparing the calls of the forward
 * pass with the recorded ones, planning (once), and all calls of a step with functions in the place of PyTorch's that do nothing, so that
 * JavaScript and the crossing to C are left. Aims: under 2 % of a step of the size small, 0.5 % of real, and 0.15 s for 48 blocks.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostTensor } from "../runtime/contract.ts";
import type { Precision } from "../runtime/engine/engine.ts";
import { loadTfjsAlone } from "../runtime/engine/load-tfjs.ts";
import type { Device, Feed } from "../runtime/engine/recording/device.ts";
import { createTorchEngine } from "../runtime/engine/torch/engine.ts";
import { koffiOf } from "../runtime/engine/koffi.ts";
import { Torch } from "../runtime/engine/torch/library.ts";
import { planOf } from "../runtime/engine/torch/plan.ts";
import { runPlan } from "../runtime/engine/torch/run-plan.ts";
import { TorchLibrary } from "../runtime/engine/torch/torch-library.ts";
import { valuesOf, type Graph, type Value } from "../runtime/graph/graph.ts";
import { testTorch } from "../runtime/testing/test-torch.ts";
import { writeFiles } from "./pytorch/files.ts";
import { sizes, type Size } from "./pytorch/sizes.ts";
import { openTrainStep } from "./pytorch/train-step.ts";

const rounds = 15;
const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? NaN;
/** Time of the processor, ms: other programs on the machine do not count. */
const milliseconds = (f: () => void): number => {
  const began = process.cpuUsage();
  f();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
};

/** A device that computes nothing and keeps the graphs that ran. */
function capturingDevice() {
  const graphs: Graph[] = [];
  const ran: Graph[] = [];
  const values: Pick<Value, "shape" | "dtype">[] = [];
  const hold = (value: Pick<Value, "shape" | "dtype">) => values.push(value) - 1;
  const device: Device = {
    upload: hold,
    zeros: (shape) => hold({ shape, dtype: "float32" }),
    open: (graph) => graphs.push(graph) - 1,
    run(session) {
      const graph = graphs[session] as Graph;
      ran.push(graph);
      const all = valuesOf(graph);
      return graph.outputs.map((name) => hold(all.get(name) as Value));
    },
    read: () => Promise.reject(new Error("nothing was computed")),
    free: () => {},
    close: () => {},
  };
  return { device, ran };
}

interface Captured {
  /** Of the step and of AdamW, each as often as it runs. */
  readonly graphs: readonly Graph[];
  /** Comparing the calls of a step and of its update with the recorded ones, ms. */
  readonly matching: number;
}

async function capture(folder: string, size: Size, precision: Precision, isCheckpointed: boolean): Promise<Captured> {
  const { device, ran } = capturingDevice();
  const watched: Device = { ...device };
  const engine = createTorchEngine(await loadTfjsAlone(), watched, { provider: "cpu", precision });
  const step = await openTrainStep(engine, folder, size, isCheckpointed);
  // The first three steps record.
  for (let i = 0; i < 3; i++) {
    ran.length = 0;
    await step.update(step.differentiate());
  }
  // What a run of a graph costs this device is not the engine's.
  let ids = 0;
  const outputs: readonly number[] = Array.from({ length: 100_000 }, (_, i) => i);
  watched.run = (_session: number, _feeds: readonly Feed[], count: number) => outputs.slice(ids, (ids += count));
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    ids = 0;
    const began = process.cpuUsage();
    await step.update(step.differentiate());
    const { user, system } = process.cpuUsage(began);
    times.push((user + system) / 1000);
  }
  const [first] = ran;
  if (first === undefined) throw new Error("nothing was recorded");
  const updates = ran.filter(({ nodes }) => nodes.some(({ op }) => op === "AdamW"));
  return { graphs: [first, ...updates], matching: median(times) };
}

/** PyTorch's library with a function that only returns 0 in the place of every other. */
class IdleTorch extends Torch {
  readonly #idle: (parameters: string) => ReturnType<Torch["native"]>;

  constructor(folder: string) {
    super(folder, "cpu");
    const library = koffiOf(createRequire(import.meta.url)).load(join(folder, "lib", "libtorch_cpu.so"));
    // Functions of C may be given more arguments than they look at. This one's result says that all is well.
    const made = new Map<string, ReturnType<Torch["native"]>>();
    this.#idle = (parameters) => {
      const idle =
        made.get(parameters) ??
        (library.func(`int aoti_torch_device_type_cpu(${parameters})`) as ReturnType<Torch["native"]>);
      made.set(parameters, idle);
      return idle;
    };
    // Every call "returns" the handle 1.
    this.out[0] = 1;
  }

  override native(result: string, name: string, parameters: string): ReturnType<Torch["native"]> {
    if (!isReady(this)) return super.native(result, name, parameters);
    const idle = this.#idle(parameters);
    if (name !== "torch_call_dispatcher") return idle;
    // Its results are expected where its arguments were.
    return (op, overload, words, version) => {
      (words as Uint32Array).fill(1, 0, 8);
      return idle(op as ArrayBufferView, overload as ArrayBufferView, words as ArrayBufferView, version as bigint);
    };
  }

  override nativeIfAny(_result: string, _name: string, parameters: string): ReturnType<Torch["native"]> {
    return this.#idle(parameters);
  }

  override system(declaration: string): ReturnType<Torch["native"]> {
    return this.#idle(/\((.*)\)/.exec(declaration)?.[1] ?? "");
  }
}

/** Whether the constructor of `Torch` is done, which asks the library for numbers. */
const isReady = (torch: Torch): boolean => torch.out !== undefined && torch.out[0] === 1;

/** All calls of the graphs without what PyTorch does, ms. */
function idleTime(folder: string, graphs: readonly Graph[]): { readonly planning: number; readonly calls: number } {
  const torch = new IdleTorch(folder);
  const began = performance.now();
  const plans = graphs.map((graph) => planOf(torch, graph));
  const planning = performance.now() - began;
  const slots = plans.map((plan) => {
    const made = new Float64Array(plan.slots);
    for (const slot of plan.constants.keys()) made[slot] = 1;
    return made;
  });
  const times = Array.from({ length: rounds }, () =>
    milliseconds(() =>
      plans.forEach((plan, i) =>
        runPlan(
          torch,
          plan,
          slots[i] as Float64Array,
          plan.inputs.map(() => 1),
        ),
      ),
    ),
  );
  return { planning, calls: median(times) };
}

/** Numbers at which activations stay numbers: the graphs are run by themselves. */
function feedOf({ shape, dtype }: Value): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  if (dtype !== "float32") throw new Error(`an input of the type ${dtype}`);
  return { shape, dtype, data: Float32Array.from({ length: size }, (_, i) => 0.1 + 0.05 * Math.sin(i)) };
}

/** The graphs as PyTorch runs them, ms. */
function realTime(folder: string, graphs: readonly Graph[], times: number): number {
  const library = new TorchLibrary({ folder, device: "cpu" });
  const opened = graphs.map((graph) => ({
    session: library.open(graph),
    feeds: graph.inputs.map((x) => library.upload(feedOf(x))),
  }));
  const once = () => {
    for (const { session, feeds } of opened) for (const x of library.run(session, feeds)) library.free(x);
  };
  once();
  const wall = () => {
    const began = performance.now();
    once();
    return performance.now() - began;
  };
  return median(Array.from({ length: times }, wall));
}

const callsOf = (torch: Torch, graphs: readonly Graph[]): number[] =>
  graphs.map((graph) => planOf(torch, graph).calls.length);

const found = await testTorch();
if (found === null) throw new Error("there is no PyTorch that the engine torch can use");
const { folder: torchFolder } = found;

async function withFiles<T>(size: Size, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-calls-"));
  try {
    await writeFiles(folder, size);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const tiny = sizes["tiny"] as Size;
const modes = [
  ["float32", false],
  ["float32", true],
  ["bfloat16", false],
  ["bfloat16", true],
] as const;

async function countBlock(precision: Precision, isCheckpointed: boolean): Promise<void> {
  const torch = new Torch(torchFolder, "cpu");
  const counts: number[][] = [];
  for (const layers of [2, 3])
    await withFiles({ ...tiny, layers }, async (folder) => {
      const { graphs } = await capture(folder, { ...tiny, layers }, precision, isCheckpointed);
      counts.push([...graphs.map(({ nodes }) => nodes.length), ...callsOf(torch, graphs)]);
    });
  const [nodes, adamNodes, calls, adamCalls] = counts[1]?.map((x, i) => x - (counts[0]?.[i] ?? NaN)) ?? [];
  const title = `${precision}${isCheckpointed ? ", checkpointed" : ""}`;
  console.log(
    `  ${title}: a block has ${nodes} nodes, ${calls} calls; its AdamW ${adamNodes} nodes, ${adamCalls} calls`,
  );
}

async function measure(title: string, size: Size, precision: Precision, steps: number): Promise<void> {
  await withFiles(size, async (folder) => {
    const { graphs, matching } = await capture(folder, size, precision, size.layers > 8);
    const { planning, calls } = idleTime(torchFolder, graphs);
    const parts = `matching ${matching.toFixed(1)} ms, calls ${calls.toFixed(1)} ms (planned in ${planning.toFixed(0)} ms)`;
    if (steps === 0)
      return console.log(`  ${title}, ${precision}: ${parts}, together ${(matching + calls).toFixed(0)} ms`);
    const whole = realTime(torchFolder, graphs, steps);
    const share = (x: number) => `${((100 * x) / whole).toFixed(2)} %`;
    console.log(`  ${title}, ${precision}: a step ${whole.toFixed(0)} ms, of it calls ${share(calls)}; ${parts}`);
  });
}

const asked = process.argv[2] ?? "";
if (asked !== "none") for (const [precision, isCheckpointed] of modes) await countBlock(precision, isCheckpointed);
const many: Size = { ...tiny, layers: 48 };
for (const precision of ["float32", "bfloat16"] as const) await measure("48 blocks", many, precision, 0);
for (const name of ["small", "real"])
  if (asked === "" || asked.includes(name))
    await measure(name, sizes[name] as Size, "float32", name === "small" ? 9 : 3);
