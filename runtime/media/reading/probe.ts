/** What a file of a video says of itself, read by `ffprobe`. */
import { fail } from "../../findings.ts";
import type { MediaPrograms } from "./programs.ts";
import { fileArgument, guarded, lastLine, start } from "./start-program.ts";

/** Of the first video stream; a cover picture of a song is none. */
interface Probed {
  /** As stored: before a rotation that the file asks for. */
  readonly width: number;
  readonly height: number;
  /** The average rate, else the nominal one, else 24. */
  readonly fps: number;
  /** How many frames the file claims to have, or seems to have by its duration; null where it does not say. */
  readonly frames: number | null;
  /** A format of single pictures. */
  readonly isPicture: boolean;
}

/** Larger pictures are refused before memory is taken for them: four times 8K video. */
export const MOST_PIXELS = 2 ** 27;

/** How long a file may take until it is known what it is. */
const PROBE_SECONDS = 60;

const questions = "stream=width,height,avg_frame_rate,r_frame_rate,nb_frames,duration:format=format_name,duration";

/** @param path one without `%`. Errors: FindingsError LTX6820 for a file without video, LTX6823, LTX6824. */
export async function probe({ ffprobe }: MediaPrograms, path: string, name: string): Promise<Probed> {
  const args = [...guarded, "-select_streams", "V:0", "-show_entries", questions, "-of", "json", fileArgument(path)];
  const { child, ended } = start(ffprobe, args);
  let answer = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
    // A dozen short values: more is no answer to the question.
    if (answer.length > 1_000_000) child.kill("SIGKILL");
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, PROBE_SECONDS * 1000);
  const end = await ended;
  clearTimeout(timer);
  if (isLate) return fail("LTX6824", `${name}: ffprobe had not read the file's head after ${PROBE_SECONDS} s`, slow);
  if (end.code !== 0) return fail("LTX6820", `${name} can not be read as a video or picture: ${lastLine(end)}`, other);
  return probed(JSON.parse(answer || "{}") as Answer, name);
}

const slow = "try `ffprobe` on it by hand; if it takes as long, write the file anew with `ffmpeg -i FILE NEW.mp4`";
export const other = "name a file of a video or of a picture, such as .mp4, .mkv, .webm, .png or .jpg";

interface Answer {
  readonly streams?: readonly Readonly<Record<string, unknown>>[];
  readonly format?: Readonly<Record<string, unknown>>;
}

function probed({ streams = [], format = {} }: Answer, name: string): Probed {
  const stream = streams[0];
  if (stream === undefined) return fail("LTX6820", `${name} holds no video`, other);
  const [width, height] = [Number(stream["width"] ?? 0), Number(stream["height"] ?? 0)];
  if (!(width > 0 && height > 0)) return fail("LTX6820", `${name} does not say how large its pictures are`, other);
  checkSize(width, height, name);
  const fps = rate(stream["avg_frame_rate"]) ?? rate(stream["r_frame_rate"]) ?? 24;
  const counted = positive(stream["nb_frames"]);
  const seconds = positive(stream["duration"]) ?? positive(format["duration"]);
  const frames = counted ?? (seconds === null ? null : Math.max(1, Math.round(seconds * fps)));
  const kind = String(format["format_name"] ?? "");
  return { width, height, fps, frames, isPicture: kind === "image2" || kind.endsWith("_pipe") };
}

/** Errors: FindingsError LTX6823. */
export function checkSize(width: number, height: number, name: string): void {
  if (width * height <= MOST_PIXELS) return;
  const help = `make it smaller first: at most ${MOST_PIXELS} pixels are read`;
  fail("LTX6823", `${name} has pictures of ${width} x ${height} pixels`, help);
}

function positive(value: unknown): number | null {
  const number = Number(value ?? NaN);
  return Number.isFinite(number) && number > 0 ? number : null;
}

/** A rate such as 30000/1001. */
function rate(text: unknown): number | null {
  const [above = NaN, below = 1] = String(text ?? "")
    .split("/")
    .map(Number);
  return positive(above / below);
}
