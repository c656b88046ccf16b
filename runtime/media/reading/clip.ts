/** Videos and pictures as frames of RGB bytes. */
import { readBeginning, readBytes, unreadable } from "../../files/regular-file.ts";
import { fail, FindingsError, type Finding } from "../../findings.ts";
import { profileOfPng, readProfile } from "./colour-profile.ts";
import { chunkOfPng, decodePng, isPng, PngError, readPngHeader } from "./decode-png.ts";
import { framesByFfmpeg, type FrameOptions } from "./frames.ts";
import { upright } from "./orientation.ts";
import { headOfPicture, isAnimatedWebp, orientationIn } from "./picture-head.ts";
import type { RgbBytes } from "../pixels/resize.ts";
import { checkSize, MOST_PIXELS, other, probe } from "./probe.ts";
import { needed, type MediaPrograms } from "./programs.ts";
import { plainName } from "./start-program.ts";

/** By which a folder's videos and pictures are told from its other files. */
export const pictureEndings: readonly string[] =
  ".mp4 .mov .m4v .mkv .webm .avi .mpg .mpeg .ts .mts .m2ts .flv .wmv .ogv .3gp .gif .apng .png .jpg .jpeg .webp .bmp .tif .tiff".split(
    " ",
  );

export interface ClipOptions {
  /** Null where they are not installed: then only PNG pictures are read. */
  readonly programs: MediaPrograms | null;
  /** At most so many frames, from the first one on; null for all. */
  readonly most: number | null;
  /** Whether frames are turned as the file asks for (the default), as players show them. */
  readonly isTurned?: boolean;
  /** Is told of what does not stop the reading, such as frames that can not be decoded. */
  readonly onWarning: (finding: Finding) => void;
}

export interface Clip {
  /** Of a picture 1, as officially; else the average rate of the file, else its nominal one, else 24. */
  readonly fps: number;
  /** A picture, not a video. */
  readonly isPicture: boolean;
  /** What the file says it has, for progress: it may be wrong. Null where it does not say. */
  readonly claimed: number | null;
  /** All frames, in the order in which they are shown; all have the size of the first. */
  frames(): AsyncGenerator<RgbBytes>;
}

/**
 * Opens a video or a picture, which is recognised by its first bytes.
 * Errors: FindingsError LTX6820 for a file that is none or can not be decoded, LTX6821 without ffmpeg, LTX6823 for too large a picture,
 * LTX6824 where ffmpeg hangs; also while frames are read.
 */
export async function openClip(path: string, given: ClipOptions): Promise<Clip> {
  const head = await headOf(path);
  const options = { ...given, onWarning: once(given.onWarning) };
  if (isPng(head) && !/\.apng$/i.test(path)) return pngClip(path, head, options);
  const programs = needed(options.programs, path);
  const photo = await headOfPicture(path, head);
  const plain = await plainName(path);
  const found = await probe(programs, plain.path, path)
    .catch((error: unknown) => (isAnimatedWebp(head) ? refuseAnimatedWebp(path) : Promise.reject(error as Error)))
    .finally(plain.remove);
  const isPicture = photo !== null || found.isPicture;
  const isTurned = options.isTurned !== false;
  return {
    fps: isPicture ? 1 : found.fps,
    isPicture,
    claimed: isPicture ? 1 : found.frames,
    async *frames() {
      // Releases of ffmpeg differ in whether they turn photos: it is done here.
      const settings = { most: isPicture ? 1 : options.most, isTurned: isTurned && photo === null };
      const given = { programs, path, onWarning: options.onWarning, claimed: found.frames };
      for await (const picture of fromFfmpeg(given, settings)) {
        const turned = photo !== null && isTurned ? upright(picture, photo.orientation) : picture;
        const profile = photo?.profile ?? null;
        yield profile === null ? turned : inSrgb(turned, profile, path, options.onWarning);
      }
    },
  };
}

/** A clip may be read twice, first to measure it: what is wrong with it is told once. */
function once(onWarning: ClipOptions["onWarning"]): ClipOptions["onWarning"] {
  const told = new Set<string>();
  return (finding) => {
    if (!told.has(finding.code)) onWarning(finding);
    told.add(finding.code);
  };
}

