/** Builds: finds the one that a run config names, and refuses it if it is not what its sources give now. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { hashOf, sourceFile } from "../../compiler/source/index.ts";
import { CONTRACT_VERSION, VERSION } from "../../compiler/version.ts";
import type { Step } from "../../runtime/contract.ts";
import { strategyOf, unknownStrategy, type StrategyConfig } from "../../runtime/config/index.ts";
import { readText, unreadable, type Unreadable } from "../../runtime/files/index.ts";
import { strategyExtension } from "../shell/files.ts";
import type { Guard } from "../trust/guard.ts";
import { builtinNames, libraryAt, textsOf } from "./library.ts";
import { loadStep, readSourceMap } from "./load-step.ts";
import { flexible, officialStep } from "./official-step.ts";
import type { FoundStep } from "./run-config.ts";

/** Where `ltxc compile` writes and `ltxc run` looks, unless told otherwise. */
export const defaultBuild = "build";

/** A .strategy file. */
interface Source {
  readonly path: string;
  readonly text: string;
  readonly name: string | null;
  /** Of its text and of those that it extends. */
  readonly hash: string;
}

export function problem(code: string, message: string, help: string): FoundStep {
  const path = ["training_strategy", "name"];
  return { step: null, findings: [{ code, severity: "error", path, message, help }] };
}

/** Bounds a build far above any that the compiler writes. */
const MAX_BUILD_BYTES = 64 * 2 ** 20;

/** The text of a regular file; null where there is none. */
async function textAt(path: string): Promise<string | null> {
  return readText(path, MAX_BUILD_BYTES).catch(() => null);
}

