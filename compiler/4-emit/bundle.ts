/** The only importer of esbuild: from the TypeScript module to JavaScript that runs, with a source map to the strategy file. */

export interface Bundle {
  readonly code: string;
  readonly map: string;
}

/**
 * @param map source map of `typescript` to the strategy file, chained into the result
 * @param name file name of the bundle
 */
export async function bundle(typescript: string, map: string, name: string): Promise<Bundle> {
  // Loaded here: it is needed only to compile, and slow to load.
  const { transform } = await import("esbuild");
  const inline = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString("base64")}`;
  const result = await transform(`${typescript}\n${inline}\n`, {
    loader: "ts",
    format: "esm",
    target: "node20",
    sourcemap: "external",
    sourcefile: name.replace(/\.mjs$/, ".ts"),
    logLevel: "silent",
  });
  return { code: `${result.code}//# sourceMappingURL=${name}.map\n`, map: result.map };
}
