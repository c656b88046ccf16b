import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { FileReport } from "../../compiler/diagnostics/reporters/report.ts";
import { check as checkStrategy } from "../../compiler/index.ts";
import type { SourceFile } from "../../compiler/source/source-file.ts";
import { compileFile, stepOf } from "../compiled.ts";
import { UsageError } from "../exit.ts";
import { readSource, strategiesHere, strategyExtension } from "../files.ts";
import { codeOf, printReport, type Format } from "../report.ts";
import { examineRunConfig, type FoundStep } from "../run-config.ts";
import { defaultBuild, findBuild } from "../builds.ts";
import type { Io } from "../io.ts";
import { say, type Session } from "../session.ts";

const defaultConfig = "train.yaml";

async function defaultFiles(io: Io): Promise<readonly string[]> {
  const config = existsSync(resolve(io.cwd, defaultConfig)) ? [defaultConfig] : [];
  const files = [...(await strategiesHere(io)), ...config];
  if (files.length > 0) return files;
  throw new UsageError(`there is no *.strategy file and no ${defaultConfig} in this folder`, "`ltxc init` makes both");
}

interface CheckedFile extends FileReport {
  /** Name of the strategy; null where anything is an error. */
  readonly strategy: string | null;
}

function checkFile(file: SourceFile): CheckedFile {
  const { diagnostics, program } = checkStrategy(file);
  return { file, diagnostics, strategy: program?.name ?? null };
}

/** Those that were named and those of this folder, which a run config may name. */
async function strategiesAround(io: Io, known: readonly CheckedFile[]): Promise<readonly CheckedFile[]> {
  const seen = new Set(known.map(({ file }) => resolve(io.cwd, file.path)));
  const others = (await strategiesHere(io)).filter((path) => !seen.has(resolve(io.cwd, path)));
  return [...known, ...(await Promise.all(others.map(async (path) => checkFile(await readSource(io, path)))))];
}

/** The strategy that a run config names: from its source as it is now, else from its build. */
async function findStep(io: Io, name: string, strategies: readonly CheckedFile[]): Promise<FoundStep> {
  const own = strategies.find(({ strategy }) => strategy === name);
  if (own !== undefined) return { step: await stepOf(await compileFile(io, own.file, defaultBuild)), findings: [] };
  const found = await findBuild(name, resolve(io.cwd, defaultBuild), io.cwd);
  // It may well be one of those with errors, which are reported already.
  const isUnclear = strategies.some(({ strategy }) => strategy === null);
  return found.step === null && isUnclear ? { step: null, findings: [] } : found;
}

/** `ltxc check`: all findings of strategies, run configs, and the data and files that these name. */
export async function check(session: Session, named: readonly string[], format: Format | undefined): Promise<number> {
  const { io } = session;
  const paths = named.length > 0 ? named : await defaultFiles(io);
  const isStrategy = (path: string) => path.endsWith(strategyExtension);
  const checked: CheckedFile[] = [];
  for (const path of paths.filter(isStrategy)) checked.push(checkFile(await readSource(io, path)));
  const reports: FileReport[] = [...checked];
  for (const path of paths.filter((path) => !isStrategy(path))) {
    const file = await readSource(io, path);
    const around = await strategiesAround(io, checked);
    const { diagnostics } = await examineRunConfig(io, file, (name) => findStep(io, name, around), { withFiles: true });
    reports.push({ file, diagnostics });
  }
  const chosen = format ?? (session.json ? "json" : "terminal");
  printReport(session, reports, chosen);
  if (chosen === "terminal" && reports.every(({ diagnostics }) => diagnostics.length === 0)) {
    say(session, `no findings in ${paths.join(", ")}`);
  }
  return codeOf(reports);
}
