import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { FileReport } from "../../compiler/diagnostics/index.ts";
import { FindingsError, type Finding } from "../../runtime/findings.ts";
import {
  encodeClip,
  findMediaPrograms,
  openEncoder,
  openEngine,
  parseBuckets,
  pictureEndings,
  writeLatents,
  type EncodedClip,
  type Encoding,
  type EngineName,
} from "../../runtime/index.ts";
import { reportWithoutLines } from "../project/findings.ts";
import { UsageError } from "../shell/exit.ts";
import { alreadyThere, endJobs, jobsOf, lengthText, type Job } from "../shell/jobs.ts";
import { createMomentLine, type MomentLine } from "../shell/moment-line.ts";
import { say, type Session } from "../shell/session.ts";
import { duration } from "../shell/text.ts";

export interface EncodeOptions {
  readonly vae: string;
  readonly out: string;
  readonly engine: EngineName | "auto";
  readonly format: "pt" | "safetensors";
  readonly resolutionBuckets?: string;
  readonly vaeTiling?: true;
  readonly rotation: boolean;
  readonly force?: true;
  readonly keep?: true;
}

/** What was made of a file. */
interface Made extends Omit<EncodedClip, "latents"> {
  readonly from: string;
  readonly path: string;
  readonly latents: readonly number[];
}

const taken = { endings: pictureEndings, what: "videos or pictures" };

/**
 * `ltxc encode`: videos and pictures as files of latents, each whole or not at all. A file that fails is said, and the others are made; when the
 * command is ended, what is made stays.
 */
export async function encode(session: Session, paths: readonly string[], options: EncodeOptions): Promise<number> {
  const { cwd } = session.io;
  const jobs = await jobsOf(cwd, paths, resolve(cwd, options.out), taken);
  const reports: FileReport[] = [];
  const made: Made[] = [];
  const line = createMomentLine(session);
  try {
    const { engine } = await openEngine(options.engine);
    const encoder = await openEncoder(engine, resolve(cwd, options.vae));
    const encoding: Encoding = {
      engine,
      encoder,
      programs: findMediaPrograms(session.io.env["PATH"]),
      fitting: fittingOf(options.resolutionBuckets, encoder),
      isTiled: options.vaeTiling === true,
      isTurned: options.rotation,
    };
    for (const [i, job] of jobs.entries()) {
      const path = `${job.stem}.${options.format}`;
      if (options.keep === true && existsSync(path)) continue;
      const progress = progressOf(line, `${relative(cwd, job.from)} (${i + 1} of ${jobs.length})`);
      const { result, findings } = await encodeOne(encoding, job, path, { isForced: options.force === true, progress });
      line.clear();
      if (findings.length > 0) reports.push(reportWithoutLines(relative(cwd, job.from), findings));
      if (result === null) continue;
      made.push(result);
      tell(session, result);
    }
    encoder.dispose();
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    reports.push(reportWithoutLines(options.vae, error.findings));
  } finally {
    line.clear();
  }
  return endJobs(session, reports, "encoded", made);
}

function fittingOf(text: string | undefined, { scaleFactors }: Encoding["encoder"]): Encoding["fitting"] {
  if (text === undefined) return { kind: "own" };
  const buckets = parseBuckets(text, scaleFactors);
  if (!("problem" in buckets)) return { kind: "buckets", buckets };
  const { time, height, width } = scaleFactors;
  const rule = `a width that is a multiple of ${width}, a height of ${height}, and ${time} n + 1 frames`;
  throw new UsageError(
    `\`--resolution-buckets\`: ${buckets.problem}`,
    `write ${rule}, such as 768x512x121;512x768x121`,
  );
}

interface OneOptions {
  readonly isForced: boolean;
  readonly progress: (done: number, of: number | null) => void;
}

async function encodeOne(
  encoding: Encoding,
  { from }: Job,
  path: string,
  { isForced, progress }: OneOptions,
): Promise<{ readonly result: Made | null; readonly findings: readonly Finding[] }> {
  if (!isForced && existsSync(path)) {
    const finding = alreadyThere(path, "replace it with `--force`, or leave it with `--keep`");
    return { result: null, findings: [finding] };
  }
  const warnings: Finding[] = [];
  try {
    const told = { onWarning: (finding: Finding) => void warnings.push(finding), onFrames: progress };
    const { latents, ...clip } = await encodeClip(encoding, from, told);
    await writeLatents(path, { latents, fps: clip.fps });
    return { result: { from, path, ...clip, latents: latents.shape }, findings: warnings };
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return { result: null, findings: [...warnings, ...error.findings] };
  }
}

/** Frames that are done, and how long the rest takes. */
function progressOf(line: MomentLine, name: string): OneOptions["progress"] {
  const began = performance.now();
  return (done, of) =>
    line.show(() => {
      if (of === null || done >= of) return `${name}: ${done} frames`;
      const seconds = (((performance.now() - began) / 1000) * (of - done)) / done;
      return `${name}: ${done} of ${of} frames, ${duration(seconds)} left`;
    });
}

function tell(session: Session, made: Made): void {
  const { path, width, height, latents } = made;
  const { io, quiet, json } = session;
  const file = relative(io.cwd, path);
  if (json) return;
  if (quiet) return io.out(`${file}\n`);
  say(session, `${file}: ${width} x ${height}, ${lengthText(made)}, latents [${latents.join(", ")}]`);
}
