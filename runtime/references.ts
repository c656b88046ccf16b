import type { Sizes, StrategyInfo, VideoGrid } from "./contract.ts";

/** How many times larger and finer in time a video is than its reference. */
export interface ReferenceFactors {
  /** Of height and width alike. */
  readonly space: number;
  /** Of the frames after the first, which covers a single pixel frame. */
  readonly time: number;
}

/**
 * By what factors `reference` is a fraction of `target`, both in latent cells; null where it is no exact one. A single frame, on
 * either side, has no extent in time: factor 1.
 */
export function referenceFactors(target: VideoGrid, reference: VideoGrid): ReferenceFactors | null {
  const space = target.height / reference.height;
  const time = timeFactor(target.frames - 1, reference.frames - 1);
  const isExact = Number.isInteger(space) && space * reference.width === target.width && Number.isInteger(time);
  return isExact && space > 0 && time > 0 ? { space, time } : null;
}

const timeFactor = (target: number, reference: number): number =>
  target <= 0 || reference <= 0 ? 1 : target / reference;

/**
 * What a checkpoint's metadata says of how its references were scaled. Where all have the same factors, they have the names that
 * the official pipelines read, and factors of 1 are not written. Those pipelines know one set of factors: others are a list of our own.
 */
export function referenceMetadata({ modalities: { video } }: StrategyInfo, sizes: Sizes): Record<string, string> {
  const target = sizes[video?.latents ?? ""];
  const factors = (video?.references ?? []).flatMap((source) => {
    const own = sizes[source];
    if (target === undefined || own === undefined) return [];
    return [{ source, ...(referenceFactors(target, own) ?? { space: 1, time: 1 }) }];
  });
  const [first] = factors;
  if (first === undefined) return {};
  const { space, time } = first;
  if (factors.some((other) => other.space !== space || other.time !== time))
    return { "ltxc.references": JSON.stringify(factors) };
  return {
    ...(space === 1 ? {} : { reference_downscale_factor: `${space}`, reference_spatial_scale_factor: `${space}` }),
    ...(time === 1 ? {} : { reference_temporal_scale_factor: `${time}` }),
  };
}
