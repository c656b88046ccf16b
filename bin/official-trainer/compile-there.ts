/** Compiles the strategy of a run for the official trainer. */
import { join, resolve } from "node:path";
import type { FileReport } from "../../compiler/diagnostics/index.ts";
import { sourceFile, type SourceFile } from "../../compiler/source/index.ts";
import { strategyOf, type StrategyConfig } from "../../runtime/config/index.ts";
import { fail } from "../../runtime/findings.ts";
import { ownSources } from "../project/builds.ts";
import { compileFileToPython } from "../project/compile-file.ts";
import { textOf } from "../project/official-step.ts";
import { isOwnBuild } from "../shell/existing.ts";
import { readSource, strategyExtension } from "../shell/files.ts";
import type { Io } from "../shell/io.ts";
import { refuseToReplace, replaceText } from "../shell/write.ts";

interface CompiledThere {
  /** The module; absolute. Null where the report has an error. */
  readonly module: string | null;
  readonly report: FileReport;
}

/**
 * The module `ltxc_<name>.py` in the folder `build`, made from the strategy's file next to the run config (in the folder `config`) or in
 * the working folder, or from the built-in one.
 * @throws FindingsError LTX6612 where there is neither
 */
export async function compileThere(
  io: Io,
  section: StrategyConfig,
  { build, config }: { readonly build: string; readonly config: string },
): Promise<CompiledThere> {
  const report = compileFileToPython(io, await sourceOf(io, section, config));
  const [made] = report.artifacts;
  if (made === undefined) return { module: null, report };
  const module = resolve(io.cwd, build, made.name);
  await refuseToReplace(io, "--build", [join(build, made.name)], isOwnBuild);
  await replaceText(io, module, made.text, "choose another folder with `--build`");
  return { module, report };
}

async function sourceOf(io: Io, section: StrategyConfig, config: string): Promise<SourceFile> {
  const { name } = strategyOf(section);
  const [own] = await ownSources(name, io.cwd, config);
  if (own !== undefined) return readSource(io, own);
  const text = await textOf(section);
  if (text !== null) return sourceFile(`${name}${strategyExtension}`, text);
  const message = `the file of the strategy \`${name}\` is not here, and its build is for \`ltxc run\` itself`;
  const path = ["training_strategy", "name"];
  return fail("LTX6612", message, `put \`${name}${strategyExtension}\` into this folder`, path);
}