function refuseAnimatedWebp(path: string): never {
  const help = "make a video or a GIF of it first, or take what it was made of";
  return fail("LTX6820", `${path} is an animated WebP, which this ffmpeg can not decode`, help);
}

interface FromFfmpeg extends Pick<ClipOptions, "onWarning"> {
  readonly programs: MediaPrograms;
  readonly path: string;
  readonly claimed: number | null;
}

async function* fromFfmpeg({ programs, path, onWarning, claimed }: FromFfmpeg, settings: FrameOptions) {
  const plain = await plainName(path);
  let count = 0;
  let said: string | null = null;
  try {
    const onDamage = (what: string) => void (said = what);
    for await (const picture of framesByFfmpeg(programs, plain.path, path, { ...settings, onDamage })) {
      count++;
      yield picture;
    }
  } finally {
    await plain.remove();
  }
  if (said === null) return;
  const of = claimed !== null && claimed > count ? ` of the ${claimed} that it claims to have` : "";
  const message = `${path} is damaged: ${count} frame${count === 1 ? " was" : "s were"} read${of}; ffmpeg says: ${String(said)}`;
  const help = "look at the file, and replace or remove it if frames are missing or broken";
  onWarning({ code: "LTX6822", severity: "warning", path: [], message, help });
}

/** So much of a file has its kind, and the EXIF data of a photo. */
const HEAD_BYTES = 2 ** 18;

async function headOf(path: string): Promise<Buffer> {
  try {
    const head = await readBeginning(path, HEAD_BYTES);
    return head.length > 0 ? head : fail("LTX6820", `${path} is empty`, other);
  } catch (error) {
    const reason = error instanceof FindingsError ? null : unreadable(error);
    if (reason === null) throw error;
    return fail("LTX6820", `${path} ${reason.problem}`, reason.help);
  }
}

/** A PNG file of the largest picture with 16 bits, not compressed. */
const PNG_BYTES = 8.1 * MOST_PIXELS;

/** Throws FindingsError LTX6820 in place of PngError. */
async function whole<Value>(path: string, read: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PngError)) throw error;
    return fail("LTX6820", `${path} is no whole PNG picture: ${error.message}`, other);
  }
}

/** A picture whose colours a profile describes; a warning where they can not be computed. */
function inSrgb(picture: RgbBytes, icc: Buffer, path: string, onWarning: ClipOptions["onWarning"]): RgbBytes {
  const profile = readProfile(icc);
  if (profile === null) return picture;
  if (profile.toSrgb !== null) return profile.toSrgb(picture);
  const message = `${path} has the colour profile "${profile.name}", which is not converted here: its colours are taken as sRGB`;
  const help = "save it as sRGB in an editor for pictures first, if its colours matter";
  onWarning({ code: "LTX6840", severity: "warning", path: [], message, help });
  return picture;
}

function warnOfTransparency(path: string, onWarning: ClipOptions["onWarning"]): void {
  const message = `${path} is transparent in places, and is read without it: these get the colours that are stored there`;
  const help = "save it without transparency, on the background that you want";
  onWarning({ code: "LTX6841", severity: "warning", path: [], message, help });
}

async function pngClip(path: string, head: Buffer, { isTurned, onWarning }: ClipOptions): Promise<Clip> {
  const { width, height } = await whole(path, () => readPngHeader(head));
  checkSize(width, height, path);
  return {
    fps: 1,
    isPicture: true,
    claimed: 1,
    async *frames() {
      const bytes = await readBytes(path, PNG_BYTES);
      yield await whole(path, () => {
        const exif = isTurned === false ? null : chunkOfPng(bytes, "eXIf");
        const { isTransparent, ...pixels } = decodePng(bytes);
        if (isTransparent) warnOfTransparency(path, onWarning);
        const picture = upright(pixels, exif === null ? 1 : orientationIn(exif));
        const chunk = chunkOfPng(bytes, "iCCP");
        const profile = chunk && profileOfPng(chunk);
        return profile === null ? picture : inSrgb(picture, profile, path, onWarning);
      });
    },
  };
}
