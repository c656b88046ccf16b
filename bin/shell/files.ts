import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { entryOf, suggest, type Diagnostic, type FileReport } from "../../compiler/diagnostics/index.ts";
import { onOneLine, sourceFile, type SourceFile } from "../../compiler/source/index.ts";
import { describeFile, isGarbled, readText, unreadable } from "../../runtime/files/index.ts";
import { UsageError } from "./exit.ts";
import type { Io } from "./io.ts";
import { shellWord } from "./text.ts";

export const strategyExtension = ".strategy";

/** A file that was named, and holds something else than text. */
class OtherContent extends UsageError {}

/**
 * Reads a file that the user named; its path stays as typed. It may be in UTF-8 or UTF-16.
 * Throws `UsageError` if it cannot be read, or is no text: it then says what it is.
 */
export async function readSource(io: Io, path: string, missingHelp: string | null = null): Promise<SourceFile> {
  const absolute = resolve(io.cwd, path);
  try {
    const text = await readText(absolute);
    const start = text.slice(0, 4096);
    if (start.includes("\0") || isGarbled(start)) throw await otherContent(path, absolute, "is not a text");
    return sourceFile(path, text);
  } catch (error) {
    const why = unreadable(error);
    if (why === null) throw error;
    if (why.isOther) throw await otherContent(path, absolute, why.problem);
    const help = why.isMissing ? ((await nearFile(io, path)) ?? missingHelp) : why.help;
    throw new UsageError(`${onOneLine(path)} ${why.problem}`, help);
  }
}

/** A file next to where a missing one was looked for that is likely to be meant: with another ending, or misspelt. */
async function nearFile({ cwd }: Io, path: string): Promise<string | null> {
  const name = basename(path);
  const names = await readdir(dirname(resolve(cwd, path))).catch(() => []);
  const texts = names.filter((each) => /\.(ya?ml|strategy)$/i.test(each) && !each.startsWith("._"));
  const stem = (each: string) => each.replace(/\.\w+$/, "").toLowerCase();
  const found = texts.find((each) => stem(each) === stem(name)) ?? suggest(name, texts);
  return found === null ? null : `did you mean \`${onOneLine(join(dirname(path), found))}\`?`;
}

async function otherContent(path: string, absolute: string, problem: string): Promise<UsageError> {
  const help = "name a strategy or a run config; other files are checked through the run config that names them";
  const what = await describeFile(absolute);
  return what === null
    ? new UsageError(onOneLine(`${path} ${problem}`), help)
    : new OtherContent(onOneLine(`${path} ${what}`), help);
}

/** Reads the run config that the user named for `command`. Throws `UsageError` as `readSource`, and if it is a strategy. */
export async function readRunConfig(io: Io, path: string, command: string): Promise<SourceFile> {
  const isThere = existsSync(resolve(io.cwd, path));
  if (!isThere && /^[\w.]+=/.test(path))
    throw new UsageError(`${onOneLine(path)} is no run config`, `a setting is given as \`--set ${onOneLine(path)}\``);
  if (command === "run" && /\.(safetensors|ckpt|pth?)$/i.test(path)) {
    const what = (isThere ? await describeFile(resolve(io.cwd, path)) : null) ?? "is no run config";
    const help =
      "`ltxc run --resume` finds the last checkpoint of `output_dir` itself; a LoRA to begin with is `--set model.load_checkpoint=FILE`";
    throw new UsageError(onOneLine(`${path} ${what}`), help);
  }
  const inside = join(path, "train.yaml");
  if (isThere && existsSync(resolve(io.cwd, inside)))
    throw new UsageError(`${onOneLine(path)} is a folder`, `write \`ltxc ${command} ${shellWord(inside)}\``);
  if (isThere && existsSync(resolve(io.cwd, path, "training_config.yaml")))
    throw new UsageError(
      `${onOneLine(path)} is the folder of a run`,
      `name the run config with which it began: \`ltxc ${command} FILE\`${command === "run" ? "; with `--resume` the run in its `output_dir` goes on" : ""}`,
    );
  if (path.endsWith(strategyExtension)) {
    throw new UsageError(
      `${path} is a strategy, and \`ltxc ${command}\` takes a run config`,
      `name it there, as \`training_strategy: {name: …}\`, compile it, then \`ltxc ${command} train.yaml\``,
    );
  }
  return readSource(io, path, `\`ltxc init\` makes a project with one; \`ltxc ${command} FILE\` takes another`);
}

/** Some of several files, and a report for each of the others. */
export interface Sources {
  readonly files: readonly SourceFile[];
  /** Of the files that cannot be read. */
  readonly unread: readonly FileReport[];
}

/** Reads the files that a command is about. A single one that cannot be read leaves nothing to do: this throws `UsageError`. */
export async function readSources(io: Io, paths: readonly string[]): Promise<Sources> {
  const [only] = paths;
  if (only === undefined || paths.length > 1) return readEach(io, paths);
  return { files: [await readSource(io, only)], unread: [] };
}

/** Reads several files; one that cannot be read does not keep the others from being looked at. */
export async function readEach(io: Io, paths: readonly string[]): Promise<Sources> {
  const files: SourceFile[] = [];
  const unread: FileReport[] = [];
  for (const path of paths) {
    try {
      files.push(await readSource(io, path));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      unread.push({ file: sourceFile(path, ""), diagnostics: [unreadDiagnostic(error)] });
    }
  }
  return { files, unread };
}

function unreadDiagnostic(error: UsageError): Diagnostic {
  const { message, help } = error;
  const { code, slug } = entryOf(error instanceof OtherContent ? "LTX6231" : "LTX6172");
  const advice = typeof help === "string" ? help : "correct the path, or leave the file out";
  return { code, slug, severity: "error", message, help: advice, span: { start: 0, end: 0 }, labels: [] };
}

/** File names of the strategies in the working folder, sorted; without the notes that macOS makes of them on other disks. */
export async function strategiesHere(io: Pick<Io, "cwd">): Promise<string[]> {
  const names = await readdir(io.cwd);
  const isOwn = (name: string) => name !== strategyExtension && !name.startsWith("._");
  return names.filter((name) => name.endsWith(strategyExtension) && isOwn(name)).toSorted();
}

/**
 * The strategies that were named for `command`, or those of the working folder. Throws `UsageError` if there are none, and for a run
 * config: read as a strategy, each of its sections would be a mistake.
 */
export async function strategyPaths(io: Io, named: readonly string[], command: string): Promise<readonly string[]> {
  const config = named.find((path) => /\.ya?ml$/i.test(path));
  if (config !== undefined) {
    throw new UsageError(
      `${onOneLine(config)} is a run config, and \`ltxc ${command}\` takes a strategy`,
      "name the `.strategy` file, or none for those of this folder; `ltxc check` takes run configs, too",
    );
  }
  const paths = named.length > 0 ? named : await strategiesHere(io);
  if (paths.length > 0) return paths;
  throw new UsageError("there is no *.strategy file in this folder", "`ltxc init` makes one, or name a file");
}
