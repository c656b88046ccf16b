import { jsonText } from "../../compiler/source/index.ts";
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { strategyOf, unknownStrategy, type StrategyConfig } from "../../runtime/config/index.ts";
import type { Finding } from "../../runtime/findings.ts";
import { ownSources } from "../project/builds.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { readRunConfig, strategyExtension } from "../shell/files.ts";
import type { Io } from "../shell/io.ts";
import { examineSection } from "../project/config-strategy.ts";
import { builtinNames } from "../project/library.ts";
import { flexible, textOf } from "../project/official-step.ts";
import { codeOf, printFindings } from "../shell/print-findings.ts";
import { say, sayJson, type Session } from "../shell/session.ts";
import { isStream, writeOutput } from "../shell/write.ts";

export interface EjectOptions {
  readonly out?: string;
  readonly force?: true;
}

async function notBuiltIn({ cwd }: Io, config: string, section: StrategyConfig): Promise<Finding[]> {
  if (section.name === flexible) return [];
  const { name } = strategyOf(section);
  const [own] = await ownSources(name, cwd, dirname(resolve(cwd, config)));
  if (own !== undefined) throw new UsageError(`the strategy \`${name}\` is a file already: ${own}`, "change that one");
  const known = builtinNames();
  return known.includes(name) ? [] : [unknownStrategy(name, [...known, flexible])];
}

/** The name of the strategy in a file: that of the file. */
function nameFor(path: string): string {
  const name = basename(path, strategyExtension)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_");
  if (!path.endsWith(strategyExtension)) {
    throw new UsageError(`${path} cannot be the name of a strategy's file`, `end it in \`${strategyExtension}\``);
  }
  if (!/^[a-z]/.test(name) || name === flexible) {
    throw new UsageError(
      `a strategy cannot be named \`${name}\``,
      `choose another file, e.g. my_${name}${strategyExtension}`,
    );
  }
  return name;
}

/** The lines of the run config that choose the ejected strategy, without the settings that are now part of its text. */
function sectionLines(name: string, params: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries({ name, ...params }).map(([key, value]) => `  ${key}: ${jsonText(value)}`);
  return ["training_strategy:", ...lines].join("\n").replace(/^( {2}name: )"(.*)"$/m, "$1$2");
}

/** `ltxc eject`: writes the built-in strategy that a run config asks for as a file to start from. */
export async function eject(session: Session, config: string, { out, force }: EjectOptions): Promise<number> {
  const { io } = session;
  const file = await readRunConfig(io, config, "eject");
  const { section, report } = await examineSection(file, (found) => notBuiltIn(io, config, found));
  printFindings(session, [report]);
  if (section === null) return codeOf([report]);
  const choice = strategyOf(section);
  const usual = `my_${choice.name}${strategyExtension}`;
  const path = out ?? usual;
  const isFile = !(await isStream(io, path));
  const name = nameFor(isFile ? path : usual);
  if (isFile && force !== true && existsSync(resolve(io.cwd, path))) {
    throw new UsageError(`${path} is there already`, "choose another file with `--out`, or replace it with `--force`");
  }
  if (await writeOutput(session, { option: "--out", path, isOwn: () => true }, (await textOf(section, name)) ?? ""))
    return exitCode.ok;
  if (session.json) sayJson(session, { file: path, training_strategy: { name, ...choice.params } });
  say(session, `${path} is what ${config} trains. To train with it, compile it and write in ${config}:\n`);
  say(session, sectionLines(name, choice.params));
  return exitCode.ok;
}
