/** The strategy that a run config names: one next to it, or a built-in one. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { entryOf, parseYaml, type YamlNode } from "../../compiler/1-parse/index.ts";
import { Bag } from "../../compiler/diagnostics/index.ts";
import type { Analysis } from "../../compiler/service/index.ts";
import { sourceFile, type SourceFile } from "../../compiler/source/index.ts";
import { builtinFolder, builtinNames } from "../project/library.ts";
import { strategyExtension } from "../shell/files.ts";
import { isStrategy, pathOf, type Documents } from "./documents.ts";

export const sourceOf = (document: TextDocument): SourceFile => sourceFile(pathOf(document.uri), document.getText());

/** The tree of a run config; null where it is no YAML. */
export const treeOf = (file: SourceFile): YamlNode | null => parseYaml(file, new Bag(), "1.1");

interface Named {
  readonly name: string;
  readonly path: string;
}

const builtinPath = (name: string): string => join(builtinFolder, `${name}${strategyExtension}`);

/** Strategies that a run config may name, those next to it first. */
export function strategiesFor(documents: Documents, config: string): readonly Named[] {
  const folder = dirname(config);
  const near = filesIn(folder)
    .filter(isStrategy)
    .map((name) => join(folder, name));
  const own = near.flatMap((path) => {
    const name = documents.heading(path)?.name ?? "";
    return name === "" ? [] : [{ name, path }];
  });
  const names = new Set(own.map(({ name }) => name));
  const others = builtinNames().filter((name) => !names.has(name));
  const first = own.filter(({ name }, index) => own.findIndex((each) => each.name === name) === index);
  return [...first, ...others.map((name) => ({ name, path: builtinPath(name) }))];
}

export function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A strategy mostly lies in the file of its name; where it does not, all files are looked at. */
function strategyNamed(documents: Documents, config: string, name: string): Named | null {
  const likely = join(dirname(config), `${name}${strategyExtension}`);
  if (/^\w+$/.test(name) && documents.heading(likely)?.name === name) return { name, path: likely };
  return strategiesFor(documents, config).find((each) => each.name === name) ?? null;
}

export interface ConfigStrategy {
  readonly named: Named;
  readonly analysis: Analysis;
}

/** Null where there is none of that name. */
export function strategyOf(documents: Documents, config: string, tree: YamlNode | null): ConfigStrategy | null {
  const value = entryOf(entryOf(tree, "training_strategy")?.value, "name")?.value;
  const name = value?.kind === "scalar" ? value.text : "text_to_video";
  const named = strategyNamed(documents, config, name);
  const analysis = named === null ? null : documents.analysis(named.path);
  return named === null || analysis === null ? null : { named, analysis };
}
