import { join, relative, resolve, sep } from "node:path";
import { compile, type Artifact } from "../../compiler/index.ts";
import type { FileReport } from "../../compiler/diagnostics/index.ts";
import type { SourceFile } from "../../compiler/source/index.ts";
import type { Step } from "../../runtime/contract.ts";
import type { Io } from "../shell/io.ts";
import { libraryAt } from "./library.ts";
import type { TypedModule } from "./type-check.ts";

export interface CompiledFile extends FileReport {
  /** Name of the strategy; null if a finding is an error. */
  readonly strategy: string | null;
  readonly artifacts: readonly Artifact[];
  /** For `--types`; null if a finding is an error. */
  readonly typed: TypedModule | null;
}

/** Compiles one file. Paths in its source map are relative to the build folder `out`. */
export async function compileFile(io: Io, file: SourceFile, out: string): Promise<CompiledFile> {
  const root = resolve(io.cwd, out);
  const path = relative(root, resolve(io.cwd, file.path)).split(sep).join("/");
  const compiled = await compile({ path, text: file.text }, { library: libraryAt(root) });
  // For the user, paths are relative to the working folder.
  const bases = compiled.file.bases.map((base) => ({ ...base, path: relative(io.cwd, resolve(root, base.path)) }));
  const whole = { ...file, bases };
  const { diagnostics, artifacts } = compiled;
  if (compiled.program === null) return { file: whole, diagnostics, artifacts, strategy: null, typed: null };
  const { name } = compiled.program;
  const typed = { file: whole, module: compiled.module, path: join(root, `${name}.ts`) };
  return { file: whole, diagnostics, artifacts, strategy: name, typed };
}

/** Loads a compiled strategy without writing a file. */
export async function stepOf({ artifacts }: Pick<CompiledFile, "artifacts">): Promise<Step | null> {
  const bundle = artifacts.find(({ name }) => name.endsWith(".mjs"));
  if (bundle === undefined) return null;
  // There is no file of the source map, and Node could not look for one next to a data URL.
  const code = bundle.text.replace(/^\/\/# sourceMappingURL=.*$/m, "");
  const step: Step = await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
  return step;
}
