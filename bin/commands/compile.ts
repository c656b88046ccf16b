import { join, resolve } from "node:path";
import { emitIr } from "../../compiler/index.ts";
import { didYouMean, toJson, type FileReport } from "../../compiler/diagnostics/index.ts";
import type { SourceFile } from "../../compiler/source/index.ts";
import { sourceOfConfig } from "../official-trainer/config-source.ts";
import { compileFile, compileFileToPython, type CompiledFile } from "../project/compile-file.ts";
import { isOwnBuild, isOwnFile } from "../shell/existing.ts";
import { UsageError } from "../shell/exit.ts";
import { readRunConfig, readSources, strategyPaths, type Sources } from "../shell/files.ts";
import type { Io } from "../shell/io.ts";
import { codeOf, printFindings } from "../shell/print-findings.ts";
import { refreshSchemas } from "./schema.ts";
import { libraryAt, pathsOf } from "../project/library.ts";
import { say, sayJson, type Session } from "../shell/session.ts";
import { mergedReports, typeCheck } from "../project/type-check.ts";
import { refuseNoFolder, refuseToReplace, replaceText } from "../shell/write.ts";

export interface CompileOptions {
  readonly out: string;
  readonly emit?: "ir";
  /** What runs the results; see `targetNames`. */
  readonly target: string;
  readonly types?: true;
  /** A TypeScript for `types`, which it implies. */
  readonly typescript?: string;
}

/** What strategies can be compiled for. */
const targetNames = ["ltxc", "ltx-trainer"] as const;

function refuseTarget({ target, types, typescript }: CompileOptions): void {
  if (!targetNames.some((name) => name === target)) {
    const known = targetNames.map((name) => `\`${name}\``).join(" and ");
    const help = didYouMean(target, targetNames) ?? `there are ${known}`;
    throw new UsageError(`there is no target \`${target}\` (LTX6606)`, help);
  }
  if (target === "ltxc" || (types !== true && typescript === undefined)) return;
  throw new UsageError("`--types` checks TypeScript, which only the target `ltxc` has", "leave one of the options out");
}

type Made = Pick<CompiledFile, "file" | "diagnostics" | "strategy" | "artifacts">;

/** Two strategies of the same name would overwrite each other's results, so this is refused. */
function refuseClashes(compiled: readonly Made[]): void {
  const owners = new Map<string, string>();
  for (const { strategy, file } of compiled) {
    if (strategy === null) continue;
    const other = owners.get(strategy);
    if (other !== undefined) {
      const help = "give one of them another name under `strategy:`";
      throw new UsageError(`${other} and ${file.path} are both named \`${strategy}\``, help);
    }
    owners.set(strategy, file.path);
  }
}

async function write(session: Session, out: string, { file, artifacts }: Made): Promise<void> {
  for (const { name, text } of artifacts)
    await replaceText(session.io, join(out, name), text, "choose another folder with `--out`");
  const made = artifacts.filter(({ name }) => !name.endsWith(".map")).map(({ name }) => join(out, name));
  if (made.length > 0) say(session, `${file.path} → ${made.join(", ")}`);
}

/** Prints the typed programs on stdout and findings on stderr; writes no file. */
function printIr(session: Session, files: readonly SourceFile[], unread: readonly FileReport[]): number {
  const results = files.map((file) => emitIr(file, { library: libraryAt(session.io.cwd, file.path) }));
  for (const { text } of results) if (text !== null) session.io.out(`${text.trimEnd()}\n`);
  printFindings(session, [...results, ...unread]);
  return codeOf([...results, ...unread]);
}

function report(session: Session, out: string, compiled: readonly Made[], others: readonly FileReport[]): number {
  const reports = mergedReports([...compiled, ...others]);
  if (!session.json) printFindings(session, reports);
  else {
    const artifacts = compiled.flatMap((each) => each.artifacts.map(({ name }) => join(out, name)));
    sayJson(session, { ...toJson(reports), artifacts });
  }
  return codeOf(reports);
}

/** The strategies that were named; for the official trainer also by a run config. */
async function sourcesOf(io: Io, named: readonly string[], { target, emit }: CompileOptions): Promise<Sources> {
  const isConfig = (path: string) => target === "ltx-trainer" && emit === undefined && /\.ya?ml$/i.test(path);
  const configs = named.filter(isConfig);
  const others = named.filter((path) => !isConfig(path));
  const read =
    configs.length > 0 && others.length === 0
      ? { files: [], unread: [] }
      : await readSources(io, await strategyPaths(io, pathsOf(io, others), "compile"));
  const found = [];
  for (const path of configs) found.push(await sourceOfConfig(io, await readRunConfig(io, path, "compile")));
  return {
    files: [...read.files, ...found.flatMap(({ source }) => source ?? [])],
    unread: [...read.unread, ...found.map(({ report }) => report)],
  };
}

/** Files of a build of which most are ours: one that is damaged is ours as well, since they were written together. */
async function isRestOfBuild(io: Io, paths: readonly string[]): Promise<boolean> {
  const own = await Promise.all(paths.map((path) => isOwnFile(resolve(io.cwd, path), isOwnBuild)));
  return own.filter((is) => is).length > paths.length / 2;
}

/** `ltxc compile`: turns strategies into build artifacts. Those without errors are written even if others have errors. */
export async function compile(session: Session, named: readonly string[], options: CompileOptions): Promise<number> {
  const { io } = session;
  refuseTarget(options);
  const { files, unread } = await sourcesOf(io, named, options);
  if (options.emit === "ir") return printIr(session, files, unread);
  await refuseNoFolder(io, "--out", options.out);
  const compiled: Made[] = [];
  const types: FileReport[] = [];
  for (const file of files) {
    if (options.target === "ltx-trainer") {
      compiled.push(compileFileToPython(io, file));
      continue;
    }
    const made = await compileFile(io, file, options.out);
    const hasTypes = options.types === true || options.typescript !== undefined;
    const found = hasTypes && made.typed !== null ? await typeCheck(io, made.typed, options.typescript) : [];
    types.push(...found);
    compiled.push(found.length === 0 ? made : { ...made, artifacts: [] });
  }
  refuseClashes(compiled);
  for (const { artifacts } of compiled) {
    const paths = artifacts.map(({ name }) => join(options.out, name));
    if (!(await isRestOfBuild(io, paths))) await refuseToReplace(io, "--out", paths, isOwnBuild);
  }
  for (const each of compiled) await write(session, options.out, each);
  await refreshSchemas(io);
  return report(session, options.out, compiled, [...types, ...unread]);
}
