import type { Entry } from "./entry.ts";
import { decoder, judge, judged, pixels, strategy } from "./networks.ts";

/** Networks whose weights are not trained. */
export const entries = [
  {
    code: "LTX5079",
    slug: "unknown-architecture",
    title: "The architecture of a network is not known",
    explanation:
      "`architecture` is `ltx_video_decoder`, `ltx_video_encoder`, or a list of layers in their order: `linear 64` and `conv 16` with the number of their outputs, `layer_norm`, and `relu`, `gelu`, `gelu_tanh`, `silu`, `tanh`, `sigmoid`. `conv 16 1x3x3` says how many frames, rows and columns a convolution sees, three each if left out; it puts zeros around, so that sizes stay.",
    bad: strategy(judge("dense 64, gelu, linear 16"), judged),
    good: strategy(judge(), judged),
  },
  {
    code: "LTX5080",
    slug: "linear-among-convolutions",
    title: "A layer for single places stands among convolutions",
    explanation:
      "`linear` and `layer_norm` work along the channels, which stand last for them and second for convolutions, as in PyTorch. Among convolutions, `conv 64 1x1x1` does what `linear 64` does.",
    bad: strategy(judge("conv 16, relu, linear 4"), judged),
    good: strategy(judge("conv 16, relu, conv 4 1x1x1"), judged),
  },
  {
    code: "LTX5081",
    slug: "network-without-file",
    title: "Nothing says where a network's weights are",
    explanation:
      "The weights of a network of layers lie in a safetensors file, which `from` names, below the data root; `runtime.networks` in the run config can name another one, anywhere. Only a video VAE needs none: it is that of the run's own checkpoint.",
    bad: strategy(judge("linear 64, gelu, linear 16", ""), judged),
    good: strategy(judge(), judged),
  },
  {
    code: "LTX5082",
    slug: "setting-of-network",
    title: "A network has a setting that does not belong to it",
    explanation:
      "`window` is for `ltx_video_decoder`: in each step only so many latent frames, rows and columns are decoded, at a place that is drawn anew, which bounds the memory. `prefix` is for a network of layers: what the names of its tensors begin with.",
    bad: strategy(decoder(", prefix: vae."), pixels),
    good: strategy(decoder(", window: {frames: 2, height: 8, width: 8}"), pixels),
  },
  {
    code: "LTX5083",
    slug: "type-of-network",
    title: "A network cannot have this type",
    explanation:
      "`type` may be left out. Where it is written it has one argument, and the result differs from it in the axis of its channels alone: `(x: tokens:video) -> f32[batch, token:video, feature]`. That of a video VAE is fixed.",
    bad: strategy(judge(undefined, ', from: judge.safetensors, type: "(x: tokens:video) -> f32[batch]"'), judged),
    good: strategy(
      judge(undefined, ', from: judge.safetensors, type: "(x: tokens:video) -> f32[batch, token:video, feature]"'),
      judged,
    ),
  },
] as const satisfies readonly Entry[];
