import type { ModalityInputs, ModelInputs, Ops, Tensor, Velocities } from "../contract.ts";
import { fail } from "../findings.ts";
import { modulationRow, spread } from "./adaln.ts";
import { block, type BlockSkips, type BlockState, type Streams } from "./block.ts";
import { checkpointedBlock, type Checkpointing } from "./checkpointing.ts";
import type { StreamName, TransformerConfig } from "./config.ts";
import { blockPrefix, streamPrefix } from "./parameters.ts";
import { createModule, type Adapters, type Module } from "./module.ts";
import { createRopeCache } from "./rope-cache.ts";
import { prepareStream, type Stream } from "./stream.ts";

/**
 * Is shown tensors from inside the forward pass, by name: `video.x0`, `video.embedded_timestep`, `video.context`,
 * `video.rope_cos`, `video.cross_rope_cos`, `video.context_bias`, `video.self_bias`, `video.block12`; audio likewise.
 */
export type Tap = (name: string, value: Tensor) => void;

export interface Transformer {
  readonly config: TransformerConfig;
  /**
   * The velocities of both modalities; null where a modality is null. Pure: may run on its own, or inside `Engine.differentiate`.
   * At least one modality must be given.
   */
  forward(inputs: ModelInputs, tap?: Tap, perturbation?: Perturbation): Velocities;
}

/** What a forward pass leaves out, so that guidance can lead away from its result. Training leaves out nothing. */
export interface Perturbation {
  /** Blocks whose self-attention passes on each token's own values, by stream. */
  readonly selfAttention: Readonly<Record<StreamName, readonly number[]>>;
  /** Whether no stream attends to the other one. */
  readonly isolated: boolean;
}

const noTap: Tap = () => {};

/** A transformer over weights by their bare checkpoint names, with adapters by the name of their linear layer. */
export function createTransformer(
  ops: Ops,
  config: TransformerConfig,
  weights: ReadonlyMap<string, Tensor>,
  adapters?: Adapters,
  checkpointing: Checkpointing | null = null,
): Transformer {
  const module = createModule(ops, weights, adapters);
  const model = { config, module, ropes: createRopeCache(config) };
  return {
    config,
    forward: (inputs, tap = noTap, perturbation) => {
      checkInputs(config, inputs);
      const [video, audio] = [notEmpty(inputs.video), notEmpty(inputs.audio)];
      const streams = {
        video: video === null ? null : prepareStream(model, "video", video, audio),
        audio: audio === null ? null : prepareStream(model, "audio", audio, video),
      };
      const state = runBlocks({ config, module, checkpointing }, streams, tap, perturbation);
      return {
        video: velocity(config, module, "video", inputs.video, streams.video, state.video),
        audio: velocity(config, module, "audio", inputs.audio, streams.audio, state.audio),
      };
    },
  };
}

function checkInputs(config: TransformerConfig, inputs: ModelInputs): void {
  if (inputs.video === null && inputs.audio === null) throw new Error("the model was given neither video nor audio");
  for (const name of ["video", "audio"] as const) {
    if (inputs[name] === null || config[name] !== null) continue;
    fail(
      "LTX6216",
      `the strategy feeds ${name} to a model that has no ${name} stream`,
      "name an audio-video checkpoint",
      ["model", "model_path"],
    );
  }
}

/** A modality without tokens takes no part. */
function notEmpty(inputs: ModalityInputs | null): ModalityInputs | null {
  return inputs === null || inputs.latent.shape[1] === 0 ? null : inputs;
}

interface BlockRunner {
  readonly config: TransformerConfig;
  readonly module: Module;
  readonly checkpointing: Checkpointing | null;
}

function runBlocks(
  { config, module, checkpointing }: BlockRunner,
  streams: Streams,
  tap: Tap,
  perturbation: Perturbation | undefined,
): BlockState {
  tapStream(streams.video, tap);
  tapStream(streams.audio, tap);
  let state: BlockState = { video: streams.video?.tokens ?? null, audio: streams.audio?.tokens ?? null };
  for (let i = 0; i < config.layers; i++) {
    const prefix = blockPrefix(i);
    const compute = (given: Streams, before: BlockState) =>
      block(config, module.at(prefix), given, before, skipsOf(perturbation, i));
    state =
      checkpointing === null
        ? compute(streams, state)
        : checkpointedBlock(module.ops, checkpointing, prefix, { streams, state }, compute);
    if (state.video !== null) tap(`video.block${i}`, state.video);
    if (state.audio !== null) tap(`audio.block${i}`, state.audio);
  }
  return state;
}

function skipsOf(perturbation: Perturbation | undefined, i: number): BlockSkips | undefined {
  if (perturbation === undefined) return undefined;
  const { selfAttention, isolated } = perturbation;
  return { video: selfAttention.video.includes(i), audio: selfAttention.audio.includes(i), crossModal: isolated };
}

function tapStream(stream: Stream | null, tap: Tap): void {
  if (stream === null) return;
  const show = (name: string, value: Tensor | null | undefined) => value && tap(`${stream.name}.${name}`, value);
  show("x0", stream.tokens);
  show("embedded_timestep", stream.embedded);
  show("context", stream.context);
  show("context_bias", stream.contextBias);
  show("self_bias", stream.selfBias);
  show("rope_cos", stream.rope.cos);
  show("rope_sin", stream.rope.sin);
  show("cross_rope_cos", stream.cross?.rope.cos);
  show("cross_rope_sin", stream.cross?.rope.sin);
}

/** The output head `[B, T, C]`: the one place with a mean-subtracting norm, modulated by the embedded timestep itself. */
function velocity(
  config: TransformerConfig,
  module: Module,
  name: StreamName,
  inputs: ModalityInputs | null,
  stream: Stream | null,
  x: Tensor | null,
): Tensor | null {
  const { ops } = module;
  const [batch = 0] = inputs?.latent.shape ?? [];
  const { fill } = ops;
  if (stream === null || x === null) return inputs && fill([batch, 0, config[name]?.outChannels ?? 0], 0);
  const own = module.at(streamPrefix(name));
  const table = own.parameter("scale_shift_table");
  const row = (i: number) => spread(ops, stream.isClean, modulationRow(ops, table, i, stream.embedded));
  const normed = ops.layerNorm(ops.widen(x), config.normEps);
  return ops.widen(own.linear("proj_out", ops.modulate(normed, row(1), row(0))));
}
