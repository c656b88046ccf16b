/** Where the strategies that others extend are found: the built-in ones by name, all others by path. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Library } from "../../compiler/index.ts";
import { isWithin, projectRootOf } from "../../compiler/source/index.ts";
import { readTextSync, unreadable } from "../../runtime/files/index.ts";
import { strategyExtension } from "../shell/files.ts";
import type { Io } from "../shell/io.ts";
import { packageRoot } from "../shell/package-root.ts";

/** The folder of the built-in strategies that are files. */
export const builtinFolder = join(packageRoot, "compiler/builtin");

export function builtinNames(): readonly string[] {
  const files = readdirSync(builtinFolder).filter((name) => name.endsWith(strategyExtension));
  return files.map((name) => name.slice(0, -strategyExtension.length)).toSorted();
}

/** Paths of the strategies named on the command line: a name of a built-in one stands for its file, unless a file here has that name. */
export function pathsOf({ cwd }: Pick<Io, "cwd">, named: readonly string[]): readonly string[] {
  const names = builtinNames();
  const isBuiltin = (name: string) => names.includes(name) && !existsSync(resolve(cwd, name));
  const builtinPath = (name: string) => relative(cwd, join(builtinFolder, `${name}${strategyExtension}`));
  return named.map((name) => (isBuiltin(name) ? builtinPath(name) : name));
}

/** Reads the strategies that `strategy` extends: built-in ones, and files of its project. Paths are relative to the folder `root`. */
export function libraryAt(root: string, strategy: string): Library {
  const names = builtinNames();
  const project = projectRootOf(dirname(resolve(root, strategy)));
  const pathOf = (reference: string, from: string): string | null => {
    if (names.includes(reference)) return join(builtinFolder, `${reference}${strategyExtension}`);
    return reference.endsWith(strategyExtension) ? resolve(root, dirname(from), reference) : null;
  };
  const readWithin = (path: string, mayRead: boolean) =>
    mayRead ? readBase(path, relative(root, path).split(sep).join("/")) : ({ isOutside: true } as const);
  return {
    root,
    names,
    read(reference, from) {
      const path = pathOf(reference, from);
      if (path === null || !existsSync(path)) return null;
      return readWithin(path, !isAbsolute(reference) && (names.includes(reference) || isWithin(project, path)));
    },
    readPython(reference, from) {
      const path = resolve(root, dirname(from), reference);
      return existsSync(path) ? readWithin(path, isWithin(project, path)) : null;
    },
  };
}

function readBase(absolute: string, path: string): ReturnType<Library["read"]> {
  try {
    return { path, text: readTextSync(absolute) };
  } catch (error) {
    const why = unreadable(error);
    if (why === null) throw error;
    return why.isMissing ? null : { problem: why.problem };
  }
}

/** Longer than any sensible chain; without a limit, strategies that extend each other would never end. */
const MAX_CHAIN = 32;

/** The text of a strategy and of all that it extends, the nearest first. Bases are found by a line of text, without parsing. */
export function textsOf(path: string, text: string, library: Library): readonly string[] {
  const texts = [text];
  let at = { path, text };
  while (texts.length < MAX_CHAIN) {
    const reference = /^extends:\s*["']?([^"'\s#]+)/m.exec(at.text)?.[1];
    const base = reference === undefined ? null : library.read(reference, at.path);
    if (base === null || !("text" in base)) break;
    texts.push(base.text);
    at = { path: base.path, text: base.text };
  }
  return texts;
}
