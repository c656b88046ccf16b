/** `--set key=value`: settings on the command line that replace those of a run config. */
import {
  moved,
  movedFinding,
  entryOf,
  mapping,
  parseYaml,
  type YamlEntry,
  type YamlNode,
  type YamlScalar,
} from "../../compiler/1-parse/index.ts";
import type { Bag } from "../../compiler/diagnostics/index.ts";
import { endOffset, sourceFile, type SourceFile, type Span } from "../../compiler/source/index.ts";
import { UsageError } from "../shell/exit.ts";

const option = "--set";

/** A run config's document, and the file that its spans refer to. */
interface Overridden {
  readonly root: YamlNode;
  readonly file: SourceFile;
}

/**
 * The document with the settings of `texts` (`optimization.steps=100`, `lora.target_modules=[to_q, to_k]`) instead of its own. Their
 * texts become bases of the file, named `--set`, so that findings about a setting point at where it was given.
 * @throws UsageError for a text without a key or without `=`
 */
export function override(root: YamlNode, file: SourceFile, texts: readonly string[], bag: Bag): Overridden {
  return texts.reduce<Overridden>((before, text) => overrideOne(before, text, bag), { root, file });
}

function overrideOne({ root, file }: Overridden, text: string, bag: Bag): Overridden {
  const begin = endOffset(file);
  const keys = keysOf(text, begin);
  const value = valueOf(text, begin, bag);
  return {
    root: put(root, keys, value, text),
    file: { ...file, bases: [...file.bases, sourceFile(option, text)] },
  };
}

/** The names before `=`, with their spans. */
function keysOf(text: string, begin: number): readonly YamlScalar[] {
  const path = /^[^=]*(?==)/.exec(text)?.[0] ?? "";
  const names = path.split(".");
  if (names.some((name) => name.trim() === "")) {
    throw new UsageError(
      `\`${option} ${text}\` is not a setting and its value`,
      `write it as in \`${option} optimization.steps=100\``,
    );
  }
  let start = begin;
  return names.map((name) => {
    const span = { start, end: start + name.length };
    start = span.end + 1;
    return scalar(name.trim(), span);
  });
}

function scalar(text: string, span: Span): YamlScalar {
  return { kind: "scalar", value: text, text, quoted: false, span, mapOffset: (offset) => span.start + offset };
}

/** The value after `=`, read as YAML; an empty one is null. */
function valueOf(text: string, begin: number, bag: Bag): YamlNode {
  const written = text.slice(text.indexOf("=") + 1);
  const offset = begin + text.length - written.length;
  const own = bag.fork();
  const value = parseYaml(sourceFile(option, written), own, "1.1");
  for (const finding of own.sorted()) bag.add(movedFinding(finding, offset));
  const nothing = { ...scalar("", { start: offset, end: offset }), value: null };
  return value === null ? nothing : moved(value, offset);
}

/** `node` with `value` at the end of the path; missing mappings on that path are added. */
function put(node: YamlNode | null, [key, ...rest]: readonly YamlScalar[], value: YamlNode, text: string): YamlNode {
  if (key === undefined) return value;
  if (node?.kind === "sequence") {
    const index = Number(key.text);
    if (!Number.isInteger(index) || index < 0 || index >= node.items.length) {
      throw new UsageError(
        `\`${option} ${text}\`: the list has no entry \`${key.text}\``,
        `it has ${node.items.length}, counted from 0`,
      );
    }
    return { ...node, items: node.items.map((item, i) => (i === index ? put(item, rest, value, text) : item)) };
  }
  const inner = put(entryOf(node, key.text)?.value ?? null, rest, value, text);
  const entry: YamlEntry = { key: key.text, keySpan: key.span, keyNode: key, value: inner };
  if (node?.kind !== "mapping") return mapping([entry], key.span);
  const isKnown = node.byKey.has(entry.key);
  const entries = isKnown ? node.entries.map((each) => replaced(each, entry, rest)) : [...node.entries, entry];
  return mapping(entries, node.span);
}

/** A section in which only an inner setting changes keeps the span of its own key. */
function replaced(old: YamlEntry, entry: YamlEntry, rest: readonly YamlScalar[]): YamlEntry {
  if (old.key !== entry.key) return old;
  return rest.length === 0 || old.value.kind === "scalar" ? entry : { ...old, value: entry.value };
}
