/** The step of a run config's strategy for `ltxc check` and `ltxc plan`: nothing of the project runs unless it is asked for. */
import { relative } from "node:path";
import type { SourceFile } from "../../compiler/source/index.ts";
import { sourceFile } from "../../compiler/source/index.ts";
import type { StrategyConfig } from "../../runtime/config/index.ts";
import type { Io } from "../shell/io.ts";
import type { Guard } from "../trust/guard.ts";
import { findBuild, locate, problem, withErrors } from "./builds.ts";
import { compileFile } from "./compile-file.ts";
import { loadStep } from "./load-step.ts";
import type { FoundStep } from "./run-config.ts";

interface Forecast {
  /** The folder of builds: it says where a strategy lies that is neither next to the run config nor in the working folder. */
  readonly build: string;
  /** Decides whether imported functions run, and builds without a source; null: neither does. */
  readonly guard: Guard | null;
}

/** The strategy that a section of a run config in the folder `config` means: compiled from its source as it is now, or a built-in one. */
export async function forecastStep(
  io: Pick<Io, "cwd">,
  section: StrategyConfig,
  { build: named, guard, config }: Forecast & { readonly config: string },
): Promise<FoundStep> {
  const places = { build: named, cwd: io.cwd, config };
  const located = await locate(section, places);
  if ("done" in located) return located.done;
  const { build } = located;
  const [source] = located.sources;
  if (source !== undefined)
    return stepOfFile(io, sourceFile(relative(io.cwd, source.path), source.text), { build, guard });
  if (guard !== null) return findBuild(section, places, guard);
  const message = `the strategy \`${located.name}\` is here only as a build, which is not run to look into it`;
  return problem("LTX6513", message, "put its .strategy file next to the run config");
}

/** The step of a file. Without a guard, stand-ins take the places of imported functions; the result says of which. */
export async function stepOfFile(
  io: Pick<Io, "cwd">,
  file: SourceFile,
  { build, guard }: Forecast,
): Promise<FoundStep> {
  const compiled = await compileFile(io, file, build);
  const { imported, strategy } = compiled;
  const error = compiled.diagnostics.find(({ severity }) => severity === "error");
  if (strategy === null) {
    const found = withErrors(strategyNameIn(file.text), file.path, error?.message ?? "");
    return { ...found, params: compiled.params ?? null };
  }
  if (imported === null) return { step: await loadStep(compiled.artifacts, build), findings: [] };
  if (guard === null) {
    const { artifacts } = await compileFile(io, file, build, { standIns: true });
    return { step: await loadStep(artifacts, build), findings: [], leftOut: imported.names };
  }
  const refused = await guard.imports(imported);
  if (refused !== null) return problem(refused.code, refused.message, refused.help);
  return { step: await loadStep(compiled.artifacts, build), findings: [] };
}

const strategyNameIn = (text: string): string => /^strategy:\s*["']?(\w+)/m.exec(text)?.[1] ?? "";
