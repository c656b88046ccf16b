import type { HostTensor, VideoGrid } from "../contract.ts";
import type { HostTextFeatures } from "../data/sample.ts";

/** One modality of a sample on the host: references in front, then the tokens of the target. */
export interface StreamPlan {
  /** `[1, T, C]`: what conditions and references say; zeros elsewhere. */
  readonly clean: HostTensor;
  /** `[1, T, 1]`: 1 where a token is generated, 0 where it stays as it is. */
  readonly denoise: HostTensor;
  readonly positions: HostTensor;
  /** `[1, T, 1]`: 1 for tokens of the first latent frame, which encodes a single pixel frame; null for audio. */
  readonly keyframes: HostTensor | null;
  /** Tokens in front of the target's. */
  readonly references: number;
  /** Nothing of it is generated: it stands at noise level 0. */
  readonly frozen: boolean;
}

export interface VideoPlan extends StreamPlan {
  readonly grid: VideoGrid;
  readonly fps: number;
  /** References to be shown beside the result, `[C, F, H, W]`. */
  readonly shown: readonly HostTensor[];
}

export interface AudioPlan extends StreamPlan {
  readonly steps: number;
  readonly mel: number;
}

/** All that drawing a sample needs. */
export interface SamplePlan {
  /** Counts from 1. */
  readonly number: number;
  readonly seed: number;
  readonly text: HostTextFeatures;
  readonly negative: HostTextFeatures | null;
  readonly video: VideoPlan | null;
  readonly audio: AudioPlan | null;
}
