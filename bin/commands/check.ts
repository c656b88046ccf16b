import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fixAll, type FileReport, type Applied } from "../../compiler/diagnostics/index.ts";
import { check as checkStrategy, compile } from "../../compiler/index.ts";
import { onOneLine, positionAt, sourceFile, type SourceFile } from "../../compiler/source/index.ts";
import { compileFile } from "../project/compile-file.ts";
import { strategyOf, type RunConfig, type StrategyConfig } from "../../runtime/config/index.ts";
import type { Finding } from "../../runtime/findings.ts";
import { flexible } from "../project/official-step.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { readEach, readSources, strategiesHere, strategyExtension } from "../shell/files.ts";
import { codeOf, printReport, type Format } from "../shell/print-findings.ts";
import { examineRunConfig, foundBy, type FoundStep } from "../project/run-config.ts";
import { defaultBuild, ownSources } from "../project/builds.ts";
import { forecastStep, stepOfFile } from "../project/forecast-step.ts";
import { toDiagnostics } from "../project/findings.ts";
import type { Io } from "../shell/io.ts";
import { libraryAt, pathsOf } from "../project/library.ts";
import { say, type Session } from "../shell/session.ts";
import type { Outlook } from "../plan/outlook.ts";
import { mergedReports, typeCheck } from "../project/type-check.ts";
import { replaceText } from "../shell/write.ts";

const defaultConfig = "train.yaml";

async function defaultFiles(io: Io): Promise<readonly string[]> {
  const config = existsSync(resolve(io.cwd, defaultConfig)) ? [defaultConfig] : [];
  const files = [...(await strategiesHere(io)), ...config];
  if (files.length > 0) return files;
  throw new UsageError(`there is no *.strategy file and no ${defaultConfig} in this folder`, "`ltxc init` makes both");
}

interface CheckedFile extends FileReport {
  /** Name of the strategy; null if a finding is an error. */
  readonly strategy: string | null;
}

async function checkFile(io: Io, source: SourceFile): Promise<CheckedFile> {
  const options = { library: libraryAt(io.cwd, source.path) };
  const checked = checkStrategy(source, options);
  // Only bundling shows whether its imports exist and can be read.
  const hasImports = checked.program !== null && checked.program.imports.length > 0;
  const { file, diagnostics, program } = hasImports ? await compile(source, options) : checked;
  return { file, diagnostics, strategy: program?.name ?? null };
}

/** The strategies that were named, and all others of this folder: a run config may name any of them. */
async function strategiesAround(io: Io, known: readonly CheckedFile[]): Promise<readonly CheckedFile[]> {
  const seen = new Set(known.map(({ file }) => resolve(io.cwd, file.path)));
  const others = (await strategiesHere(io)).filter((path) => !seen.has(resolve(io.cwd, path)));
  // One that cannot be read says so when it is checked itself.
  const { files } = await readEach(io, others);
  return [...known, ...(await Promise.all(files.map((file) => checkFile(io, file))))];
}

/** The strategy that a run config in the folder `config` names, compiled from its source as it is now. */
async function findStep(
  io: Io,
  { section, config }: { readonly section: StrategyConfig; readonly config: string },
  strategies: readonly CheckedFile[],
  reported: readonly CheckedFile[],
): Promise<FoundStep> {
  const { name } = strategyOf(section);
  const [meant] = await ownSources(name, io.cwd, config);
  const isMeant = ({ path }: SourceFile) => meant === undefined || resolve(io.cwd, path) === resolve(io.cwd, meant);
  const own = strategies.find(({ strategy, file }) => strategy === name && isMeant(file));
  const options = { build: resolve(io.cwd, defaultBuild), guard: null, config };
  if (own !== undefined && name !== flexible) return stepOfFile(io, own.file, options);
  const found = await forecastStep(io, section, options);
  // It may be one of the strategies with errors, which are reported already.
  const isUnclear = reported.some(({ strategy }) => strategy === null);
  return found.step === null && isUnclear ? { ...found, findings: [] } : found;
}

const isStrategy = (path: string) => path.endsWith(strategyExtension);

/** All findings about a run config, and about the data and files that it names. */
async function examine(
  io: Io,
  written: SourceFile,
  strategies: readonly CheckedFile[],
  overrides: readonly string[],
): Promise<FileReport & { readonly outlook: Outlook | null }> {
  const around = await strategiesAround(io, strategies);
  const options = { withFiles: true, isThorough: true, overrides };
  const config = dirname(resolve(io.cwd, written.path));
  const find = (section: StrategyConfig) => findStep(io, { section, config }, around, strategies);
  const examined = await examineRunConfig(io, written, find, options);
  const { file, diagnostics, ready, preflight, root } = examined;
  if (ready === null || preflight === null || root === null) return { file, diagnostics, outlook: null };
  const { outlookOf } = await import("../plan/outlook.ts");
  const { hopeless, memoryFindings } = await import("../plan/memory-check.ts");
  const tooMuch = await hopeless(ready.config, preflight);
  const { result: outlook, findings } =
    tooMuch.length > 0 ? { result: null, findings: tooMuch } : await foundBy(() => outlookOf(ready, preflight));
  const ofMemory = outlook === null ? [] : await memoryFindings({ ...ready, ...outlook }, preflight);
  const { result: ofEngine } = await foundBy(() => judgedEngine(ready.config));
  const more = toDiagnostics(file, root, [...findings, ...ofMemory, ...(ofEngine ?? [])]);
  return { file, diagnostics: [...diagnostics, ...more], outlook };
}

