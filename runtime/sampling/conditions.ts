import type { ValidationCondition } from "../config/index.ts";
import type { HostTensor, ScaleFactors, VideoGrid } from "../contract.ts";
import type { HostAudioLatents, HostTokenMask, HostVideoLatents } from "../data/sample.ts";
import { fail, type Finding } from "../findings.ts";
import { referenceFactors } from "../references.ts";
import { give, type Target } from "./target.ts";
import { audioTokens, videoTokens } from "./tokens.ts";

/** A condition, where it stands in the run config, and what its files hold. */
export interface ReadCondition<Latents> {
  readonly condition: ValidationCondition;
  readonly place: Finding["path"];
  readonly latents: Latents;
  readonly mask: HostTokenMask | null;
}

/** Latent steps of audio per second: 16 kHz, a hop of 160, a factor of 4. */
export const audioStepsPerSecond = 25;

const show = ({ frames, height, width }: VideoGrid): string => `${frames} x ${height} x ${width} latent cells`;

function misfit(place: Finding["path"], message: string, help: string): never {
  return fail("LTX6331", message, help, place);
}

/** Lays a condition other than a reference into a video of `grid`. Errors: FindingsError LTX6331 where it does not fit. */
export function giveVideo(
  target: Target,
  grid: VideoGrid,
  { condition, place, latents, mask }: ReadCondition<HostVideoLatents>,
  scale: ScaleFactors,
): void {
  checkSize(latents, grid, place);
  const tokens = videoTokens(latents.latents);
  const frameSize = grid.height * grid.width;
  const same = (isGiven: (n: number) => boolean) => {
    if (latents.frames < grid.frames) {
      const help = "name latents that are as long as the sample, or lower the sample's number of frames";
      misfit(place, `the condition has ${show(latents)}, the sample ${show(grid)}`, help);
    }
    give(target, tokens, (n) => (isGiven(n) ? n : null));
  };
  switch (condition.type) {
    case "first_frame":
      return give(target, tokens, (n) => (n < frameSize ? n : null));
    case "prefix": {
      const count = framesOf(condition, place, latents, scale, 1) * frameSize;
      return give(target, tokens, (n) => (n < count ? n : null));
    }
    case "suffix": {
      const count = framesOf(condition, place, latents, scale, 0) * frameSize;
      const [first, from] = [grid.frames * frameSize - count, latents.frames * frameSize - count];
      return give(target, tokens, (n) => (n >= first ? from + n - first : null));
    }
    case "spatial_crop":
      return same(insideOf(condition.spatial_region ?? [], grid, scale));
    case "mask":
      return same(keptBy(mask, grid.frames * frameSize, place));
    default:
      return same(() => true);
  }
}

function checkSize(latents: HostVideoLatents, grid: VideoGrid, place: Finding["path"]): void {
  if (latents.height === grid.height && latents.width === grid.width) return;
  const message = `the condition has ${show(latents)}, the sample ${show(grid)}`;
  misfit(place, message, "preprocess the condition at the sample's size, or correct `video_dims`");
}

/**
 * Latent frames that `num_frames` pixel frames make; all of the file's without it. A first latent frame covers `lead` = 1 pixel
 * frame, the others as many as the autoencoder's factor.
 */
function framesOf(
  { num_frames: pixels, type }: ValidationCondition,
  place: Finding["path"],
  { frames }: HostVideoLatents,
  { time }: ScaleFactors,
  lead: 0 | 1,
): number {
  if (pixels === undefined || pixels === null) return frames;
  const count = (pixels - lead) / time + lead;
  if (!Number.isInteger(count)) {
    const rule = lead === 1 ? `${time} n + 1` : `${time} n`;
    misfit(place, `a \`${type}\` of ${pixels} frames does not end with a latent frame`, `write ${rule} frames`);
  }
  if (count <= frames) return count;
  return misfit(place, `${pixels} frames are ${count} latent frames, the file has ${frames}`, "lower `num_frames`");
}

/** Whether token n lies in a region y1, x1, y2, x2 of pixels; latent cells that it cuts at their end belong to it no more. */
function insideOf(region: readonly number[], { height, width }: VideoGrid, scale: ScaleFactors) {
  const [y1 = 0, x1 = 0, y2 = 0, x2 = 0] = region;
  const cell = (pixel: number, factor: number, size: number) => Math.min(size, Math.max(0, Math.floor(pixel / factor)));
  const [top, bottom] = [cell(y1, scale.height, height), cell(y2, scale.height, height)];
  const [left, right] = [cell(x1, scale.width, width), cell(x2, scale.width, width)];
  return (n: number): boolean => {
    const [row, column] = [Math.floor(n / width) % height, n % width];
    return row >= top && row < bottom && column >= left && column < right;
  };
}

/** Whether a mask keeps token n. */
function keptBy(mask: HostTokenMask | null, tokens: number, place: Finding["path"]) {
  const { data } = mask?.mask ?? { data: new Float32Array() };
  if (data.length !== tokens) {
    const help = "a mask has one value per latent cell; preprocess it together with its clip";
    misfit(place, `the mask has ${data.length} values, the sample has ${tokens} tokens`, help);
  }
  return (n: number): boolean => (data[n] ?? 0) > 0.5;
}

/** Lays a condition other than a reference into audio of so many steps. Errors: FindingsError LTX6331 where it does not fit. */
export function giveAudio(target: Target, { condition, place, latents, mask }: ReadCondition<HostAudioLatents>): void {
  const steps = target.denoise.length;
  const tokens = audioTokens(latents.latents);
  const part = (): number => {
    const { duration } = condition;
    const count = typeof duration === "number" ? Math.round(duration * audioStepsPerSecond) : latents.steps;
    if (count <= latents.steps) return Math.min(count, steps);
    return misfit(place, `${duration} s are ${count} latent steps, the file has ${latents.steps}`, "lower `duration`");
  };
  if (condition.type === "prefix") {
    const count = part();
    return give(target, tokens, (n) => (n < count ? n : null));
  }
  if (condition.type === "suffix") {
    const count = part();
    return give(target, tokens, (n) => (n >= steps - count ? latents.steps - steps + n : null));
  }
  if (latents.steps < steps) {
    const help = "name latents that are as long as the sample, or lower the sample's number of frames";
    misfit(place, `the condition has ${latents.steps} latent steps of audio, the sample ${steps}`, help);
  }
  const isKept = condition.type === "mask" ? keptBy(mask, steps, place) : () => true;
  return give(target, tokens, (n) => (isKept(n) ? n : null));
}

/** The tokens of a reference. Errors: FindingsError LTX6331 where its size is not the fraction of the target's that it declares. */
export function referenceTokens(
  { condition, place, latents }: ReadCondition<HostVideoLatents>,
  grid: VideoGrid,
): HostTensor {
  const { downscale_factor: space = 1, temporal_scale_factor: time = 1 } = condition;
  const found = referenceFactors(grid, latents);
  const isSingle = grid.frames === 1 || latents.frames === 1;
  if (found !== null && found.space === space && (isSingle || found.time === time)) return videoTokens(latents.latents);
  const declared = `\`downscale_factor: ${space}\` and \`temporal_scale_factor: ${time}\``;
  const message = `the reference has ${show(latents)}, which is not what ${declared} make of the sample's ${show(grid)}`;
  return misfit(place, message, "correct the factors, or preprocess the reference for this size");
}
