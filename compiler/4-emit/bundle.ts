/** The only importer of esbuild: from the TypeScript module to JavaScript that runs, with a source map to the strategy file. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { BuildFailure, Message, Plugin } from "esbuild";

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
  /** Of the import's path in the generated module, to tell which import it is; null inside an imported file. */
  readonly importedPath: string | null;
}

/**
 * A module with the functions that it imports, which are read from files below or beside `root`, the absolute folder where the
 * module's paths start. Nothing of them runs.
 */
export async function bundleImports(
  { typescript, map, name }: Module,
  root: string,
): Promise<Bundle | { readonly problems: readonly ImportProblem[] }> {
  const { build } = await import("esbuild");
  const generated = name.replace(/\.mjs$/, ".ts");
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: withMap(typescript, map),
        resolveDir: root,
        sourcefile: generated,
        loader: "ts",
      },
      outfile: `${root}/${name}`,
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "node20",
      sourcemap: "external",
      tsconfigRaw: {},
      external: ["ltxc/contract"],
      plugins: [fromRoot(root)],
      logLevel: "silent",
    });
    const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
    return { code: `${textOf(".mjs")}//# sourceMappingURL=${name}.map\n`, map: textOf(".map") };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    return { problems: error.errors.map((message) => problemOf(message, resolve(root, generated))) };
  }
}

/** The module's own relative imports start at `root`, which need not exist yet. */
function fromRoot(root: string): Plugin {
  return {
    name: "from-root",
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
        const found = resolve(root, path);
        return resolve(resolveDir) === resolve(root) && existsSync(found) ? { path: found } : undefined;
      });
    },
  };
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
}

function problemOf({ text, location }: Message, own: string): ImportProblem {
  const isOwn = location === null || resolve(location.file) === own;
  const importedPath = isOwn ? (/"(\.[^"]*|\/[^"]*)"/.exec(location?.lineText ?? "")?.[1] ?? null) : null;
  const place = isOwn ? null : `${location.file}:${location.line}:${location.column + 1}`;
  return { place, message: text, importedPath };
}
