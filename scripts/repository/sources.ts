/** The project's own TypeScript files, what they import and what they export, read as text. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Import {
  readonly file: string;
  /** A path from the root for our own files, else a package's name. */
  readonly target: string;
  /**
   * Names taken from the target; null where all of them are (`import()`, `* as`, `export *`). None where the target is only located, by
   * `new URL(..., import.meta.url)`, to run it as a worker or a process.
   */
  readonly names: readonly string[] | null;
  readonly typeOnly: boolean;
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "samples" || entry.name === "vectors" ? [] : filesBelow(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

/** Paths from the root of all sources, tests included; samples and vectors are data. */
export const sources = ["bin", "compiler", "runtime", "conformance", "bench", "scripts"].flatMap(filesBelow);

export const textOf = (file: string): string => readFileSync(join(root, file), "utf8");
export const isTest = (file: string): boolean => file.endsWith(".test.ts");
export const isGenerated = (file: string): boolean => file.endsWith(".generated.ts");

const pattern =
  /^\s*(?:import|export)\s+(type\s)?([^"';]*?)from\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|\bnew URL\(\s*"([^"]+\.ts)",\s*import\.meta\.url/gm;

function importsOf(file: string): Import[] {
  return [...textOf(file).matchAll(pattern)].map((match) => {
    const [, type, clause = "", from, bare, dynamic, located] = match;
    const specifier = from ?? bare ?? dynamic ?? `./${located}`;
    const target = specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : specifier;
    return { file, target, names: located === undefined ? namesIn(clause) : [], typeOnly: type !== undefined };
  });
}

function namesIn(clause: string): readonly string[] | null {
  const braces = /\{([^}]*)\}/.exec(clause)?.[1];
  if (braces === undefined) return null;
  const names = braces.split(",").map((name) => name.trim().replace(/^type\s+/, ""));
  return names.flatMap((name) => name.split(/\s+as\s+/)[0] || []);
}

export const imports: readonly Import[] = sources.flatMap(importsOf);

/** Names that a module's text declares and exports, or exports after the declaration; not those it hands on from another module. */
export function exportsIn(text: string): string[] {
  const declared = /^export\s+(?:abstract\s+|async\s+)?(?:function\*?|const|class|interface|type|enum|let)\s+(\w+)/gm;
  const listed = /^export\s+(?:type\s+)?\{([^}]*)\}(?!\s*from)/gm;
  const taken = /^export\s+const\s+[{[]([^=]*)[}\]]\s*=/gm;
  const names = (list = "") =>
    list.split(",").flatMap(
      (name) =>
        name
          .trim()
          .split(/\s*(?:\bas\b|:)\s*/)
          .at(-1) || [],
    );
  return [
    ...[...text.matchAll(declared)].map(([, name = ""]) => name),
    ...[...text.matchAll(listed), ...text.matchAll(taken)].flatMap(([, list]) => names(list)),
    ...(/^export\s+default\b/m.test(text) ? ["default"] : []),
  ];
}

export const exportsOf = (file: string): string[] => exportsIn(textOf(file));
