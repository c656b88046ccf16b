import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

interface SourceMap {
  readonly sources?: readonly unknown[];
  readonly sourcesContent?: readonly unknown[];
}

/**
 * Copies the source of a compiled strategy into a run's folder, as it was compiled: the file itself may be changed while the run
 * goes on. Its build's source map holds it. Where that fails the run goes on; the report then says that the source is missing.
 */
export function keepSources(build: string, strategy: string, folder: string): void {
  try {
    const map = JSON.parse(readFileSync(join(build, `${strategy}.mjs.map`), "utf8")) as SourceMap;
    for (const [i, path] of (map.sources ?? []).entries()) {
      const text = map.sourcesContent?.[i];
      if (typeof path !== "string" || typeof text !== "string") continue;
      writeFileSync(join(folder, basename(path)), text);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}
