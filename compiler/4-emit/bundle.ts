/** The only importer of esbuild: from the TypeScript module to JavaScript that runs, with a source map to the strategy file. */
import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { BuildFailure, Message } from "esbuild";
import type { Refusal } from "../2-check/rules/import-paths.ts";
import { importRules, type Reach } from "./import-rules.ts";

interface Bundle {
  readonly code: string;
  readonly map: string;
}

export interface Module {
  readonly typescript: string;
  /** Source map of `typescript` to the strategy file, chained into the result. */
  readonly map: string;
  /** File name of the bundle. */
  readonly name: string;
}

/** A module that imports nothing: only its types go. */
export async function bundle({ typescript, map, name }: Module): Promise<Bundle> {
  // Loaded here: it is needed only to compile, and slow to load.
  const { transform } = await import("esbuild");
  const result = await transform(withMap(typescript, map), {
    loader: "ts",
    format: "esm",
    target: "node20",
    sourcemap: "external",
    sourcefile: name.replace(/\.mjs$/, ".ts"),
    logLevel: "silent",
  });
  return { code: `${result.code}//# sourceMappingURL=${name}.map\n`, map: result.map };
}

const withMap = (typescript: string, map: string): string =>
  `${typescript}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString("base64")}\n`;

/** What is wrong with an imported module, or with what it imports. */
export interface ImportProblem {
  /** File, line and column, relative to the root; null where it is the import itself. */
  readonly place: string | null;
  readonly message: string;
  /** Name of the function that the generated module imports there; null inside an imported file. */
  readonly imported: string | null;
  /** What our own rules say; null for what esbuild found. */
  readonly refusal: Refusal | null;
}

interface WithImports extends Bundle {
  /** Absolute paths of the imported files. */
  readonly imported: readonly string[];
}

/** A module with the functions that it imports, as far as `importRules` lets it. Nothing of them runs. */
export async function bundleImports(
  { typescript, map, name }: Module,
  reach: Reach,
): Promise<WithImports | { readonly problems: readonly ImportProblem[] }> {
  const { build } = await import("esbuild");
  const { root, project } = reach;
  // A name that no file has, to tell its places from those of imported files.
  const generated = `<${name.replace(/\.mjs$/, ".ts")}>`;
  try {
    const { outputFiles, metafile } = await build({
      stdin: {
        contents: withMap(typescript, map),
        resolveDir: root,
        sourcefile: generated,
        loader: "ts",
      },
      outfile: `${root}/${name}`,
      // Paths in messages and comments start there, wherever the command was called.
      absWorkingDir: project,
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "node20",
      sourcemap: "external",
      // In place of the project's own tsconfig.json, which could send imports anywhere.
      tsconfigRaw: {},
      plugins: [importRules(reach)],
      logLevel: "silent",
    });
    const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
    const code = `${textOf(".mjs")}//# sourceMappingURL=${name}.map\n`;
    const inputs = Object.keys(metafile.inputs).map((path) => resolve(project, path));
    return { code, map: textOf(".map"), imported: inputs.filter((path) => existsSync(path)) };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    return { problems: error.errors.map((message) => problemOf(message, generated)) };
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
}

function problemOf({ text, location, detail }: Message, generated: string): ImportProblem {
  const isOwn = location === null || basename(location.file) === generated;
  const imported = isOwn ? (/^import \{ (\w+)/.exec(location?.lineText ?? "")?.[1] ?? null) : null;
  const place = isOwn ? null : `${location.file}:${location.line}:${location.column + 1}`;
  return { place, message: text, imported, refusal: (detail as Refusal | undefined) ?? null };
}
