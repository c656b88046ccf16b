/** Programs that read a file, run. No shell is involved: file names are arguments, whatever characters they have. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";

/**
 * Formats that hold pictures in the file itself. Others are not tried: playlists name further files, some formats are scripts, and text
 * files would become pictures of letters.
 */
const formats = [
  [
    "mov",
    "matroska",
    "avi",
    "mpegts",
    "mpeg",
    "mpegvideo",
    "m4v",
    "flv",
    "ogg",
    "asf",
    "mxf",
    "nut",
    "ivf",
    "wtv",
    "dv",
  ],
  ["h264", "hevc", "obu", "av1", "vc1", "mjpeg", "yuv4mpegpipe", "gif", "apng"],
  ["image2", "bmp_pipe", "dpx_pipe", "exr_pipe", "gif_pipe", "j2k_pipe", "jpeg_pipe", "jpegls_pipe", "jpegxl_pipe"],
  [
    "pam_pipe",
    "pbm_pipe",
    "pgm_pipe",
    "png_pipe",
    "ppm_pipe",
    "psd_pipe",
    "qoi_pipe",
    "sgi_pipe",
    "tiff_pipe",
    "webp_pipe",
  ],
].flat();

/** Options that stand before the file: of protocols only that of files is open, so nothing is fetched. */
export const guarded = ["-v", "error", "-protocol_whitelist", "file,pipe", "-format_whitelist", formats.join(",")];

/** The argument for a file: with a protocol in front, no name is taken for an option or for another protocol. */
export const fileArgument = (path: string): string => `file:${resolve(path)}`;

/**
 * A path of the file in which ffmpeg sees no pattern: `%03d` would stand for a series of pictures. `remove` takes away what was made for it.
 */
export async function plainName(path: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  if (!path.includes("%")) return { path, remove: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), "ltxc-media-"));
  const plain = join(folder, `media${extname(path).replaceAll(/[^.\w]/g, "")}`);
  await symlink(resolve(path), plain);
  return { path: plain, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** How a program ended, and the end of what it said on stderr. */
export interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** Starts a program that writes to its stdout; `ended` never fails. */
export function start(program: string, args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], shell: false });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)));
  const ended = new Promise<Ended>((done) => {
    child.on("error", (error) => done({ code: null, said: error.message }));
    child.on("close", (code) => done({ code, said: said.trim() }));
  });
  return { child, ended };
}

/** The last line of what a program said, without the name of the file, which the finding has. */
export function lastLine({ said, code }: Ended): string {
  const line = said.split("\n").findLast((each) => each.trim() !== "") ?? `exit code ${code}`;
  return line.replace(/^file:.*: (?=[^:]+$)/, "").replace(/^\[[^\]]*\] /, "");
}
