/**
 * Which test files concern a change: those that import a changed file, directly or through others, and those that read changed data.
 * usage: node --import tsx scripts/repository/concerned.ts [REV]      prints a JSON array of paths
 */
import { execFileSync } from "node:child_process";
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

/**
 * Who depends on a file: its importers. Types are left out, since the type check looks at all files anyway. The program loads every
 * command; tests that call the command line depend on the commands that they name instead.
 */
function dependents(): ReadonlyMap<string, ReadonlySet<string>> {
  const values = imports.filter(({ file, target, typeOnly }) => {
    return !typeOnly && !(file === "bin/program.ts" && commands.includes(target));
  });
  const edges = values.map(({ file, target }) => [target, file] as const);
  const callers = values.flatMap(({ file, target }) => (target === testing ? file : []));
  for (const file of [testing, ...callers]) for (const command of calledCommands(file)) edges.push([command, file]);
  const found = new Map<string, Set<string>>();
  for (const [target, file] of edges) found.set(target, (found.get(target) ?? new Set()).add(file));
  return found;
}

const roomOf = (path: string): string => path.split("/").slice(0, 2).join("/");

const escaped = (text: string): string => text.replace(/[^\w]/g, "\\$&");

/** Tests beside a changed file that is no module, and those that write its name or, for folders without modules, its folder's. */
function readers(path: string): string[] {
  const [house = "", ...below] = path.split("/");
  const hasSources = sources.some((file) => file.startsWith(`${house}/`));
  const names = [path.split("/").at(-1) ?? "", ...(below.length > 0 && !hasSources ? [house] : [])];
  const named = (text: string) => names.some((name) => new RegExp(`["'/\`]${escaped(name)}["'/\`]`).test(text));
  const isBeside = (file: string) => below.length > 1 && roomOf(file) === roomOf(path);
  return sources.filter((file) => isTest(file) && (isBeside(file) || named(textOf(file))));
}

/** What every test depends on. */
const foundations = new Set(["package-lock.json", "tsconfig.json", "scripts/test-file.ts"]);

/** Test files, in the order of their paths. The tests of the repository itself read all sources, so they always belong to it. */
export function concernedBy(changed: readonly string[]): string[] {
  const tests = sources.filter(isTest);
  if (changed.some((path) => foundations.has(path))) return tests;
  const importers = dependents();
  const found = new Set(tests.filter((file) => changed.length > 0 && file.startsWith("scripts/repository/")));
  const seen = new Set(changed);
  for (const path of seen) {
    if (isTest(path) && sources.includes(path)) found.add(path);
    for (const importer of importers.get(path) ?? []) seen.add(importer);
    if (!path.endsWith(".ts")) for (const reader of readers(path)) found.add(reader);
  }
  return [...found].toSorted();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(concernedBy(changedSince(process.argv[2]))));
}
