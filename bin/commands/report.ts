import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseYaml, toPlain } from "../../compiler/1-parse/index.ts";
import { Bag } from "../../compiler/diagnostics/index.ts";
import { resolveConfig, type OutputPattern } from "../../runtime/config/index.ts";
import { isOwnPage, leadsOut } from "../../runtime/files/index.ts";
import { readSource } from "../shell/files.ts";
import type { Io } from "../shell/io.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { shellWord } from "../shell/text.ts";
import { page } from "../run-report/page.ts";
import { readRun } from "../run-report/read-run.ts";
import { say, sayJson, type Session } from "../shell/session.ts";
import { writeOutput } from "../shell/write.ts";

export interface ReportOptions {
  readonly out?: string;
}

const defaultConfig = "train.yaml";
const defaultFolder = "outputs";

async function folderHere(io: Io): Promise<string> {
  if (!existsSync(resolve(io.cwd, defaultConfig))) return defaultFolder;
  return (await folderOf(io, defaultConfig)) ?? defaultFolder;
}

/** The folder of the run of the run config `file`: of the newest one, where `output_dir` has a placeholder for the time; null if it is invalid. */
async function folderOf(io: Io, file: string): Promise<string | null> {
  const root = parseYaml(await readSource(io, file), new Bag(), "1.1");
  if (root === null) return null;
  const { config, outputs } = resolveConfig(toPlain(root), { configDirectory: dirname(resolve(io.cwd, file)) });
  const folder = outputs === null ? config?.output_dir : await newestOf(outputs);
  if (folder === null) throw new UsageError(`no folder that \`output_dir\` of ${file} could mean holds a run`);
  return folder === undefined ? null : relative(io.cwd, folder) || ".";
}

/** The folder that is meant by what the user named: a folder, or the run config of a run. */
async function folderNamed(io: Io, named: string): Promise<string> {
  if (!/\.ya?ml$/i.test(named) || !existsSync(resolve(io.cwd, named))) return named;
  const folder = await folderOf(io, named);
  if (folder !== null) return folder;
  throw new UsageError(`${named} is no valid run config`, `\`ltxc check ${shellWord(named)}\` says why`);
}

async function newestOf(outputs: OutputPattern): Promise<string | null> {
  const { newestRun } = await import("../../runtime/index.ts");
  return newestRun(outputs);
}

/** `ltxc report`: one HTML page that shows a run, even if the run is still going on or was cut short. */
export async function report(session: Session, named: string | undefined, options: ReportOptions): Promise<number> {
  const { io } = session;
  const folder = named === undefined ? await folderHere(io) : await folderNamed(io, named);
  const path = resolve(io.cwd, folder);
  const run = await readRun(path);
  if (run === null) {
    const problem = existsSync(path) ? "holds no metrics.jsonl" : "does not exist";
    throw new UsageError(`${folder} ${problem}`, "name the `output_dir` of a run");
  }
  const out = options.out ?? (await defaultPath(folder, path));
  if (await writeOutput(session, { option: "--out", path: out, isOwn: isOwnPage }, page(run))) return exitCode.ok;
  if (session.json) sayJson(session, { report: out });
  else if (session.quiet) io.out(`${out}\n`);
  else say(session, `${run.metrics.steps.length} steps of ${folder} → ${out}`);
  return exitCode.ok;
}

/** In the run's folder. Nobody has chosen where a link of that name leads to, so it is followed inside the folder alone. */
async function defaultPath(folder: string, absolute: string): Promise<string> {
  const path = join(folder, "report.html");
  const target = await leadsOut(absolute, join(absolute, "report.html"));
  if (target === null) return path;
  throw new UsageError(
    `${path} is a link that leads out of the run's folder, to ${target}`,
    "choose a file with `--out`",
  );
}
