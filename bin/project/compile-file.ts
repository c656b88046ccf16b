import { dirname, join, relative, resolve, sep } from "node:path";
import { compile, compilePython, type Artifact } from "../../compiler/index.ts";
import type { FileReport } from "../../compiler/diagnostics/index.ts";
import { projectRootOf, type SourceFile } from "../../compiler/source/index.ts";
import type { Io } from "../shell/io.ts";
import type { Imported } from "../trust/guard.ts";
import { libraryAt } from "./library.ts";
import type { TypedModule } from "./type-check.ts";

export interface CompiledFile extends FileReport {
  /** Name of the strategy; null if a finding is an error. */
  readonly strategy: string | null;
  readonly artifacts: readonly Artifact[];
  /** The schema of its params, also where a finding elsewhere is an error; null or absent where it is not known. */
  readonly params?: Readonly<Record<string, unknown>> | null;
  /** For `--types`; null if a finding is an error. */
  readonly typed: TypedModule | null;
  /** Null if it imports nothing, or if a finding is an error. */
  readonly imported: ImportedCode | null;
}

/** Code that comes with a strategy. */
export interface ImportedCode extends Imported {
  /** As in `edges` of ./edges.ts. */
  readonly names: readonly string[];
}

/** Compiles one file. Paths in its source map are relative to the build folder `out`. `standIns`: see `BuildOptions` of the compiler. */
export async function compileFile(
  io: Pick<Io, "cwd">,
  file: SourceFile,
  out: string,
  { standIns = false }: { readonly standIns?: boolean } = {},
): Promise<CompiledFile> {
  const root = resolve(io.cwd, out);
  const path = relative(root, resolve(io.cwd, file.path)).split(sep).join("/");
  const compiled = await compile({ path, text: file.text }, { library: libraryAt(root, path), standIns });
  // For the user, paths are relative to the working folder.
  const bases = compiled.file.bases.map((base) => ({ ...base, path: relative(io.cwd, resolve(root, base.path)) }));
  const whole = { ...file, bases };
  const inFiles = [file, ...bases].map(({ path }) => resolve(io.cwd, path));
  const { diagnostics, artifacts } = compiled;
  if (compiled.program === null)
    return {
      file: whole,
      diagnostics,
      artifacts,
      strategy: null,
      typed: null,
      imported: null,
      params: compiled.params ?? null,
    };
  const { name } = compiled.program;
  const typed = { file: whole, module: compiled.module, path: join(root, `${name}.ts`) };
  const { imports } = compiled.program;
  const imported = {
    project: projectRootOf(dirname(resolve(io.cwd, file.path))),
    names: imports.map(({ name, from }) => `\`${name}\` of ${from}`),
    files: [...inFiles, ...compiled.imported],
  };
  return { file: whole, diagnostics, artifacts, strategy: name, typed, imported: imports.length > 0 ? imported : null };
}

/** A file compiled for the official trainer. */
export function compileFileToPython(io: Pick<Io, "cwd">, file: SourceFile): Omit<CompiledFile, "typed" | "imported"> {
  const compiled = compilePython(file, { library: libraryAt(io.cwd, file.path) });
  return { ...compiled, strategy: compiled.program?.name ?? null };
}
