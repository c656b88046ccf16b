import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { strategyExtension } from "./files.ts";

interface SourceMap {
  readonly sources?: readonly unknown[];
  readonly sourcesContent?: readonly unknown[];
}

/** A strategy as it was compiled: in the build folder, or from `text`, of which there is no build. */
export interface Compiled {
  readonly strategy: string;
  readonly build: string;
  readonly text?: string;
}

/**
 * Copies the source of a compiled strategy into a run's folder, as it was compiled: the file itself may be changed while the run
 * goes on. Its build's source map holds it. Where that fails the run goes on; the report then says that the source is missing.
 */
export function keepSources({ strategy, build, text }: Compiled, folder: string): void {
  try {
    if (text !== undefined) return writeFileSync(join(folder, `${strategy}${strategyExtension}`), text);
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
