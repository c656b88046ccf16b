/**
 * Which test files concern a change: those that import or start a changed file, directly or through others, and those that read changed
 * data.
 * usage: node --import tsx scripts/repository/concerned.ts [REV]      prints them as JSON
 */
import { execFileSync } from "node:child_process";
import { basename, dirname, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { imports, isTest, sources, textOf } from "./sources.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** The first of these names that is a commit here. */
function defaultBranch(): string {
  const isCommit = (name: string) => {
    try {
      return git("rev-parse", "--verify", "--quiet", `${name}^{commit}`) !== "";
    } catch {
      return false;
    }
  };
  return ["origin/HEAD", "origin/main", "main"].find(isCommit) ?? "HEAD";
}

/** Paths that differ from where this branch left `revision`: committed, changed or new, and deleted ones. */
function changedSince(revision: string = defaultBranch()): string[] {
  const base = git("merge-base", "HEAD", revision).trim();
  const differing = git("diff", "--name-only", "--no-renames", "-z", base);
  const untracked = git("ls-files", "--others", "--exclude-standard", "-z");
  return [...new Set(`${differing}${untracked}`.split("\0"))].filter((path) => path !== "");
}

const commands = sources.filter((file) => /^bin\/commands\/[\w-]+\.ts$/.test(file) && !isTest(file));
const testing = "bin/testing/testing.ts";

/** Commands whose names a file writes as text, where it calls the command line in its own process. */
function calledCommands(file: string): string[] {
  const text = textOf(file);
  return commands.filter((command) => text.includes(`"${command.slice("bin/commands/".length, -".ts".length)}"`));
}

/** Files by what they depend on. */
type Dependents = ReadonlyMap<string, ReadonlySet<string>>;

function dependentsOf(edges: readonly (readonly [target: string, file: string])[]): Dependents {
  const found = new Map<string, Set<string>>();
  for (const [target, file] of edges) found.set(target, (found.get(target) ?? new Set()).add(file));
  return found;
}

/**
 * Importers of each file. Types are left out, since the type check looks at all files anyway. The program loads every command; tests that
 * call the command line depend on the commands that they name instead (`calls`).
 */
const values = imports.filter(({ file, target, typeOnly }) => {
  return !typeOnly && !(file.startsWith("bin/command-line/") && commands.includes(target));
});
const [built, packed] = ["bin/built.test.ts", "scripts/pack.slow.test.ts"];

/** Readers that neither imports nor names in tests lead to: of settings, of what is built and its scripts, and of types as text. */
export const readAsText: Readonly<Record<string, readonly string[]>> = {
  ".npmrc": ["scripts/lock-file.test.ts", packed],
  "tsconfig.types.json": [packed],
  "bin/ltxc.ts": [built],
  "scripts/build.mjs": [built, packed],
  "scripts/licenses.mjs": [built, packed],
  "scripts/pack-runtime.mjs": [packed],
  "runtime/contract.ts": [
    "bin/examples.slow.test.ts",
    "bin/project/type-check.ts",
    "compiler/4-emit/module.test.ts",
    "scripts/fuzz.slow.test.ts",
    packed,
  ],
};
const reading = Object.entries(readAsText).flatMap(([path, files]) => files.map((file) => [path, file] as const));
const importing = [...values.map(({ file, target }) => [target, file] as const), ...reading];
const callers = [testing, ...values.flatMap(({ file, target }) => (target === testing ? file : []))];
const calls = callers.flatMap((file) => calledCommands(file).map((command) => [command, file] as const));

/** These files and all that depend on them. */
function reached(changed: readonly string[], dependents: Dependents): ReadonlySet<string> {
  const found = new Set(changed);
  for (const path of found) for (const file of dependents.get(path) ?? []) found.add(file);
  return found;
}

const roomOf = (path: string): string => path.split("/").slice(0, 2).join("/");

const escaped = (text: string): string => text.replace(/[^\w]/g, "\\$&");

/** Whether a text writes a name, or a path's end or middle, as a string or a part of one. */
const writes = (text: string, name: string): boolean => new RegExp(`["'/\`]${escaped(name)}["'/\`]`).test(text);

/** The highest folder of a path that has no modules, such as `examples` or `compiler/builtin`; null where there is none. */
function dataFolder(path: string): string | null {
  const names = dirname(path).split("/");
  const folders = names.map((_, depth) => names.slice(0, depth + 1).join("/"));
  return folders.find((folder) => folder !== "." && !sources.some((file) => file.startsWith(`${folder}/`))) ?? null;
}

/** Whether a test writes a folder's path or, near the folder, its name. */
function namesFolder(file: string, folder: string): boolean {
  const isNear = dirname(folder) === "." || file.startsWith(`${dirname(folder)}/`);
  return writes(textOf(file), isNear ? basename(folder) : folder);
}

/** Tests in the same room as a changed file that is no module, and those that write its name or its data folder's. */
function readers(path: string): string[] {
  const name = basename(path);
  const folder = dataFolder(path);
  const isInRoom = (file: string) => path.split("/").length > 2 && roomOf(file) === roomOf(path);
  // Without an extension a name is a common word: `.ci/run` is not the command "run".
  const isNamed = (file: string) => extname(name) !== "" && writes(textOf(file), name);
  const isRead = (file: string) => isInRoom(file) || isNamed(file) || (folder !== null && namesFolder(file, folder));
  return sources.filter((file) => isTest(file) && isRead(file));
}

/** What every test depends on. */
const foundations = new Set(["package-lock.json", "tsconfig.json", "scripts/test-file.ts"]);

interface Concerned {
  readonly files: readonly string[];
  /** They call a command that the change reaches. Nearly every change outside of `bin` reaches all of these, so they are apart. */
  readonly throughCommands: readonly string[];
}

/** Test files, in the order of their paths. The tests of the repository itself read all sources, so they always belong to them. */
export function concernedBy(changed: readonly string[]): Concerned {
  const tests = sources.filter(isTest);
  if (changed.some((path) => foundations.has(path))) return { files: tests, throughCommands: [] };
  const withCalls = dependentsOf([...importing, ...calls]);
  const ofCommands = changed.filter((path) => path.startsWith("bin/"));
  const near = new Set([
    ...reached(changed, dependentsOf(importing)),
    ...reached(ofCommands, withCalls),
    ...changed.filter((path) => !sources.includes(path)).flatMap(readers),
    ...tests.filter((file) => changed.length > 0 && file.startsWith("scripts/repository/")),
  ]);
  const far = reached(changed, withCalls);
  return {
    files: tests.filter((file) => near.has(file)),
    throughCommands: tests.filter((file) => far.has(file) && !near.has(file)),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(concernedBy(changedSince(process.argv[2]))));
}
