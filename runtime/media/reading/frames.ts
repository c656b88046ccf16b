/** Frames of a video, decoded by `ffmpeg`. */
import { fail } from "../../findings.ts";
import type { MediaPrograms } from "./programs.ts";
import { fileArgument, guarded, lastLine, start, type Ended } from "./start-program.ts";
import type { RgbBytes } from "../pixels/resize.ts";
import { pictures } from "./ppm-stream.ts";

export interface FrameOptions {
  /** At most so many frames; null for all. */
  readonly most: number | null;
  /** Whether pictures are turned as the file asks for, as players do. */
  readonly isTurned: boolean;
}

/** ffmpeg is given up when it has not written anything for so long. */
const STALL_SECONDS = 120;

/**
 * All frames in the order in which they are shown, none doubled and none left out, each as it is in `ffmpeg -f rawvideo -pix_fmt rgb24`.
 * @param onDamage is told what ffmpeg said where it could not decode everything
 * Errors: FindingsError LTX6820 where not one frame can be read, LTX6824.
 */
export async function* framesByFfmpeg(
  { ffmpeg }: MediaPrograms,
  path: string,
  name: string,
  options: FrameOptions & { readonly onDamage: (said: string) => void },
): AsyncGenerator<RgbBytes> {
  // ffmpeg calls the option `-vsync` before its version 5.1, and does not know that name after 7.
  for (const timing of ["-fps_mode", "-vsync"]) {
    const { child, ended } = start(ffmpeg, frameArguments(path, timing, options));
    if (child.stdout === null) throw new Error("ffmpeg has no stdout");
    let count = 0;
    let isRead = false;
    try {
      for await (const picture of pictures(watched(child.stdout, name))) {
        count++;
        yield picture;
      }
      isRead = true;
    } finally {
      // Where nobody wants the rest: a stream that is not read to its end would never close.
      if (!isRead) {
        child.kill("SIGKILL");
        child.stdout.destroy();
      }
      await ended;
    }
    const end = await ended;
    if (count === 0 && timing === "-fps_mode" && /fps_mode/.test(end.said)) continue;
    return judge(end, count, name, options.onDamage);
  }
}

function frameArguments(path: string, timing: string, { most, isTurned }: FrameOptions): string[] {
  const turning = isTurned ? [] : ["-noautorotate"];
  const count = most === null ? [] : ["-frames:v", String(most)];
  // Each picture says how large it is.
  const output = ["-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "pipe:1"];
  const input = ["-nostdin", "-hide_banner", ...guarded, ...turning, "-i", fileArgument(path)];
  return [...input, "-map", "0:V:0", timing, "passthrough", ...count, ...output];
}

function judge(end: Ended, count: number, name: string, onDamage: (said: string) => void): void {
  if (count === 0) {
    const help = "if players show it, write it anew with `ffmpeg -i FILE NEW.mp4`, and name the new file";
    fail(
      "LTX6820",
      `not one frame of ${name} can be decoded: ${end.said === "" ? "it has none" : lastLine(end)}`,
      help,
    );
  }
  if (end.said !== "" || end.code !== 0) onDamage(lastLine(end));
}

/** What arrives, until nothing does for too long. */
async function* watched(output: NodeJS.ReadableStream, name: string): AsyncGenerator<Buffer> {
  const chunks = output[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const next = await withinTime(chunks.next(), STALL_SECONDS);
    if (next === null) {
      const help = "try `ffmpeg -i FILE -f null -` by hand; if it stops as well, the file is damaged";
      return fail("LTX6824", `${name}: ffmpeg decoded nothing for ${STALL_SECONDS} s, and was ended`, help);
    }
    if (next.done === true) return;
    yield next.value;
  }
}

async function withinTime<Value>(promise: Promise<Value>, seconds: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((done) => (timer = setTimeout(() => done(null), seconds * 1000)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
