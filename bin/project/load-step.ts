/** Loads a step from code in memory: what was compiled or verified just now, and nothing that somebody may have changed in between. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Artifact } from "../../compiler/index.ts";
import type { Step } from "../../runtime/contract.ts";

/**
 * Imports a bundle by way of a temporary file of our own, so that stack traces can point into the strategy.
 * @param folder where the paths of its source map start
 */
export async function loadStep(artifacts: readonly Artifact[], folder: string): Promise<Step> {
  const textOf = (end: string) => artifacts.find(({ name }) => name.endsWith(end))?.text ?? "";
  const code = textOf(".mjs").replace(/^\/\/# sourceMappingURL=.*$/gm, "");
  const map = withAbsoluteSources(textOf(".map"), folder);
  process.setSourceMapsEnabled(true);
  // The strategy's frame is below a dozen frames of the tensor library.
  Error.stackTraceLimit = 60;
  const own = await mkdtemp(join(tmpdir(), "ltxc-step-")).catch(() => null);
  if (own === null) return (await import(dataUrl(code))) as Step;
  try {
    const path = join(own, "step.mjs");
    if (map !== null) await writeFile(`${path}.map`, map);
    await writeFile(path, map === null ? code : `${code}//# sourceMappingURL=step.mjs.map\n`);
    return (await import(pathToFileURL(path).href)) as Step;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** Where no file can be written; Node.js reads no source map there. */
const dataUrl = (code: string): string => `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;

/** What a source map says of its sources. */
interface SourceMap {
  /** Relative to the map's folder. */
  readonly sources: readonly string[];
  readonly sourcesContent: readonly (string | null)[];
}

/** Reads a source map; null where the text is none, as with a file that was cut off. */
export function readSourceMap(text: string): SourceMap | null {
  const map = parsed(text);
  const { sources, sourcesContent = [] } = map ?? {};
  const isText = (value: unknown) => typeof value === "string";
  if (!Array.isArray(sources) || !sources.every(isText) || !Array.isArray(sourcesContent)) return null;
  return { sources, sourcesContent: sourcesContent.map((content) => (isText(content) ? (content as string) : null)) };
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

function withAbsoluteSources(text: string, folder: string): string | null {
  const map = readSourceMap(text);
  if (map === null) return null;
  const sources = map.sources.map((path) => pathToFileURL(resolve(folder, path)).href);
  return JSON.stringify({ ...parsed(text), sources });
}
