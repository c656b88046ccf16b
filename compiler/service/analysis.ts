/** What an editor needs to know of a strategy while it is being written: also where it is wrong, and where it cannot be read at all. */
import type { Expression } from "../1-parse/expression/ast.ts";
import { emptyLibrary, type Library } from "../1-parse/inherit.ts";
import { parseInherited, parseStrategy, type ParsedStrategy } from "../1-parse/strategy.ts";
import type { StrategySyntax } from "../1-parse/syntax.ts";
import { entryOf, type YamlNode } from "../1-parse/tree.ts";
import { checkStrategy, type Learnt } from "../2-check/check.ts";
import type { Binding } from "../2-check/checked.ts";
import type { Type } from "../2-check/core.ts";
import type { Declarations } from "../2-check/declarations.ts";
import { validateStrategy } from "../2-check/schema.ts";
import { withoutAllowed } from "../diagnostics/allow.ts";
import { Bag } from "../diagnostics/bag.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { lineSpan, positionAt, sourceFile, type SourceFile } from "../source/source-file.ts";

export interface Analysis {
  /** With the files that it extends, whose offsets lie behind its own. */
  readonly file: SourceFile;
  /** What the file itself says; null where its YAML is broken. */
  readonly own: ParsedStrategy | null;
  /** The same with what it inherits; null where that cannot be read. */
  readonly syntax: StrategySyntax | null;
  readonly declarations: Declarations | null;
  /** Values by key (`inpaint` of `let`, `video.keep`), as far as they could be checked. */
  readonly bindings: ReadonlyMap<string, Binding>;
  readonly types: ReadonlyMap<Expression, Type>;
  /** All findings, those in its bases included. */
  readonly findings: readonly Diagnostic[];
}

export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Reads a strategy, and checks it when somebody asks for what only that tells. Never throws for what a user may write. */
export function analyse({ path, text }: Source, library: Library = emptyLibrary): Analysis {
  const bag = new Bag();
  const written = sourceFile(path, text);
  const own = parseStrategy(written, bag);
  const isExtending = own !== null && entryOf(own.tree, "extends") !== null;
  const whole = isExtending ? new Bag() : bag;
  const { file, parsed } = isExtending ? parseInherited(written, library, whole) : { file: written, parsed: own };
  const syntax = parsed?.syntax ?? own?.syntax ?? null;
  let checked: Checked | null = null;
  return analysisOf({ file, own, syntax }, () => (checked ??= check(file, parsed, whole)));
}

/** What only a check tells. It comes late: keys are completed, and most lines are typed, without one. */
type Checked = Pick<Analysis, "declarations" | "bindings" | "types" | "findings">;

function analysisOf(read: Omit<Analysis, keyof Checked>, checked: () => Checked): Analysis {
  return {
    ...read,
    get declarations() {
      return checked().declarations;
    },
    get bindings() {
      return checked().bindings;
    },
    get types() {
      return checked().types;
    },
    get findings() {
      return checked().findings;
    },
  };
}

function check(file: SourceFile, parsed: ParsedStrategy | null, bag: Bag): Checked {
  const types = new Map<Expression, Type>();
  const learnt: Learnt = { bindings: new Map(), types, declarations: null };
  if (parsed !== null) {
    validateStrategy(parsed.tree, bag);
    checkStrategy(parsed.syntax, bag, file, learnt);
  }
  const { declarations, bindings } = learnt;
  return { declarations, bindings, types, findings: withoutAllowed(file, bag.sorted()) };
}

/** The analysis of a text in which lines are blank, as one of the text as it is. */
function withText(found: Analysis, text: string): Analysis {
  const { file, own, syntax } = found;
  return analysisOf({ file: { ...file, text }, own, syntax }, () => found);
}

/** Broken lines that are passed over at most. */
const maxRounds = 20;

/**
 * The same for a text in the middle of typing: where its YAML is broken, the line at `offset` and then lines with errors count as blank.
 * Offsets are those of the text as it is. `first` is the analysis of that text, where it is known.
 */
export function analyseAt(
  source: Source,
  offset: number,
  library?: Library,
  first: Analysis = analyse(source, library),
): Analysis {
  if (first.own === null) return readable(first, offset, library) ?? first;
  const empty = emptySection(first.own.tree, offset);
  if (empty === null) return first;
  const text = blankLine(first.file, positionAt(first.file, empty).line);
  return withText(analyse({ path: source.path, text }, library), source.text);
}

/** Where the key stands whose value is just about to be written: in a file that extends another, no value would remove what it inherits. */
function emptySection(tree: YamlNode, offset: number): number | null {
  if (tree.kind !== "mapping" || entryOf(tree, "extends") === null) return null;
  const above = tree.entries.findLast(({ keySpan }) => keySpan.end < offset);
  const isEmpty = above?.value.kind === "scalar" && above.value.value === null && above.value.text === "";
  return isEmpty ? above.keySpan.start : null;
}

function readable({ file }: Analysis, offset: number, library?: Library): Analysis | null {
  const { path } = file;
  let text = blankLine(file, positionAt(file, Math.min(offset, file.text.length)).line);
  for (let round = 0; round < maxRounds; round++) {
    const found = analyse({ path, text }, library);
    if (found.own !== null) return withText(found, file.text);
    const at = found.findings.find(({ severity }) => severity === "error")?.span.start;
    if (at === undefined) return null;
    const next = blankLine(found.file, positionAt(found.file, at).line);
    if (next === text) return null;
    text = next;
  }
  return null;
}

/** The text with spaces in place of a line, so that all offsets stay. */
export function blankLine(file: SourceFile, line: number): string {
  const { start, end } = lineSpan(file, line);
  return file.text.slice(0, start) + " ".repeat(end - start) + file.text.slice(end);
}

/** The tree of what the file itself says. */
export const treeOf = ({ own }: Analysis): YamlNode | null => own?.tree ?? null;
