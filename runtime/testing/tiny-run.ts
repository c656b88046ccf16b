import type { Batch, HostTensor, ModalityInputs, Step, Tensor } from "../contract.ts";
import { resolveConfig } from "../config/index.ts";
import type { Engine } from "../engine/engine.ts";
import { philoxSource } from "../random/draws.ts";
import { fingerprintOf } from "../training/fingerprint.ts";
import { normal, permutation } from "../random/philox.ts";
import type { Run, RunData } from "../training/run-inputs.ts";

/** Sizes of the tiny run: samples, their tokens and channels, the adapter's rank. */
const [SAMPLES, TOKENS, CHANNELS, RANK] = [5, 4, 3, 3];
const names = ["layer.lora_A.weight", "layer.lora_B.weight"];
const host = (shape: readonly number[], data: Float32Array): HostTensor => ({ shape, dtype: "float32", data });

interface TinySources {
  readonly clean: Tensor;
}

/**
 * Flow matching on every token but those of samples that are all zero: a step as a compiled strategy would be, written by hand.
 * With `attention`, tokens attend to the others of that kind.
 */
const stepOf = (
  attention: boolean,
): Step<unknown, TinySources, { readonly target: Tensor; readonly mask: Tensor }> => ({
  strategy: {
    name: "tiny",
    description: "",
    language: 1,
    compiler: "",
    contract: 2,
    sourceHash: "",
    sources: [],
    params: {},
    modalities: { video: { generated: true, latents: "latents", text: "conditions", references: [] }, audio: null },
    losses: [{ name: "flow", modality: "video" }],
    undecided: [],
    outputs: [],
  },
  prepare({ ops, draws, positions }, { size, sources: { clean } }) {
    const sigma = draws.sampled("video.sigma", [size], TOKENS);
    const noise = draws.randn("video.noise", clean.shape);
    const generated = ops.greater(ops.sum(ops.abs(clean), [2]), 0);
    const levels = ops.mul(ops.reshape(sigma, [size, 1]), ops.float(generated));
    const level = ops.reshape(levels, [size, TOKENS, 1]);
    const video: ModalityInputs = {
      latent: ops.add(ops.mul(ops.sub(1, level), clean), ops.mul(level, noise)),
      sigma,
      timesteps: levels,
      positions: positions.video({ frames: 1, height: 2, width: 2 }, [24, 24]),
      context: clean,
      contextMask: null,
      attentionMask: attention
        ? ops.broadcastTo(ops.reshape(ops.float(generated), [size, 1, TOKENS]), [size, TOKENS, TOKENS])
        : null,
      keyframesMask: null,
      enabled: true,
    };
    const target = ops.sub(noise, clean);
    return {
      inputs: { video, audio: null },
      video: { target, generated },
      audio: null,
      overlaps: {},
      values: { target, mask: ops.float(generated) },
    };
  },
  loss({ ops }, { values: { target, mask } }, { video }) {
    if (video === null) throw new Error("no prediction");
    const errors = ops.mean(ops.square(ops.sub(video, target)), [2]);
    return { flow: ops.mean(ops.mul(errors, mask), [1]) };
  },
  metadata: () => ({ made_by: "tiny" }),
});

/** Settings of the run config beside those that every tiny run has. */
export type TinySettings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface TinyOptions {
  readonly outputDirectory: string;
  readonly settings?: TinySettings;
  /** Values of a sample that are not those of a random clip, by the sample's index. */
  readonly special?: ReadonlyMap<number, number>;
  /** Whether tokens attend only to those that are not all zero. */
  readonly attention?: boolean;
  /** The run's id. */
  readonly id?: string;
}

