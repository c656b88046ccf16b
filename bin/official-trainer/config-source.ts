/** The strategy of a run config that is compiled for the official trainer on its own. */
import { relative, resolve } from "node:path";
import type { FileReport } from "../../compiler/diagnostics/index.ts";
import type { SourceFile } from "../../compiler/source/index.ts";
import { checkElsewhere, strategyOf } from "../../runtime/config/index.ts";
import type { Finding } from "../../runtime/findings.ts";
import { examineSection, strategySource } from "../project/config-strategy.ts";
import type { Io } from "../shell/io.ts";
import { shellWord } from "../shell/text.ts";

/**
 * Its file, or the built-in one; no source where the report has errors: LTX6252 where the run config asks for what the official trainer lacks, LTX6613 where the run config describes its strategy in a way that
 * a module does not read.
 */
export async function sourceOfConfig(
  io: Io,
  config: SourceFile,
): Promise<{ readonly source: SourceFile | null; readonly report: FileReport }> {
  const { section, report } = await examineSection(config, async (found, written) => {
    const { name, ...params } = found;
    const choice = strategyOf(found);
    const isRead =
      name !== "flexible" && choice.name === name && Object.keys(params).every((key) => key in choice.params);
    return [...(isRead ? [] : [described(name, config.path)]), ...checkElsewhere(written)];
  });
  if (section === null) return { source: null, report };
  const found = await strategySource(io, config);
  const { source } = found;
  // For the user, paths are relative to the working folder.
  return source === null
    ? found
    : { ...found, source: { ...source, path: relative(io.cwd, resolve(io.cwd, source.path)) } };
}

function described(name: string, config: string): Finding {
  const own = `my_${name}`;
  return {
    code: "LTX6613",
    severity: "error",
    path: ["training_strategy"],
    message: `this section of \`${name}\` is for the official trainer and ltxc; a compiled module reads the name and the parameters of one strategy`,
    help:
      `(1) \`ltxc eject ${shellWord(config)} --out ${own}.strategy\` writes it as a strategy; ` +
      "(2) write `training_strategy` as that command prints it; " +
      `(3) \`ltxc compile --target ltx-trainer ${own}.strategy\`. On one machine \`ltxc run --on ltx-trainer\` does all this`,
  };
}
