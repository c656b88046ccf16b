/** The strategy that a run config trains, as source text. */
import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { check } from "../../compiler/index.ts";
import { parseYaml, toPlain } from "../../compiler/1-parse/index.ts";
import { Bag, type FileReport } from "../../compiler/diagnostics/index.ts";
import { sourceFile, type SourceFile } from "../../compiler/source/index.ts";
import {
  resolveStrategySection,
  strategyOf,
  unknownStrategy,
  type StrategyConfig,
} from "../../runtime/config/index.ts";
import type { Finding } from "../../runtime/findings.ts";
import { readSource, strategyExtension } from "../shell/files.ts";
import type { Io } from "../shell/io.ts";
import { defaultBuild, ownSources, withErrors } from "./builds.ts";
import { toDiagnostics } from "./findings.ts";
import { builtinNames, libraryAt } from "./library.ts";
import { flexible, textOf } from "./official-step.ts";
import type { FoundStep } from "./run-config.ts";

/**
 * The run config's section about its strategy, and what is wrong with it.
 * @param judge finds mistakes in a valid section, or in the rest of the run config as it was written
 * @returns no section where something is wrong
 */
export async function examineSection(
  file: SourceFile,
  judge: (section: StrategyConfig, written: unknown) => Promise<readonly Finding[]>,
): Promise<{ readonly section: StrategyConfig | null; readonly report: FileReport }> {
  const bag = new Bag();
  const root = parseYaml(file, bag, "1.1");
  if (root === null || bag.hasErrors) return { section: null, report: { file, diagnostics: bag.sorted() } };
  const written = toPlain(root);
  const { section, findings } = resolveStrategySection(written);
  const more = section === null ? [] : await judge(section, written);
  const diagnostics = [...bag.sorted(), ...toDiagnostics(file, root, [...findings, ...more])];
  const inOrder = diagnostics.toSorted((a, b) => a.span.start - b.span.start);
  return { section: more.length === 0 ? section : null, report: { file, diagnostics: inOrder } };
}

/** The strategy's file next to the run config or in the working folder, or the text of the built-in one; no source where the report has errors. */
export async function strategySource(
  io: Io,
  config: SourceFile,
): Promise<{ readonly source: SourceFile | null; readonly report: FileReport }> {
  let source: SourceFile | null = null;
  const { report } = await examineSection(config, async (section) => {
    source = await sourceNamed(io, section, dirname(resolve(io.cwd, config.path)));
    return source === null ? [unknown(section)] : [];
  });
  return { source, report };
}

const unknown = (section: StrategyConfig): Finding =>
  unknownStrategy(strategyOf(section).name, [...builtinNames(), flexible]);

/** Next to the run config, whose folder is `config`, in the working folder, or built in. */
async function sourceNamed(io: Io, section: StrategyConfig, config: string): Promise<SourceFile | null> {
  const [own] = await ownSources(strategyOf(section).name, io.cwd, config);
  return own === undefined ? builtInSource(section) : readSource(io, own);
}

/** Most strategies lie in the file of their name: of a thousand files next to a run config, one is read. */
async function likelySource(io: Io, name: string, config: string): Promise<SourceFile | null> {
  const path = relative(io.cwd, resolve(config, `${name}${strategyExtension}`));
  if (!/^\w+$/.test(name) || !existsSync(resolve(io.cwd, path))) return null;
  const source = await readSource(io, path);
  return new RegExp(`^strategy:[ \\t]*(["']?)${name}\\1[ \\t]*(?:#.*)?\\r?$`, "m").test(source.text) ? source : null;
}

/**
 * What the text of a section's strategy tells: which params it has, and whether it has errors. No code is made of it, which takes a bundler
 * and time; so there is no step.
 */
export async function describeStrategy(io: Io, section: StrategyConfig, config: string): Promise<FoundStep> {
  const { name } = strategyOf(section);
  const source = (await likelySource(io, name, config)) ?? (await sourceNamed(io, section, config));
  const hasBuild = existsSync(resolve(config, defaultBuild, `${name}.mjs`));
  if (source === null) return { step: null, findings: hasBuild ? [] : [unknown(section)] };
  const { diagnostics, params = null } = check(source, { library: libraryAt(io.cwd, source.path) });
  const error = diagnostics.find(({ severity }) => severity === "error");
  const found = error === undefined ? { step: null, findings: [] } : withErrors(name, source.path, error.message);
  return { ...found, params };
}

async function builtInSource(section: StrategyConfig): Promise<SourceFile | null> {
  const text = await textOf(section);
  return text === null ? null : sourceFile(`${strategyOf(section).name}${strategyExtension}`, text);
}