/** What there is to say of the engine that a run would take: settings without effect there, and another run's work that it would go on with. */
async function judgedEngine(config: RunConfig): Promise<readonly Finding[]> {
  const { plannedEngine } = await import("../plan/planned-engine.ts");
  const { offloadFindings } = await import("../plan/offload.ts");
  const { engineWarnings } = await import("../../runtime/index.ts");
  const { engine, insteadOf } = await plannedEngine(config);
  const ofOffload = offloadFindings(config, insteadOf ?? engine.name);
  if (insteadOf === "ltx-trainer") return ofOffload;
  const { name, provider, precision } = engine;
  const computed =
    insteadOf === null
      ? { engine: name, provider, precision }
      : { engine: insteadOf, provider: null, precision: "float32" };
  return [...(await engineWarnings(config, computed)), ...ofOffload];
}

/** Applies every fix, strategies before the run configs that name them; tells what was done. */
async function fix(io: Io, paths: readonly string[], overrides: readonly string[]): Promise<readonly string[]> {
  const done: string[] = [];
  for (const path of paths.toSorted((a, b) => Number(isStrategy(b)) - Number(isStrategy(a)))) {
    const [written] = (paths.length > 1 ? await readEach(io, [path]) : await readSources(io, [path])).files;
    // The check that follows says why it cannot be read.
    if (written === undefined) continue;
    const before = written.text;
    const { text, applied } = await fixAll(before, async (current) => {
      const file = sourceFile(path, current);
      const { diagnostics } = isStrategy(path) ? await checkFile(io, file) : await examine(io, file, [], overrides);
      // Mistakes in a base strategy or on the command line are not corrected in this file.
      return diagnostics.filter(({ span }) => span.start <= current.length);
    });
    if (text !== before) await replaceText(io, path, text);
    done.push(...applied.map(lineOf(path)));
  }
  return done;
}

/** `a.strategy:3:5: write `keep` (LTX2001)` */
const lineOf =
  (path: string) =>
  ({ diagnostic, fix: { title }, text }: Applied): string => {
    const { line, column } = positionAt(sourceFile(path, text), diagnostic.span.start);
    return `${onOneLine(path)}:${line}:${column}: ${title} (${diagnostic.code})`;
  };

export interface CheckOptions {
  readonly format?: Format;
  readonly types?: true;
  /** A TypeScript for `types`, which it implies. */
  readonly typescript?: string;
  readonly fix?: true;
  /** Settings that replace those of the run configs. */
  readonly set?: readonly string[];
}

/** What TypeScript says about strategies without errors, and about what they import. */
async function checkTypes(
  io: Io,
  checked: readonly CheckedFile[],
  typescript?: string,
): Promise<readonly FileReport[]> {
  const reports: FileReport[] = [];
  for (const { file, strategy } of checked) {
    const typed = strategy === null ? null : (await compileFile(io, file, defaultBuild)).typed;
    if (typed !== null) reports.push(...(await typeCheck(io, typed, typescript)));
  }
  return reports;
}

/** `ltxc check`: all findings about strategies, run configs, and the data and files that run configs name; with `fix`, those that remain. */
export async function check(session: Session, named: readonly string[], options: CheckOptions): Promise<number> {
  const { io } = session;
  const paths = named.length > 0 ? pathsOf(io, named) : await defaultFiles(io);
  const overrides = options.set ?? [];
  if (overrides.length > 0 && paths.every(isStrategy))
    throw new UsageError("`--set` changes settings of a run config, and only strategies are checked");
  const fixed = options.fix === true ? await fix(io, paths, overrides) : null;
  // Programs get an object, whatever can be read.
  const { files, unread } = await (session.json ? readEach : readSources)(io, paths);
  const checked: CheckedFile[] = [];
  for (const file of files) if (isStrategy(file.path)) checked.push(await checkFile(io, file));
  const hasTypes = options.types === true || options.typescript !== undefined;
  const types = hasTypes ? await checkTypes(io, checked, options.typescript) : [];
  const reports: FileReport[] = [...mergedReports([...checked, ...types])];
  const configs = [];
  for (const file of files) if (!isStrategy(file.path)) configs.push(await examine(io, file, checked, overrides));
  reports.push(...configs.map(({ file, diagnostics }) => ({ file, diagnostics })), ...unread);
  const format = options.format ?? (session.json ? "json" : "terminal");
  if (format === "terminal") for (const line of fixed ?? []) say(session, `fixed ${line}`);
  const outlooks = configs.flatMap(({ file, outlook }) => (outlook === null ? [] : [{ path: file.path, ...outlook }]));
  const read = new Set(files.map(({ path }) => path));
  const listed = paths.map((path) => ({ path, isRead: read.has(path) }));
  printReport(session, reports, format, { ...(fixed === null ? {} : { fixed }), named: listed, runs: outlooks });
  if (format === "terminal") await sayOutlooks(session, outlooks);
  if (format === "terminal") sayRest(session, reports, paths, fixed !== null);
  return files.length === 0 ? exitCode.usage : codeOf(reports);
}

async function sayOutlooks(
  session: Session,
  outlooks: readonly (Outlook & { readonly path: string })[],
): Promise<void> {
  const { outlookText } = await import("../plan/outlook.ts");
  for (const outlook of outlooks) say(session, outlookText(outlook.path, outlook));
}

/** Says that nothing was found, or how many findings `--fix` can correct. */
function sayRest(session: Session, reports: readonly FileReport[], paths: readonly string[], isFixed: boolean): void {
  const found = reports.flatMap(({ diagnostics }) => diagnostics);
  const fixable = found.filter(({ fix }) => fix !== undefined).length;
  if (found.length === 0) say(session, `no findings in ${paths.map(onOneLine).join(", ")}`);
  else if (fixable > 0 && !isFixed) say(session, `\`ltxc check --fix\` corrects ${fixable} of them`);
}
