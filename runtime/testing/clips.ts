/** Clips for tests, made by ffmpeg of its test patterns, and reading them as a whole. */
import { spawnSync } from "node:child_process";
import { cp, rename } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Finding } from "../findings.ts";
import { openClip, type Clip, type ClipOptions } from "../media/reading/clip.ts";
import type { RgbBytes } from "../media/pixels/resize.ts";
import { findMediaPrograms } from "../media/reading/programs.ts";

interface Read extends Omit<Clip, "frames"> {
  readonly pictures: readonly RgbBytes[];
  readonly warnings: readonly string[];
}

/** All frames of a clip, and the warnings about it. */
export async function readAll(path: string, options: Partial<ClipOptions> = {}): Promise<Read> {
  const warnings: string[] = [];
  const onWarning = ({ code, message }: Finding) => void warnings.push(`${code} ${message}`);
  const { frames, ...clip } = await openClip(path, {
    programs: findMediaPrograms(),
    most: null,
    onWarning,
    ...options,
  });
  const pictures: RgbBytes[] = [];
  for await (const picture of frames()) pictures.push(picture);
  return { ...clip, pictures, warnings };
}

export const joined = (pictures: readonly RgbBytes[]): Buffer => Buffer.concat(pictures.map(({ bytes }) => bytes));

/** What ffmpeg makes a clip of, and what is to be read of it. */
export type MadeClip = readonly [args: readonly string[], frames: number, size: string, fps: number];

/** Null where ffmpeg is not installed. */
export function clipMaking() {
  const programs = findMediaPrograms();
  if (programs === null) return null;
  const ffmpeg = (args: readonly string[]): Buffer => {
    const options = { maxBuffer: 2 ** 28 };
    const { stdout, stderr, status } = spawnSync(programs.ffmpeg, ["-nostdin", "-v", "error", "-y", ...args], options);
    assert.is(status, 0, `${args.join(" ")}: ${stderr.toString()}`);
    return stdout;
  };
  /** What ffmpeg itself reads: RGB bytes of all frames. */
  const raw = (path: string, more: readonly string[] = []): Buffer =>
    ffmpeg([...more, "-i", `file:${path}`, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]);
  return {
    programs,
    ffmpeg,
    raw,
    h264: ["-c:v", "libx264", "-pix_fmt", "yuv420p"],
    /** A moving test pattern. */
    source: (size: string, rate: string, frames: number): string[] =>
      ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}`].concat("-frames:v", String(frames)),
    /** Makes a clip and compares what is read of it with what ffmpeg reads. */
    async compare(root: string, name: string, [args, frames, size, fps]: MadeClip): Promise<void> {
      const [made, path] = [join(root, `made${name.slice(name.lastIndexOf("."))}`), join(root, name)];
      ffmpeg([...args, made]);
      await rename(made, path);
      const clip = await readAll(path);
      assert.is(clip.pictures.length, frames, name);
      assert.ok(
        clip.pictures.every(({ width, height }) => `${width}x${height}` === size),
        name,
      );
      assert.ok(Math.abs(clip.fps - fps) < 1e-9, `${name}: ${clip.fps}`);
      assert.equal(clip.warnings, [], name);
      await cp(path, made);
      assert.ok(joined(clip.pictures).equals(raw(made)), `${name} has other pixels`);
    },
  };
}
