import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { writeTextAtomically } from "../../runtime/files/index.ts";
import { FindingsError } from "../../runtime/findings.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { page } from "../run-report/page.ts";
import { readRun } from "../run-report/read-run.ts";
import { say, sayJson, type Session } from "../shell/session.ts";

export interface ReportOptions {
  readonly out?: string;
}

/** `ltxc report`: one HTML page that shows a run, even if the run is still going on or was cut short. */
export async function report(session: Session, folder: string, options: ReportOptions): Promise<number> {
  const { io } = session;
  const path = resolve(io.cwd, folder);
  const run = await readRun(path);
  if (run === null) {
    const problem = existsSync(path) ? "holds no metrics.jsonl" : "does not exist";
    throw new UsageError(`${folder} ${problem}`, "name the `output_dir` of a run");
  }
  const out = options.out ?? join(folder, "report.html");
  await write(resolve(io.cwd, out), page(run));
  if (session.json) sayJson(session, { report: out });
  else if (session.quiet) io.out(`${out}\n`);
  else say(session, `${run.metrics.steps.length} steps of ${folder} → ${out}`);
  return exitCode.ok;
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeTextAtomically(path, text);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    throw new UsageError(error.findings[0]?.message ?? "", "choose another file with `--out`");
  }
}
