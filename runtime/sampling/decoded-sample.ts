/** Samples as one sees them: a video, and a picture of some of its frames side by side. */
import type { HostTensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { writeAtomically } from "../files/atomic.ts";
import { FindingsError } from "../findings.ts";
import { framesOf, openDecoder, writeDecoded, type Decoding } from "../media/decode-files.ts";
import { findFfmpeg } from "../media/ffmpeg.ts";
import { encodePng } from "../media/png.ts";
import { usualTiling } from "../media/vae/tiles.ts";

export interface SampleDecoder {
  /** Writes `<stem>.png`, and of more than one frame `<stem>.mp4` where ffmpeg is installed. Latents are `[C, f, h, w]`. */
  write(latents: HostTensor, fps: number, stem: string): Promise<void>;
  dispose(): void;
}

/**
 * The decoder of a file; null where it has none that can be used for latents of so many channels, which the checks before a run say.
 * @param seed of the noise that some decoders draw
 */
export async function openSampleDecoder(
  engine: Engine,
  path: string,
  { channels, seed }: { readonly channels: number; readonly seed: number },
): Promise<SampleDecoder | null> {
  const decoder = await openDecoder(engine, path, { seed }).catch(ofFindings);
  if (decoder !== null && decoder.latentChannels === channels) {
    const decoding = { decoder, ffmpeg: findFfmpeg(), tiling: usualTiling };
    return { write: (...sample) => writeBoth(decoding, ...sample), dispose: () => decoder.dispose() };
  }
  decoder?.dispose();
  return null;
}

/** A sample is an extra of a run: what stops one, stops no training. */
function ofFindings(error: unknown): null {
  if (error instanceof FindingsError) return null;
  throw error;
}

/** Frames of a picture, and pixels between them. */
const [SHOWN, GAP] = [5, 4];

async function writeBoth(decoding: Decoding, latents: HostTensor, fps: number, stem: string): Promise<void> {
  const [, frames = 0, rows = 0, columns = 0] = latents.shape;
  const { time, height, width } = decoding.decoder.scaleFactors;
  const empty = () => new Strip(1 + (frames - 1) * time, columns * width, rows * height);
  let strip = empty();
  try {
    await writeDecoded(decoding, { latents, fps }, stem, (bytes) => strip.see(bytes));
  } catch (error) {
    if (!(error instanceof FindingsError) || !withoutVideo(error)) throw error;
    strip = empty();
    for await (const bytes of framesOf(decoding, latents, "truncated")) strip.see(bytes);
  }
  if (frames === 1) return;
  const png = encodePng(strip.picture());
  await writeAtomically(`${stem}.png`, png.length, (sink) => sink(png));
}

/** Whether ffmpeg is not there, or can not write the video: pictures do not need it. */
const withoutVideo = ({ findings }: FindingsError): boolean =>
  findings.every(({ code }) => code === "LTX6810" || code === "LTX6811");

/** Some frames of a clip, from the first to the last, side by side. */
class Strip {
  readonly #shown: ReadonlySet<number>;
  readonly #kept: Uint8Array[] = [];
  readonly #width: number;
  readonly #height: number;
  #seen = 0;

  constructor(frames: number, width: number, height: number) {
    const count = Math.min(SHOWN, frames);
    this.#shown = new Set(
      Array.from({ length: count }, (_, i) => Math.round((i * (frames - 1)) / Math.max(1, count - 1))),
    );
    [this.#width, this.#height] = [width, height];
  }

  /** RGB bytes of the next frame. */
  see(bytes: Uint8Array): void {
    if (this.#shown.has(this.#seen++)) this.#kept.push(bytes);
  }

  picture() {
    const step = this.#width + GAP;
    const width = this.#kept.length * step - GAP;
    const pixels = new Uint8Array(3 * width * this.#height).fill(255);
    for (const [i, bytes] of this.#kept.entries())
      for (let y = 0; y < this.#height; y++)
        pixels.set(bytes.subarray(3 * y * this.#width, 3 * (y + 1) * this.#width), 3 * (y * width + i * step));
    return { width, height: this.#height, pixels };
  }
}
