import { readdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { sourceFile, type SourceFile } from "../../compiler/source/index.ts";
import { UsageError } from "./exit.ts";
import type { Io } from "./io.ts";

export const strategyExtension = ".strategy";

const reasons: Readonly<Record<string, readonly [problem: string, help: string | null]>> = {
  ENOENT: ["does not exist", null],
  EISDIR: ["is a folder", "name a file in it"],
  EACCES: ["may not be read", "its permissions forbid it"],
};

/** Reads a file that the user named; its path stays as typed. Throws `UsageError` if it cannot be read. */
export async function readSource(io: Io, path: string, missingHelp: string | null = null): Promise<SourceFile> {
  try {
    return sourceFile(path, await readFile(resolve(io.cwd, path), "utf8"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const [problem, help] = reasons[code] ?? [`cannot be read (${code})`, null];
    throw new UsageError(`${path} ${problem}`, code === "ENOENT" ? missingHelp : help);
  }
}

/** Reads the run config that the user named for `command`. Throws `UsageError` as `readSource`, and if it is a strategy. */
export async function readRunConfig(io: Io, path: string, command: string): Promise<SourceFile> {
  if (path.endsWith(strategyExtension)) {
    throw new UsageError(
      `${path} is a strategy, and \`ltxc ${command}\` takes a run config`,
      `name it there, as \`training_strategy: {name: …}\`, compile it, then \`ltxc ${command} train.yaml\``,
    );
  }
  return readSource(io, path, `\`ltxc init\` makes a project with one; \`ltxc ${command} FILE\` takes another`);
}

/** File names of the strategies in the working folder, sorted. */
export async function strategiesHere(io: Io): Promise<string[]> {
  const names = await readdir(io.cwd);
  return names.filter((name) => name.endsWith(strategyExtension) && name !== strategyExtension).toSorted();
}

/** The strategies that were named, or those of the working folder. Throws `UsageError` if there are none. */
export async function strategyPaths(io: Io, named: readonly string[]): Promise<readonly string[]> {
  const paths = named.length > 0 ? named : await strategiesHere(io);
  if (paths.length > 0) return paths;
  throw new UsageError("there is no *.strategy file in this folder", "`ltxc init` makes one, or name a file");
}
