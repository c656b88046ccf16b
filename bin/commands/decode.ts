import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { FileReport } from "../../compiler/diagnostics/index.ts";
import { FindingsError, type Finding } from "../../runtime/findings.ts";
import {
  findFfmpeg,
  nameOfDecoded,
  openDecoder,
  openEngine,
  readLatents,
  usualTiling,
  writeDecoded,
  type Decoded,
  type Decoding,
  type EngineName,
} from "../../runtime/index.ts";
import { reportWithoutLines } from "../project/findings.ts";
import { alreadyThere, endJobs, jobsOf, lengthText, type Job } from "../shell/jobs.ts";
import { say, type Session } from "../shell/session.ts";

export interface DecodeOptions {
  readonly vae: string;
  readonly out: string;
  readonly engine: EngineName | "auto";
  readonly seed: number;
  readonly force?: true;
}

const taken = { endings: [".pt", ".safetensors"], what: "files of latents (.pt, .safetensors)" };

/** `ltxc decode`: files of video latents as videos and pictures. A file that fails is said, and the others are made. */
export async function decode(session: Session, paths: readonly string[], options: DecodeOptions): Promise<number> {
  const { cwd } = session.io;
  const out = resolve(cwd, options.out);
  const jobs = await jobsOf(cwd, paths, out, taken);
  const vae = resolve(cwd, options.vae);
  const reports: FileReport[] = [];
  const made: (Decoded & { readonly from: string })[] = [];
  try {
    const { engine } = await openEngine(options.engine);
    const decoder = await openDecoder(engine, vae, { seed: options.seed });
    const decoding: Decoding = { decoder, ffmpeg: findFfmpeg(session.io.env["PATH"]), tiling: usualTiling };
    for (const job of jobs) {
      const result = await decodeOne(decoding, job, options.force === true);
      if (!("findings" in result)) made.push({ ...result, from: job.from });
      else reports.push(reportWithoutLines(relative(cwd, job.from), result.findings));
      if (!("findings" in result) && !session.json) tell(session, result);
    }
    decoder.dispose();
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    reports.push(reportWithoutLines(options.vae, error.findings));
  }
  return endJobs(session, reports, "decoded", made);
}

async function decodeOne(
  decoding: Decoding,
  { from, stem }: Job,
  isForced: boolean,
): Promise<Decoded | { readonly findings: readonly Finding[] }> {
  try {
    const latents = await readLatents(from, decoding.decoder.latentChannels);
    const path = nameOfDecoded(stem, latents);
    if (!isForced && existsSync(path)) return { findings: [alreadyThere(path, "or replace it with `--force`")] };
    return await writeDecoded(decoding, latents, stem);
  } catch (error) {
    if (error instanceof FindingsError) return error;
    throw error;
  }
}

function tell(session: Session, decoded: Decoded): void {
  const { path, width, height } = decoded;
  const { io, quiet } = session;
  const file = relative(io.cwd, path);
  if (quiet) return io.out(`${file}\n`);
  say(session, `${file}: ${width} x ${height}, ${lengthText(decoded)}`);
}
