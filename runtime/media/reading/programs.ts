/** `ffprobe` and `ffmpeg`, the programs that read videos and most pictures. */
import { systemProgram } from "../../files/system-program.ts";
import { fail } from "../../findings.ts";
import { installFfmpeg } from "../ffmpeg.ts";

/** Paths of the two programs, which come together. */
export interface MediaPrograms {
  readonly ffprobe: string;
  readonly ffmpeg: string;
}

/** Null where one of them is missing. */
export function findMediaPrograms(path = process.env["PATH"] ?? ""): MediaPrograms | null {
  const [ffprobe, ffmpeg] = [systemProgram("ffprobe", path), systemProgram("ffmpeg", path)];
  return ffprobe === null || ffmpeg === null ? null : { ffprobe, ffmpeg };
}

/** Errors: FindingsError LTX6821 where there are no programs. */
export function needed(programs: MediaPrograms | null, path: string): MediaPrograms {
  if (programs !== null) return programs;
  const help = `install it: ${installFfmpeg}; .png pictures are read without it`;
  return fail("LTX6821", `${path} is read by the programs \`ffprobe\` and \`ffmpeg\`, which are not installed`, help);
}
