/** Strategies that come with ltxc: compiled when a run config names one that is not the project's own. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Step } from "../../runtime/contract.ts";
import { strategyOf, type StrategyConfig } from "../../runtime/config/index.ts";
import { strategyExtension } from "../shell/files.ts";
import { builtinFolder } from "./library.ts";
import { loadStep } from "./load-step.ts";
import { flexibleText } from "../official/flexible.ts";

/** The official strategy that a run config describes in full; the others are files with parameters. */
export const flexible = "flexible";

/** The text of the built-in strategy that a section of a run config names; null if it names none. `name` replaces its name. */
export async function textOf(section: StrategyConfig, name?: string): Promise<string | null> {
  if (section.name === flexible) return flexibleText(section, name ?? flexible);
  const text = await builtinText(strategyOf(section).name);
  return name === undefined ? text : (text?.replace(/^strategy:.*$/m, `strategy: ${name}`) ?? null);
}

async function builtinText(name: string): Promise<string | null> {
  const path = join(builtinFolder, `${name}${strategyExtension}`);
  return existsSync(path) ? readFile(path, "utf8") : null;
}

/** The built-in strategy that a section of a run config names, compiled, with its text; null if it names none. */
export async function officialStep(
  section: StrategyConfig,
): Promise<{ readonly step: Step; readonly text: string } | null> {
  const text = await textOf(section);
  if (text === null) return null;
  // Loaded here, because runs of a project's own strategies need no compiler.
  const { compile } = await import("../../compiler/index.ts");
  const compiled = await compile({ path: `${section.name}${strategyExtension}`, text });
  // The text is ours, so a mistake in it is a bug.
  if (compiled.program === null)
    throw new Error(`\n${text}\n${compiled.diagnostics.map(({ message }) => message).join("\n")}`);
  return { step: await loadStep(compiled.artifacts, builtinFolder), text };
}
