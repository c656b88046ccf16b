import type { HostTensor, Ops, Tensor } from "../contract.ts";
import { fail, type Finding } from "../findings.ts";
import type { StreamName } from "./config.ts";
import type { ConnectorConfig } from "./connector-config.ts";
import type { Connector } from "./connector.ts";
import { validFirst, type TextOrder } from "./text-order.ts";

/** Text features as data sets hold them, before the connectors. */
export interface TextFeatures {
  /** `[B, S, C]` */
  readonly video: HostTensor;
  readonly audio: HostTensor | null;
  /** `[B, S]`, above 0 for text, 0 for padding, which may be anywhere */
  readonly mask: HostTensor;
}

/** The contexts that the transformer's text attentions read. */
export interface TextContexts {
  /** `[B, S, C]` */
  readonly video: Tensor;
  readonly audio: Tensor | null;
  /** int32 `[B, S]`, all ones: registers have replaced the padding. */
  readonly mask: Tensor;
}

export interface EmbeddingsProcessor {
  /**
   * Turns features into contexts. Connectors are never trained: run it outside `Engine.differentiate`, within `Engine.tidy`.
   * Errors: FindingsError LTX6213 (features do not fit the connectors), LTX6214 (a stream's features or connector are missing).
   */
  run(features: TextFeatures): TextContexts;
}

export function createEmbeddingsProcessor(ops: Ops, video: Connector, audio: Connector | null): EmbeddingsProcessor {
  return {
    run: (features) => {
      checkPairing(features, audio);
      const order = validFirst(features.mask);
      const valid = ops.input("text.valid", order.valid);
      const bias = ops.input("text.bias", order.bias);
      const context = (name: StreamName, connector: Connector, x: HostTensor) =>
        connector.run(ops.input(`text.${name}`, reorder(checkFeatures(name, connector, x, order), order)), valid, bias);
      return {
        video: context("video", video, features.video),
        audio: audio === null || features.audio === null ? null : context("audio", audio, features.audio),
        mask: ops.constant({
          shape: features.mask.shape,
          dtype: "int32",
          data: new Int32Array(features.mask.data.length).fill(1),
        }),
      };
    },
  };
}

const dataPlace: Finding["path"] = ["data", "preprocessed_data_root"];

function checkPairing({ audio }: TextFeatures, connector: Connector | null): void {
  if (audio === null && connector !== null) {
    const help = "preprocess the captions with the audio-video checkpoint that the run trains";
    fail("LTX6214", "the text embeddings lack `audio_prompt_embeds`, which the audio stream needs", help, dataPlace);
  }
  if (audio !== null && connector === null) {
    const help = "train an audio-video checkpoint, or leave the audio features out";
    const message = "the text embeddings have audio features, but the checkpoint has no audio connector";
    fail("LTX6214", message, help, dataPlace);
  }
}

function checkFeatures(name: StreamName, { config }: Connector, x: HostTensor, { tokens }: TextOrder): HostTensor {
  const [, length = 0, width = 0] = x.shape;
  if (length !== tokens) doesNotFit(`the text embeddings for ${name} have ${length} tokens, their mask ${tokens}`);
  checkTextShape(name, config, length, width);
  return x;
}

/**
 * Whether features `[S, D]` fit a connector, which can be told before it is loaded.
 * Errors: FindingsError LTX6213.
 */
export function checkTextShape(
  name: StreamName,
  { width, registers }: Pick<ConnectorConfig, "width" | "registers">,
  tokens: number,
  channels: number,
): void {
  const found = `the text embeddings for ${name} have`;
  if (channels !== width) doesNotFit(`${found} ${channels} channels, the checkpoint's connector takes ${width}`);
  if (registers !== null && tokens % registers !== 0) {
    doesNotFit(`${found} ${tokens} tokens, not a multiple of the ${registers} registers`);
  }
}

function doesNotFit(what: string): never {
  return fail("LTX6213", what, "preprocess the captions with the checkpoint that the run trains", dataPlace);
}

/** Rows of `[B, S, C]` in the order `index`. */
function reorder({ shape, dtype, data }: HostTensor, { index, tokens }: TextOrder): HostTensor {
  const [, , width = 0] = shape;
  const moved = new Float32Array(data.length);
  index.forEach((from, to) => {
    const sample = Math.floor(to / tokens);
    const start = (sample * tokens + from) * width;
    moved.set(data.subarray(start, start + width), to * width);
  });
  return { shape, dtype, data: moved };
}
