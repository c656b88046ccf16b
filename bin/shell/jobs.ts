/** Commands that make a file of each file: those named on the command line, all of a folder, and where each result goes. */
import { statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import type { FileReport } from "../../compiler/diagnostics/index.ts";
import type { Finding } from "../../runtime/findings.ts";
import { exitCode, UsageError } from "./exit.ts";
import { codeOf, printFindings, printReport } from "./print-findings.ts";
import type { Session } from "./session.ts";

/** A file, and what its result is called, without the ending. */
export interface Job {
  readonly from: string;
  readonly stem: string;
}

/** What a command takes. */
interface Taken {
  /** Of a folder, the files with these endings, in lower case; a file that is named may have any. */
  readonly endings: readonly string[];
  /** "files of latents" */
  readonly what: string;
}

/**
 * The jobs for paths: of a folder all below it, links not followed, with the same folders below `out`.
 * @throws UsageError for a path that leads to nothing, and for two files that would become the same
 */
export async function jobsOf(cwd: string, paths: readonly string[], out: string, taken: Taken): Promise<Job[]> {
  const jobs = (await Promise.all(paths.map((path) => jobsAt(cwd, path, out, taken)))).flat();
  refuseDoubles(jobs, cwd);
  return jobs;
}

async function jobsAt(cwd: string, named: string, out: string, { endings, what }: Taken): Promise<Job[]> {
  const path = resolve(cwd, named);
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) throw new UsageError(`${named} does not exist`, `name ${what}, or a folder of them`);
  const stem = (file: string) => basename(file, extname(file));
  if (!info.isDirectory()) return [{ from: path, stem: join(out, stem(path)) }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => endings.includes(extname(file).toLowerCase()))
    .toSorted();
  if (files.length === 0) throw new UsageError(`${named} holds no ${what}`, `name a folder of ${what}`);
  return files.map((from) => ({ from, stem: join(out, dirname(relative(path, from)), stem(from)) }));
}

function refuseDoubles(jobs: readonly Job[], cwd: string): void {
  const seen = new Map<string, string>();
  for (const { from, stem } of jobs) {
    const other = seen.get(stem);
    if (other !== undefined) {
      const [a, b] = [relative(cwd, other), relative(cwd, from)];
      throw new UsageError(
        `${a} and ${b} would become the same file`,
        "take them one after another, with other `--out`",
      );
    }
    seen.set(stem, from);
  }
}

/** That a result would replace a file. `ways`: what the command's other options do about it. */
export function alreadyThere(path: string, ways: string): Finding {
  const help = `choose another folder with \`--out\`, ${ways}`;
  return { code: "LTX6814", severity: "error", path: [], message: `${path} is there already`, help };
}

/** What a command has made, and of which file. */
interface Made {
  readonly from: string;
  readonly path: string;
}

/**
 * The end of such a command: what was found, with `--json` what was made too, below `name`.
 * @returns the exit code
 */
export function endJobs(session: Session, reports: readonly FileReport[], name: string, made: readonly Made[]): number {
  const here = (path: string) => relative(session.io.cwd, path);
  if (session.json) {
    const shown = made.map((each) => ({ ...each, from: here(each.from), path: here(each.path) }));
    printReport(session, reports, "json", { [name]: shown });
  } else if (reports.length > 0) printFindings(session, reports);
  return reports.length > 0 ? codeOf(reports) : exitCode.ok;
}

/** As in "97 frames, 24 per second". */
export const lengthText = ({ frames, fps }: { readonly frames: number; readonly fps: number }): string =>
  frames === 1 ? "1 frame" : `${frames} frames, ${Number(fps.toFixed(3))} per second`;
