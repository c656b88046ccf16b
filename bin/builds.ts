/** Compiled strategies: finding the one that a run config names, and refusing what does not belong to its source any more. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { CONTRACT_VERSION } from "../compiler/version.ts";
import type { Step } from "../runtime/contract.ts";
import { unknownStrategy } from "../runtime/config/index.ts";
import { strategyExtension } from "./files.ts";
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

/** The strategies in a folder, told apart by the line that names them; a file that does not parse has its name there all the same. */
async function sourcesIn(folder: string): Promise<Source[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(strategyExtension));
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), "utf8");
      const declared = /^strategy:\s*["']?([a-z][a-z0-9_]*)/m.exec(text)?.[1] ?? null;
      return { path: join(folder, name), name: declared, hash: createHash("sha256").update(text).digest("hex") };
    }),
  );
}

async function buildsIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  return (await readdir(folder)).filter((name) => name.endsWith(".mjs")).map((name) => basename(name, ".mjs"));
}

/** Imports a compiled strategy; errors inside it then show places in the .strategy file. */
async function load(path: string): Promise<Step | null> {
  process.setSourceMapsEnabled(true);
  // The place in the strategy lies below a dozen frames of the tensor library.
  Error.stackTraceLimit = 60;
  try {
    const module: Partial<Step> = await import(pathToFileURL(path).href);
    return module.strategy?.contract === CONTRACT_VERSION ? (module as Step) : null;
  } catch {
    return null;
  }
}

/** The compiled strategy `name` of `buildFolder`, checked against the .strategy files of `sourceFolder`. */
export async function findBuild(name: string, buildFolder: string, sourceFolder: string): Promise<FoundStep> {
  const sources = await sourcesIn(sourceFolder);
  const own = sources.filter((source) => source.name === name);
  const command = own[0] === undefined ? "ltxc compile" : `ltxc compile ${basename(own[0].path)}`;
  const builds = await buildsIn(buildFolder);
  if (!builds.includes(name)) {
    if (own.length > 0) return problem("LTX6501", `the strategy \`${name}\` is not compiled yet`, `\`${command}\``);
    return { step: null, findings: [unknownStrategy(name, builds)] };
  }
  const step = await load(join(buildFolder, `${name}.mjs`));
  if (step === null) {
    return problem("LTX6503", `the build of \`${name}\` was made by another version of ltxc`, `\`${command}\``);
  }
  const isFresh = own.length === 0 || own.some(({ hash }) => hash === step.strategy.sourceHash);
  if (isFresh) return { step, findings: [] };
  return problem("LTX6502", `\`${name}\` was changed after it was compiled`, `\`${command}\`, then run again`);
}
