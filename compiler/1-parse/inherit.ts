/** `extends`: a file's keys over those of another strategy, at every depth. */
import type { Bag } from "../diagnostics/bag.ts";
import { didYouMean } from "../../runtime/nearest-word.ts";
import { endOffset, sourceFile, type SourceFile } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";
import { moved, movedFinding } from "./moved.ts";
import { entryOf, mapping, type YamlEntry, type YamlMapping, type YamlNode } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

/** How the strategies that others extend are found; the compiler itself reads no files. */
export interface Library {
  /** The absolute folder where relative paths start; null where there are no files. */
  readonly root: string | null;
  /** Names of built-in strategies. */
  readonly names: readonly string[];
  /**
   * The strategy of a name, or of a path relative to the file that writes it; null where there is none, the problem ("is a folder, not a
   * file") where what is there cannot be read, and `isOutside` where it may not be read, because it is not a file of the same project.
   */
  read(reference: string, from: string): Found;
  /** The same for a file of Python that an import names. Without it there are none. */
  readPython?(reference: string, from: string): Found;
}

export type Found = FoundText | { readonly problem: string } | { readonly isOutside: true } | null;

interface FoundText {
  readonly path: string;
  readonly text: string;
}

export const emptyLibrary: Library = { root: null, names: [], read: () => null };

interface Inherited {
  /** With every key that it inherits, and without `extends`; null where a base is broken. */
  readonly tree: YamlNode | null;
  /** The same file, with its bases. */
  readonly file: SourceFile;
}

interface Context {
  readonly library: Library;
  readonly bag: Bag;
  /** Paths of the files on the way here. */
  readonly chain: readonly string[];
}

/** Fills in what a strategy inherits. What is wrong in a base is reported at its place there. */
export function inherit(tree: YamlNode, file: SourceFile, library: Library, bag: Bag): Inherited {
  const extended = entryOf(tree, "extends");
  if (extended === null || tree.kind !== "mapping") return { tree, file };
  const { value } = extended;
  if (value.kind !== "scalar" || typeof value.value !== "string") return { tree, file };
  return extend(tree, file, { reference: value.value, span: value.span }, { library, bag, chain: [file.path] });
}

function extend(
  tree: YamlMapping,
  file: SourceFile,
  { reference, span }: { readonly reference: string; readonly span: Span },
  context: Context,
): Inherited {
  const { library, bag, chain } = context;
  const found = library.read(reference, file.bases.at(-1)?.path ?? file.path);
  if (found === null) {
    bag.error("LTX5018", span, `there is no strategy \`${reference}\``, { help: helpFor(reference, library) });
    return { tree: null, file };
  }
  if ("problem" in found) {
    bag.error("LTX5018", span, `\`${reference}\` ${found.problem}`, { help: helpFor(reference, library) });
    return { tree: null, file };
  }
  if ("isOutside" in found) {
    const help = "copy it into the project's folder, or write the path of a file there, such as `./base.strategy`";
    const what = /^(?:[\\/]|[A-Za-z]:)/.test(reference) ? "is an absolute path" : "leads out of the project";
    bag.error("LTX2010", span, `\`${reference}\` ${what}`, { help });
    return { tree: null, file };
  }
  const { path, text } = found;
  if (chain.includes(path)) {
    const round = [...chain.slice(chain.indexOf(path)), path].map((path) => `\`${path}\``).join(" → ");
    bag.error("LTX5019", span, `this strategy extends itself: ${round}`, { help: "take one of them out of the round" });
    return { tree: null, file };
  }
  const begin = endOffset(file);
  const whole = { ...file, bases: [...file.bases, sourceFile(path, text)] };
  const base = readBase(whole, begin, bag);
  if (base === null) return { tree: null, file: whole };
  const next = entryOf(base, "extends")?.value;
  const above =
    next?.kind === "scalar" && typeof next.value === "string"
      ? extend(base, whole, { reference: next.value, span: next.span }, { ...context, chain: [...chain, path] })
      : { tree: base, file: whole };
  if (above.tree?.kind !== "mapping") return { tree: null, file: above.file };
  return { tree: merge(without(tree, "extends"), without(above.tree, "extends", "strategy"), bag), file: above.file };
}

function helpFor(reference: string, { names }: Library): string {
  const similar = didYouMean(reference, names);
  if (similar !== null) return similar;
  const known = names.length === 0 ? "" : `, or a built-in: ${names.join(", ")}`;
  return `write a path relative to this file, such as \`./base.strategy\`${known}`;
}

/** The last base, with its places moved behind those of the files before it. */
function readBase(file: SourceFile, begin: number, bag: Bag): YamlMapping | null {
  const base = file.bases.at(-1);
  if (base === undefined) return null;
  const own = bag.fork();
  const tree = parseYaml(base, own);
  for (const finding of own.sorted()) bag.add(movedFinding(finding, begin));
  return tree?.kind === "mapping" ? (moved(tree, begin) as YamlMapping) : null;
}

function without(node: YamlMapping, ...keys: readonly string[]): YamlMapping {
  return mapping(
    node.entries.filter(({ key }) => !keys.includes(key)),
    node.span,
  );
}

/** Mappings merge, anything else replaces, null removes. The base's keys come first, in its order. */
function merge(own: YamlMapping, base: YamlMapping, bag: Bag): YamlMapping {
  const inherited = base.entries.flatMap((entry) => {
    const over = own.byKey.get(entry.key);
    if (over === undefined) return [entry];
    return isNull(over.value) ? [] : [mergeEntry(over, entry, bag)];
  });
  const added = own.entries.filter(({ key, value, keySpan }) => {
    if (base.byKey.has(key)) return false;
    if (!isNull(value)) return true;
    const help = didYouMean(key, base.byKey.keys()) ?? "remove the line";
    bag.error("LTX5020", keySpan, `there is no \`${key}\` to remove`, { help });
    return false;
  });
  return mapping([...inherited, ...added], own.span);
}

function mergeEntry(own: YamlEntry, base: YamlEntry, bag: Bag): YamlEntry {
  if (own.value.kind !== "mapping" || base.value.kind !== "mapping") return own;
  return { ...own, value: merge(own.value, base.value, bag) };
}

const isNull = (node: YamlNode): boolean => node.kind === "scalar" && node.value === null && node.broken !== true;
