/** The system's `ffmpeg`, a program that is called without a shell: file names are arguments, whatever characters they have. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { systemProgram } from "../files/system-program.ts";
import { fail } from "../findings.ts";

/** How it is installed. */
export const installFfmpeg = "on Debian and Ubuntu `apt-get install ffmpeg`, on macOS `brew install ffmpeg`";

/** Why there is no video without it, and what to install. */
export const ffmpegMissing = {
  message: "the program `ffmpeg` is not installed, and it writes videos",
  help: `install it: ${installFfmpeg}; single frames become .png without it`,
};

/** The program's path; null where the system has none. */
export function findFfmpeg(path = process.env["PATH"] ?? ""): string | null {
  return systemProgram("ffmpeg", path);
}

interface VideoFormat {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

/** What ffmpeg takes for a rate: rates such as 23.976 are 24000/1001 in truth. */
export function rateOf(fps: number): string {
  const whole = Math.round(fps * 1.001);
  return Math.abs(whole / 1.001 - fps) < 5e-4 && !Number.isInteger(fps) ? `${whole * 1000}/1001` : String(fps);
}

/** As official scripts write videos: H.264 with 4:2:0 colours, quality 18. */
export function videoArguments({ width, height, fps }: VideoFormat, out: string): string[] {
  const input = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`, "-r", rateOf(fps), "-i", "pipe:0"];
  // Colours at half the resolution need even sizes.
  const even = width % 2 === 0 && height % 2 === 0 ? [] : ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"];
  const codec = ["-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", "-movflags", "+faststart"];
  // With a protocol in front, no name is taken for an option, another protocol or a pattern.
  return ["-hide_banner", "-v", "error", "-y", ...input, ...even, ...codec, "-f", "mp4", `file:${out}`];
}

/**
 * Writes frames of RGB bytes to a new file, `.mp4` whatever its name.
 * Errors: FindingsError LTX6811 with what ffmpeg says.
 */
export async function writeVideo(
  ffmpeg: string,
  out: string,
  format: VideoFormat,
  frames: AsyncIterable<Uint8Array>,
): Promise<void> {
  const child = spawn(ffmpeg, videoArguments(format, out), { stdio: ["pipe", "ignore", "pipe"], shell: false });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)));
  let failure: Error | null = null;
  child.on("error", (error) => (failure = error));
  // A program that ends early closes its input: its exit says why.
  child.stdin.on("error", () => undefined);
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => resolve(code));
    child.on("error", () => resolve(null));
  });
  try {
    for await (const frame of frames) {
      if (child.exitCode !== null || failure !== null || child.stdin.destroyed) break;
      if (!child.stdin.write(frame)) await Promise.race([once(child.stdin, "drain").catch(() => undefined), ended]);
    }
    child.stdin.end();
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
  const code = await ended;
  if (code === 0) return;
  const reason = (failure as Error | null)?.message ?? (said.trim().split("\n").at(-1) || `exit code ${code}`);
  fail("LTX6811", `ffmpeg could not write the video: ${reason}`, "`ffmpeg -encoders` lists libx264 where it can");
}