/** The name is found by a line of text, so that a file that does not parse has one as well. */
async function sourceAt(folder: string, path: string): Promise<Source | null> {
  // `ltxc check` says why it cannot be read.
  const text = await textAt(path);
  if (text === null) return null;
  const from = relative(folder, path);
  const hash = hashOf(textsOf(from, text, libraryAt(folder, from)));
  return { path, text, name: /^strategy:\s*["']?([a-z][a-z0-9_]*)/m.exec(text)?.[1] ?? null, hash };
}

/** The strategies in a folder; none where it is gone, as of a run config that is still open in an editor. */
async function sourcesIn(folder: string): Promise<Source[]> {
  if (!existsSync(folder)) return [];
  const names = (await readdir(folder)).filter((name) => name.endsWith(strategyExtension));
  const sources = await Promise.all(names.map((name) => sourceAt(folder, join(folder, name))));
  return sources.filter((source) => source !== null);
}

/** The .strategy files of the strategy `name`: those next to the run config, or else those in the working folder. */
async function sourcesOf(name: string, cwd: string, configFolder: string): Promise<Source[]> {
  for (const folder of new Set([configFolder, cwd])) {
    const own = (await sourcesIn(folder)).filter((source) => source.name === name);
    if (own.length > 0) return own;
  }
  return [];
}

/** Paths, relative to `cwd`, of the .strategy files that hold the strategy `name` of a run config in `configFolder`. */
export async function ownSources(name: string, cwd: string, configFolder: string): Promise<string[]> {
  return (await sourcesOf(name, cwd, configFolder)).map(({ path }) => relative(cwd, path));
}

async function buildsIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  return (await readdir(folder)).filter((name) => name.endsWith(".mjs")).map((name) => basename(name, ".mjs"));
}

/** The strategy that a build was made of, elsewhere than in the project's folder; null where its map does not tell, or it is gone. */
async function sourceOfBuild(folder: string, name: string): Promise<Source | null> {
  const map = readSourceMap((await textAt(join(folder, `${name}.mjs.map`))) ?? "");
  for (const path of map?.sources.filter((each) => each.endsWith(strategyExtension)) ?? []) {
    const source = await sourceAt(folder, resolve(folder, path));
    if (source?.name === name) return source;
  }
  return null;
}

function takenName(file: string): FoundStep {
  const message = `\`${flexible}\` is a strategy of the official trainer, and ${file} has the same name`;
  return problem("LTX6504", message, `give yours another name after \`strategy:\` in ${file}, and here`);
}

async function builtIn(section: StrategyConfig, builds: readonly string[]): Promise<FoundStep> {
  const official = await officialStep(section);
  if (official !== null) return { ...official, findings: [] };
  const known = [...new Set([...builds, ...builtinNames(), flexible])];
  return { step: null, findings: [unknownStrategy(section.name, known)] };
}

/** Where a run config's strategy is: its files, or that it is built in, or that it cannot be taken. */
type Located =
  | { readonly done: FoundStep }
  | { readonly name: string; readonly build: string; readonly hasBuild: boolean; readonly sources: readonly Source[] };

/** Where strategies and their builds are looked for. */
interface Places {
  /** The folder of builds: what the command line names, or `defaultBuild` in the working folder. */
  readonly build: string;
  /** The working folder. */
  readonly cwd: string;
  /** That of the run config: what it means lies next to it, wherever the command is given. */
  readonly config: string;
}

/**
 * Looks next to the run config, then in the working folder, then where the build says that it comes from; if there is nothing, for a
 * built-in one. Runs nothing.
 */
export async function locate(section: StrategyConfig, places: Places): Promise<Located> {
  const { name } = strategyOf(section);
  const own = await sourcesOf(name, places.cwd, places.config);
  const buildFolder = await buildFolderOf(name, own, places);
  const builds = await buildsIn(buildFolder);
  const hasBuild = builds.includes(name);
  if (name === flexible && own[0] !== undefined) return { done: takenName(basename(own[0].path)) };
  if (name === flexible || (own.length === 0 && !hasBuild)) return { done: await builtIn(section, builds) };
  const elsewhere = own.length === 0 ? await sourceOfBuild(buildFolder, name) : null;
  return { name, build: buildFolder, hasBuild, sources: elsewhere === null ? own : [elsewhere] };
}

/**
 * The folder of builds that the command line names. If it names none: of those in the working folder and next to the run config, the
 * first with a build of these sources, or else with any of the name.
 */
async function buildFolderOf(
  name: string,
  sources: readonly Source[],
  { build, cwd, config }: Places,
): Promise<string> {
  if (build !== join(cwd, defaultBuild)) return build;
  const folders = [build, join(config, defaultBuild)];
  const bundles = await Promise.all(folders.map((folder) => textAt(join(folder, `${name}.mjs`))));
  const hashes = bundles.map((bundle) => (bundle === null ? null : claimsOf(bundle).sourceHash));
  const fitting = hashes.findIndex((own) => sources.some(({ hash }) => hash === own));
  const existing = bundles.findIndex((bundle) => bundle !== null);
  return folders[fitting === -1 ? existing : fitting] ?? build;
}

/** What a build says of itself, read from its text without running it. */
function claimsOf(bundle: string) {
  const of = (key: string) => new RegExp(`^\\s*${key}: "?([\\w.]+)"?,?$`, "m").exec(bundle)?.[1] ?? null;
  return { compiler: of("compiler"), contract: of("contract"), sourceHash: of("sourceHash") };
}

/** Whether the TypeScript files of a build are unchanged, as far as its source map has their texts. */
async function importsAreFresh(folder: string, name: string): Promise<boolean> {
  const { sources = [], sourcesContent = [] } =
    readSourceMap((await textAt(join(folder, `${name}.mjs.map`))) ?? "") ?? {};
  const fresh = sources.map(async (path, i) => {
    const bundled = sourcesContent[i] ?? null;
    if (bundled === null || path.endsWith(strategyExtension)) return true;
    return (await textAt(resolve(folder, path)))?.replace(/^\uFEFF/, "") === bundled;
  });
  return (await Promise.all(fresh)).every(Boolean);
}

/**
 * The strategy that a section of a run config means, to train with: its build. The .strategy file, where `locate` finds it, is compiled
 * again, and only a build with the very same bytes is taken. What is loaded is what was compiled just now. If there is neither a build
 * nor a file, the built-in strategy of that name.
 */
export async function findBuild(section: StrategyConfig, places: Places, guard: Guard): Promise<FoundStep> {
  const located = await locate(section, places);
  if ("done" in located) return located.done;
  const { name, build: buildFolder, hasBuild, sources } = located;
  const sourceFolder = places.cwd;
  const path = join(buildFolder, `${name}.mjs`);
  const command = `ltxc compile${sources[0] === undefined ? "" : ` ${relative(sourceFolder, sources[0].path)}`}`;
  if (!hasBuild) return problem("LTX6501", `the strategy \`${name}\` is not compiled yet`, `\`${command}\``);
  const bundle = await readText(path, MAX_BUILD_BYTES).catch(problemOf);
  if (typeof bundle !== "string") return unusable(`${relative(sourceFolder, path)} ${bundle.problem}`, command);
  const { compiler, contract, sourceHash } = claimsOf(bundle);
  const source = sources.find(({ hash }) => hash === sourceHash);
  if (sources.length > 0 && sourceHash === null) return ofAnotherVersion(name, command);
  if (source === undefined && sources.length > 0) return stale(name, command);
  if (source === undefined) return withoutSource(name, path, bundle, guard);
  if (compiler !== VERSION || contract !== String(CONTRACT_VERSION)) return ofAnotherVersion(name, command);
  return verified({ name, command, bundle, buildFolder, sourceFolder, source }, guard);
}

/** Why a file cannot be read; throws what is no such reason. */
function problemOf(error: unknown): Unreadable {
  const found = unreadable(error);
  if (found === null) throw error;
  return found;
}

const unusable = (what: string, command: string): FoundStep =>
  problem("LTX6503", `a build cannot be used: ${what}`, `delete it, then \`${command}\``);

const stale = (name: string, command: string): FoundStep =>
  problem("LTX6502", `\`${name}\` was changed after it was compiled`, `\`${command}\`, then run again`);

const ofAnotherVersion = (name: string, command: string): FoundStep =>
  problem("LTX6503", `the build of \`${name}\` was made by another version of ltxc, or is damaged`, `\`${command}\``);

interface Candidate {
  readonly name: string;
  readonly command: string;
  readonly bundle: string;
  readonly buildFolder: string;
  readonly sourceFolder: string;
  readonly source: Source;
}

async function verified(
  { name, command, bundle, buildFolder, sourceFolder, source }: Candidate,
  guard: Guard,
): Promise<FoundStep> {
  // Loaded here, because it is slow and only this needs it.
  const { compileFile } = await import("./compile-file.ts");
  const shown = relative(sourceFolder, source.path);
  const compiled = await compileFile({ cwd: sourceFolder }, sourceFile(shown, source.text), buildFolder);
  const [error] = compiled.diagnostics.filter(({ severity }) => severity === "error");
  // Imported files that are gone or broken were there when the build was made.
  if (error?.code === "LTX6507") return stale(name, command);
  if (error !== undefined) return withErrors(name, shown, error.message);
  if (compiled.artifacts.find((artifact) => artifact.name === `${name}.mjs`)?.text !== bundle) {
    if (!(await importsAreFresh(buildFolder, name))) return stale(name, command);
    const message = `the build of \`${name}\` is not what \`ltxc compile\` makes of ${shown}`;
    return problem("LTX6511", message, `\`${command}\` writes it anew; find out what changed it`);
  }
  const refused = compiled.imported === null ? null : await guard.imports(compiled.imported);
  if (refused !== null) return problem(refused.code, refused.message, refused.help);
  return { step: await loadStep(compiled.artifacts, buildFolder), findings: [], build: buildFolder };
}

export const withErrors = (name: string, file: string, message: string): FoundStep =>
  problem("LTX6510", `the strategy \`${name}\` has errors: ${message}`, `\`ltxc check ${file}\` shows where`);

/** A build alone. Its content runs only if the user trusts it. */
async function withoutSource(name: string, path: string, bundle: string, guard: Guard): Promise<FoundStep> {
  const refused = await guard.build(path, bundle);
  if (refused !== null) return problem(refused.code, refused.message, refused.help);
  const map = (await textAt(`${path}.map`)) ?? "";
  const artifacts = [
    { name: `${name}.mjs`, text: bundle },
    { name: `${name}.mjs.map`, text: map },
  ];
  const step = await loadStep(artifacts, resolve(path, "..")).catch((): Partial<Step> => ({}));
  if (step.strategy?.contract !== CONTRACT_VERSION) return ofAnotherVersion(name, "ltxc compile");
  return { step: step as Step, findings: [], build: resolve(path, "..") };
}