/** A run that trains one adapter over a layer of zeros, on random clips held in memory; takes milliseconds per step. */
export function tinyRun(engine: Engine, options: TinyOptions): Run {
  const { outputDirectory, settings = {}, special = new Map(), attention = false, id = "tiny" } = options;
  const raw = {
    model: { model_path: "none", ...settings["model"] },
    lora: { rank: RANK, alpha: RANK, ...settings["lora"] },
    data: { preprocessed_data_root: "none" },
    optimization: { steps: 6, batch_size: 2, learning_rate: 0.05, ...settings["optimization"] },
    checkpoints: { precision: "float32", ...settings["checkpoints"] },
    flow_matching: { timestep_sampling_mode: "uniform", timestep_sampling_params: { min_value: 0.8 } },
    evaluation: { ...settings["evaluation"] },
    runtime: { ...settings["runtime"] },
    output_dir: outputDirectory,
  };
  const { config, findings } = resolveConfig(raw, { configDirectory: outputDirectory });
  if (config === null) throw new Error(findings.map(({ message }) => message).join());
  const scale = (config.lora?.alpha ?? 0) / (config.lora?.rank ?? 1);
  let [a, b] = [
    engine.keep(host([RANK, CHANNELS], normal({ seed: 1, step: 0, microBatch: 0, name: "a" }, RANK * CHANNELS))),
    engine.keep(host([CHANNELS, RANK], new Float32Array(CHANNELS * RANK))),
  ];
  const { ops } = engine;
  const step = stepOf(attention) as Step;
  const params = { strength: 1 };
  const samples = Array.from({ length: SAMPLES }, (_, i) => nameOf(i));
  return {
    id,
    config,
    step,
    params,
    fingerprint: fingerprintOf({ config, strategy: step.strategy, params, samples }),
    base: null,
    engine,
    model({ video }) {
      if (video === null) throw new Error("no video");
      return {
        video: ops.mul(ops.linear(ops.linear(video.latent, a, null), b, null), scale),
        audio: null,
        outputs: {},
      };
    },
    trainable: {
      names,
      tensors: () => [a, b],
      replace: (tensors) => ([a, b] = tensors as [Tensor, Tensor]),
    },
    ema: null,
    positions: {
      video: () => host([], new Float32Array(1)),
      audio: () => host([], new Float32Array(1)),
    },
    scaleFactors: { time: 8, height: 32, width: 32 },
    samples: null,
    heldOut: config.evaluation.samples === 0 ? null : heldOutOf(engine, config.evaluation.samples),
    data: { samples: SAMPLES, load: async (index) => loadTiny(engine, config.seed, index, special) },
    draws: (step, microBatch) => philoxSource(config.seed, step, microBatch),
  };
}

const nameOf = (sample: number): string => `clip_${sample}.pt`;

function loadTiny({ ops }: Engine, seed: number, index: number, special: ReadonlyMap<number, number>) {
  const perEpoch = Math.floor(SAMPLES / 2);
  const order = permutation(seed, Math.floor(index / perEpoch), SAMPLES);
  const chosen = [...order.subarray((index % perEpoch) * 2, (index % perEpoch) * 2 + 2)];
  const clean = new Float32Array(chosen.flatMap((sample) => [...clip(sample, special)]));
  const batch: Batch<TinySources> = {
    size: 2,
    get sources() {
      return { clean: ops.input("clean", host([2, TOKENS, CHANNELS], clean)) };
    },
  };
  return { names: chosen.map(nameOf), sizes: {}, waitSeconds: 0, batch: () => batch, release: () => {} };
}

/** Clips that no batch of the training holds. */
function heldOutOf({ ops }: Engine, samples: number): RunData {
  const load = async (index: number) => {
    const clean = clip(SAMPLES + index, new Map());
    const batch: Batch<TinySources> = {
      size: 1,
      get sources() {
        return { clean: ops.input("clean", host([1, TOKENS, CHANNELS], clean)) };
      },
    };
    return { names: [`held_out_${index}.pt`], sizes: {}, waitSeconds: 0, batch: () => batch, release: () => {} };
  };
  return { samples, load };
}

function clip(sample: number, special: ReadonlyMap<number, number>): Float32Array {
  const value = special.get(sample);
  const size = TOKENS * CHANNELS;
  if (value !== undefined) return new Float32Array(size).fill(value);
  return normal({ seed: 9, step: sample, microBatch: 0, name: "clip" }, size).map((x) => 0.3 * x);
}
