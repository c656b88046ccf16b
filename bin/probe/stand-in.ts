/** What stands for the model where there is none: the same function of all that a call is given, whatever its weights are called. */
import type { HostTensor, ModalityInputs, ModelInputs, Ops, Tensor, Velocities } from "../../runtime/contract.ts";
import { madeUp } from "./made-up.ts";

/**
 * Linear maps of fixed random numbers. As of a model at the start of a training with LoRA, calls that are given the same predict the same, and
 * any difference of latents, levels, texts, positions, references or attention gives another prediction.
 */
export function predictedFor(ops: Ops, { video, audio }: ModelInputs): Velocities {
  const [seen, heard] = [summary(ops, video), summary(ops, audio)];
  return { video: velocity(ops, "video", video, heard), audio: velocity(ops, "audio", audio, seen) };
}

/** `[B, 1, 1]`, what one modality tells the other; null without it. */
const summary = (ops: Ops, inputs: ModalityInputs | null): Tensor | null =>
  inputs === null ? null : ops.mean(inputs.latent, [1, 2], true);

function velocity(ops: Ops, name: string, inputs: ModalityInputs | null, other: Tensor | null): Tensor | null {
  if (inputs === null) return null;
  const { latent, sigma, timesteps, positions, context, contextMask, attentionMask, keyframesMask } = inputs;
  const [samples = 0, tokens = 0, channels = 0] = latent.shape;
  const mapped = (x: Tensor, of: string) => ops.matMul(x, fixed(ops, `${name}.${of}`, [x.shape.at(-1) ?? 1, channels]));
  const column = (x: Tensor, of: string) => mapped(ops.reshape(x, [...x.shape, 1]), of);
  const attended = attentionMask === null ? ops.mean(latent, [1], true) : attendedTo(ops, attentionMask, latent);
  const parts = [
    mapped(latent, "latent"),
    mapped(attended, "attended"),
    column(timesteps, "timesteps"),
    column(ops.reshape(sigma, [samples, 1]), "sigma"),
    mapped(read(ops, context, contextMask), "context"),
    column(ops.constant(placesOf(positions, tokens)), "positions"),
    ...(keyframesMask === null ? [] : [mapped(keyframesMask, "keyframes")]),
    ...(other === null ? [] : [mapped(other, "other")]),
  ];
  return parts.reduce((sum, part) => ops.add(sum, part));
}

/** For each query the mean of the tokens that it looks at, `[B, T, C]`. */
function attendedTo(ops: Ops, mask: Tensor, latent: Tensor): Tensor {
  const [samples = 0, tokens = 0] = latent.shape;
  const weights = ops.broadcastTo(mask.dtype === "bool" ? ops.float(mask) : mask, [samples, tokens, tokens]);
  return ops.div(ops.matMul(weights, latent), ops.maximum(ops.sum(weights, [2], true), 1));
}

/** The mean of a text's tokens, `[B, 1, D]`. */
function read(ops: Ops, context: Tensor, mask: Tensor | null): Tensor {
  if (mask === null) return ops.mean(context, [1], true);
  const [samples = 0, length = 0] = mask.shape;
  const weights = ops.reshape(ops.float(ops.notEqual(mask, 0)), [samples, length, 1]);
  return ops.div(ops.sum(ops.mul(context, weights), [1], true), ops.maximum(ops.sum(weights, [1], true), 1));
}

/** `[B, T]`: a number for each place and time. */
function placesOf({ shape, data }: HostTensor, tokens: number): HostTensor {
  const [samples = 0, axes = 0] = shape;
  const places = Float32Array.from({ length: samples * tokens }, (_, at) => {
    const [sample, token] = [Math.floor(at / tokens), at % tokens];
    const along = (axis: number) => data[2 * ((sample * axes + axis) * tokens + token)] ?? 0;
    return Array.from({ length: axes }, (__, axis) => Math.sin(along(axis) * (axis + 1))).reduce((a, b) => a + b, 0);
  });
  return { shape: [samples, tokens], dtype: "float32", data: places };
}

/** Normal numbers, the same for the same name; each entry of the result adds up to about 1. */
function fixed(ops: Ops, name: string, shape: readonly [number, number]): Tensor {
  return madeUp(ops, { name: `stand-in.${name}`, seed: 1 }, shape, 1 / Math.sqrt(shape[0]));
}
