import { jsonText } from "../../compiler/source/index.ts";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import {
  keptFolder,
  keptList,
  makeFolderSync,
  readTextSync,
  replaceTextSync,
  unreadable,
} from "../../runtime/files/index.ts";
import { strategyExtension } from "../shell/files.ts";

/** A bundle's source map, with the texts of all its sources, has far fewer bytes. */
const MAX_BUILD_BYTES = 64 * 2 ** 20;

interface SourceMap {
  readonly sources?: readonly unknown[];
  readonly sourcesContent?: readonly unknown[];
}

/** A strategy as it was compiled: its build in the build folder, or its `text` if it has no build. */
interface Compiled {
  readonly strategy: string;
  readonly build?: string;
  readonly text?: string;
}

/**
 * Copies the sources of a compiled strategy into a run's folder, as they were compiled: the files themselves may be changed while the
 * run goes on. Its build's source map holds them. A list tells `ltxc run --overwrite` which files it may delete again. Where that fails the run goes on; the report then says that the source is missing.
 */
export function keepSources({ strategy, build, text }: Compiled, folder: string): void {
  try {
    const own = text === undefined ? null : [{ path: strategy + strategyExtension, text }];
    const files = own ?? (build === undefined ? [] : sourcesOf(join(build, `${strategy}.mjs.map`)));
    const names = files.map(({ path }) => basename(path));
    makeFolderSync(join(folder, keptFolder));
    const hashes: Record<string, string> = {};
    for (const [i, file] of files.entries()) {
      const name = names[i] ?? "";
      // Files of different folders may have the same name.
      const unique = names.indexOf(name) === i ? name : `${i}-${name}`;
      replaceTextSync(join(folder, keptFolder, unique), file.text);
      hashes[unique] = createHash("sha256").update(file.text).digest("hex");
    }
    replaceTextSync(join(folder, keptFolder, keptList), `${jsonText(hashes, 2)}\n`);
  } catch (error) {
    if (!(error instanceof SyntaxError) && unreadable(error) === null) throw error;
  }
}

/** The strategy, those that it extends and the functions in TypeScript that it imports. */
function sourcesOf(map: string): { readonly path: string; readonly text: string }[] {
  const { sources = [], sourcesContent = [] } = JSON.parse(readTextSync(map, MAX_BUILD_BYTES)) as SourceMap;
  return sources.flatMap((path, i) => {
    const text = sourcesContent[i];
    return typeof path === "string" && typeof text === "string" ? [{ path, text }] : [];
  });
}
