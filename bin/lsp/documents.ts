/** Open files, and those on the disk that belong to them: texts with what the compiler knows of them, kept until they change. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { TextDocument, type TextDocumentContentChangeEvent } from "vscode-languageserver-textdocument";
import type { Library } from "../../compiler/index.ts";
import { analyse, analyseAt, type Analysis } from "../../compiler/service/index.ts";
import { readTextSync } from "../../runtime/files/index.ts";
import { libraryAt } from "../project/library.ts";
import { strategyExtension } from "../shell/files.ts";
import { projectFolders } from "../shell/project-folders.ts";

interface Kept {
  readonly version: number | string;
  readonly analysis: Analysis;
}

export interface Strategy {
  readonly document: TextDocument;
  readonly analysis: Analysis;
}

interface Heading {
  readonly name: string;
  readonly description: string;
}

/** Analyses of files that are not open; enough for a project, and bounded for a disk. */
const MAX_KEPT = 64;

export const isStrategy = (path: string): boolean => path.endsWith(strategyExtension);

/** Of what is no file here (another scheme, a host, an escape that is none), a path at which nothing lies. */
export function pathOf(uri: string): string {
  try {
    if (uri.startsWith("file:")) return fileURLToPath(uri);
  } catch {
    // Below.
  }
  return resolve("/", uri.replace(/^[a-z-]+:\/*/i, ""));
}

export class Documents {
  readonly #open = new Map<string, TextDocument>();
  readonly #analysed = new Map<string, Kept>();
  /** Of open files, the last that could be read. */
  readonly #readable = new Map<string, Analysis>();
  readonly #uris = new Map<string, string>();
  readonly #headings = new Map<string, Heading & { readonly stamp: string }>();
  #folders: readonly string[] = [];

  /** Where strategies are looked for. */
  setFolders(folders: readonly string[]): void {
    this.#folders = folders;
  }

  open(uri: string, languageId: string, version: number, text: string): void {
    this.#open.set(pathOf(uri), TextDocument.create(uri, languageId, version, text));
    this.#uris.set(pathOf(uri), uri);
  }

  change(uri: string, changes: TextDocumentContentChangeEvent[], version: number): void {
    const path = pathOf(uri);
    const document = this.#open.get(path);
    if (document !== undefined) this.#open.set(path, TextDocument.update(document, changes, version));
  }

  close(uri: string): void {
    this.#open.delete(pathOf(uri));
    this.#analysed.delete(pathOf(uri));
    this.#readable.delete(pathOf(uri));
  }

  /** Paths of the open files. */
  get opened(): readonly string[] {
    return [...this.#open.keys()];
  }

  uriOf(path: string): string {
    return this.#uris.get(path) ?? pathToFileURL(path).href;
  }

  /** The open file, or that on the disk; null where there is none that can be read. */
  at(path: string): TextDocument | null {
    const open = this.#open.get(path);
    if (open !== undefined) return open;
    try {
      return TextDocument.create(this.uriOf(path), "strategy", 0, readTextSync(path));
    } catch {
      return null;
    }
  }

  /** Of an open file; null for others. */
  versionOf(uri: string): number | null {
    return this.#open.get(pathOf(uri))?.version ?? null;
  }

  isOpen(path: string): boolean {
    return this.#open.has(path);
  }

  /** What is known of a strategy; paths in it are absolute. */
  analysis(path: string): Analysis | null {
    const version = this.#versionOf(path);
    const kept = this.#analysed.get(path);
    if (kept !== undefined && kept.version === version) return kept.analysis;
    const document = this.at(path);
    if (document === null) return null;
    const analysis = analyse({ path, text: document.getText() }, this.library(path));
    this.#keep(path, { version, analysis });
    if (this.#open.has(path) && isWhole(analysis)) this.#readable.set(path, analysis);
    return analysis;
  }

  /** What a strategy says of itself, from its text alone: of a thousand files, this is known soon. Null where it cannot be read. */
  heading(path: string): Heading | null {
    const stamp = String(this.#open.get(path)?.version ?? stampOf(path));
    const known = this.#headings.get(path);
    if (known?.stamp === stamp) return known;
    const text = this.at(path)?.getText();
    if (text === undefined) return null;
    const value = (key: string) =>
      new RegExp(`^${key}:[ \\t]*(?:"([^"\\n]*)"|'([^'\\n]*)'|([^\\s#][^\\n]*?))[ \\t]*(?:[ \\t]#.*)?\\r?$`, "m")
        .exec(text)
        ?.slice(1)
        .find((each) => each !== undefined) ?? "";
    const heading = { stamp, name: value("strategy"), description: value("description") };
    this.#headings.set(path, heading);
    return heading;
  }

  /** Checks a strategy as if it had just changed, and forgets what that gives. */
  checkAnew(path: string): void {
    const text = this.at(path)?.getText();
    if (text !== undefined) void analyse({ path, text }, this.library(path)).findings;
  }

  /** The text of a strategy with what is known of it; null where it cannot be read. */
  strategy(path: string): Strategy | null {
    const [document, analysis] = [this.at(path), this.analysis(path)];
    return document === null || analysis === null ? null : { document, analysis };
  }

  /**
   * The same for a cursor. While only its own line is being typed, what was known before the line changed is enough: the line itself is read
   * where it stands. Otherwise, of a file whose YAML is broken or that extends another, what is being written is passed over.
   */
  analysisAt(path: string, offset: number): Analysis | null {
    const text = this.at(path)?.getText();
    if (text === undefined) return null;
    const kept = this.#readable.get(path);
    if (kept !== undefined && differInLine(kept.file.text, text, offset)) return kept;
    const analysis = this.analysis(path);
    if (analysis === null || isWhole(analysis)) return analysis;
    const found = analyseAt({ path, text }, offset, this.library(path), analysis);
    if (found.own !== null) this.#readable.set(path, found);
    return found;
  }

  /** Bases change without their heirs: what extends something is known only for the moment in which its bases are as they are. */
  #versionOf(path: string): string {
    const own = this.#open.get(path)?.version ?? stampOf(path);
    const bases = this.#analysed.get(path)?.analysis.file.bases ?? [];
    return [own, ...bases.map((base) => this.#open.get(base.path)?.version ?? stampOf(base.path))].join(" ");
  }

  #keep(path: string, { analysis }: Kept): void {
    this.#analysed.delete(path);
    this.#analysed.set(path, { version: "", analysis });
    this.#analysed.set(path, { version: this.#versionOf(path), analysis });
    const closed = [...this.#analysed.keys()].filter((each) => !this.#open.has(each));
    for (const each of closed.slice(0, Math.max(0, closed.length - MAX_KEPT))) this.#analysed.delete(each);
  }

  /** Bases by their absolute paths, as they are in the editor. */
  library(path: string): Library {
    const root = dirname(path);
    const found = libraryAt(root, basename(path));
    return {
      ...found,
      read: (reference, from) => {
        const base = found.read(reference, from);
        if (base === null || !("text" in base)) return base;
        const absolute = resolve(root, base.path);
        return { path: absolute, text: this.#open.get(absolute)?.getText() ?? base.text };
      },
    };
  }

  /** Paths of all strategies of the opened folders, and of those that are open. */
  strategies(): readonly string[] {
    const found = this.#folders.flatMap(strategiesBelow);
    return [...new Set([...found, ...this.opened.filter(isStrategy)])];
  }
}

const strategiesBelow = (root: string): string[] =>
  [...projectFolders(root)].flatMap(({ path, entries }) =>
    entries.filter((entry) => entry.isFile() && isStrategy(entry.name)).map(({ name }) => join(path, name)),
  );

/** Whether nothing has to be passed over: in a file that extends another, a key without a value would remove what it inherits. */
const isWhole = ({ own, file }: Analysis): boolean => own !== null && file.bases.length === 0;

/** Whether two texts are the same but for the line of the second that holds an offset. */
function differInLine(before: string, text: string, offset: number): boolean {
  const start = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  const tail = end < 0 ? "" : text.slice(end);
  const inside = before.slice(start, before.length - tail.length);
  return (
    before.startsWith(text.slice(0, start)) &&
    before.endsWith(tail) &&
    !inside.includes("\n") &&
    before.length >= start + tail.length
  );
}

/** Changes when the file on the disk does. */
export const stampOf = (path: string): string => {
  if (!existsSync(path)) return "none";
  const { mtimeMs, size } = statSync(path);
  return `${mtimeMs}/${size}`;
};
