/** Builds: finds the one that a run config names, and refuses it if its source has changed since. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { hashOf } from "../../compiler/source/index.ts";
import { CONTRACT_VERSION } from "../../compiler/version.ts";
import type { Step } from "../../runtime/contract.ts";
import { strategyOf, unknownStrategy, type StrategyConfig } from "../../runtime/config/index.ts";
import { readText } from "../../runtime/files/index.ts";
import { strategyExtension } from "../shell/files.ts";
import { builtinNames, libraryAt, textsOf } from "./library.ts";
import { flexible, officialStep } from "./official-step.ts";
import type { FoundStep } from "./run-config.ts";

/** Where `ltxc compile` writes and `ltxc run` looks, unless told otherwise. */
export const defaultBuild = "build";

interface Source {
  readonly path: string;
  readonly name: string | null;
  readonly hash: string;
}

function problem(code: string, message: string, help: string): FoundStep {
  const path = ["training_strategy", "name"];
  return { step: null, findings: [{ code, severity: "error", path, message, help }] };
}

/** The strategies in a folder. The name is found by a line of text, so that a file that does not parse has one as well. */
async function sourcesIn(folder: string): Promise<Source[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(strategyExtension));
  const library = libraryAt(folder);
  const found = await Promise.all(
    names.map(async (name): Promise<Source[]> => {
      const text = await readText(join(folder, name)).catch(() => null);
      // `ltxc check` says why it cannot be read.
      if (text === null) return [];
      const hash = hashOf(textsOf(name, text, library));
      const declared = /^strategy:\s*["']?([a-z][a-z0-9_]*)/m.exec(text)?.[1] ?? null;
      return [{ path: join(folder, name), name: declared, hash }];
    }),
  );
  return found.flat();
}

/** Names of the .strategy files in a folder that hold the strategy `name`. */
export async function ownSources(folder: string, name: string): Promise<string[]> {
  return (await sourcesIn(folder)).flatMap((source) => (source.name === name ? [basename(source.path)] : []));
}

async function buildsIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  return (await readdir(folder)).filter((name) => name.endsWith(".mjs")).map((name) => basename(name, ".mjs"));
}

/** Imports a compiled strategy, with source maps: stack traces point into the .strategy file. */
async function load(path: string): Promise<Step | null> {
  process.setSourceMapsEnabled(true);
  // The strategy's frame is below a dozen frames of the tensor library.
  Error.stackTraceLimit = 60;
  try {
    const module: Partial<Step> = await import(pathToFileURL(path).href);
    return module.strategy?.contract === CONTRACT_VERSION ? (module as Step) : null;
  } catch {
    return null;
  }
}

interface SourceMap {
  /** Relative to the map's folder. */
  readonly sources: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
}

/** Whether the TypeScript files of a build are unchanged; its source map has their texts. */
async function importsAreFresh(folder: string, name: string): Promise<boolean> {
  const text = await readFile(join(folder, `${name}.mjs.map`), "utf8").catch(() => null);
  if (text === null) return true;
  const { sources, sourcesContent = [] }: SourceMap = JSON.parse(text);
  const fresh = sources.map(async (path, i) => {
    const bundled = sourcesContent[i] ?? null;
    if (bundled === null || path.endsWith(strategyExtension)) return true;
    const now = await readFile(join(folder, path), "utf8").catch(() => null);
    return now?.replace(/^\uFEFF/, "") === bundled;
  });
  return (await Promise.all(fresh)).every(Boolean);
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

/**
 * The strategy that a section of a run config means: its build in `buildFolder`, checked against the .strategy files of
 * `sourceFolder`; if there is neither a build nor a file, the built-in one of that name.
 */
export async function findBuild(
  section: StrategyConfig,
  buildFolder: string,
  sourceFolder: string,
): Promise<FoundStep> {
  const { name } = strategyOf(section);
  const sources = await sourcesIn(sourceFolder);
  const own = sources.filter((source) => source.name === name);
  const command = own[0] === undefined ? "ltxc compile" : `ltxc compile ${basename(own[0].path)}`;
  const builds = await buildsIn(buildFolder);
  if (name === flexible && own[0] !== undefined) return takenName(basename(own[0].path));
  if (name === flexible || (own.length === 0 && !builds.includes(name))) return builtIn(section, builds);
  if (!builds.includes(name)) {
    return problem("LTX6501", `the strategy \`${name}\` is not compiled yet`, `\`${command}\``);
  }
  const step = await load(join(buildFolder, `${name}.mjs`));
  if (step === null) {
    return problem("LTX6503", `the build of \`${name}\` was made by another version of ltxc`, `\`${command}\``);
  }
  if (own.length === 0) return { step, findings: [] };
  const isFresh = own.some(({ hash }) => hash === step.strategy.sourceHash);
  if (isFresh && (await importsAreFresh(buildFolder, name))) return { step, findings: [] };
  return problem("LTX6502", `\`${name}\` was changed after it was compiled`, `\`${command}\`, then run again`);
}
