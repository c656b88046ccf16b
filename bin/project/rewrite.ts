/** Changes of a run config's keys as edits of its text. */
import { nodeAt, type YamlMapping, type YamlNode } from "../../compiler/1-parse/index.ts";
import type { Edit, SourceFile, Span } from "../../compiler/source/index.ts";
import { jsonText } from "../../compiler/source/index.ts";
import type { Rewrite } from "../../runtime/findings.ts";

/**
 * The edits that write other keys in place of one, or none: then the key's line is removed. Null where that is not certain: the key is not
 * in this text, comments would be lost, or the section would be left without keys.
 */
export function editsOf({ text }: SourceFile, root: YamlNode, rewrites: readonly Rewrite[]): readonly Edit[] | null {
  const edits = rewrites.map((rewrite) => editOf(text, root, rewrite));
  return edits.length > 0 && edits.every((edit) => edit !== null) ? joined(edits) : null;
}

function editOf(text: string, root: YamlNode, { path, entries, orAdd }: Rewrite): Edit | null {
  const section = nodeAt(root, path.slice(0, -1));
  const place = nodeAt(root, path);
  const { node, keySpan } = place;
  if (orAdd === true && section.depth === path.length - 1 && place.depth < path.length) {
    return section.node.kind === "mapping" ? addition(text, section.node, Object.entries(entries)) : null;
  }
  if (section.node.kind !== "mapping" || keySpan === undefined || place.depth < path.length) return null;
  const end = Math.max(keySpan.end, endOf(text, node));
  if (end > text.length || text.slice(keySpan.start, end).includes("#")) return null;
  const written = Object.entries(entries);
  const isFlow = text[section.node.span.start] === "{";
  if (written.length === 0) return removal(text, section.node, { start: keySpan.start, end }, isFlow);
  const lines = isFlow ? [written.map(inline).join(", ")] : written.flatMap(block);
  const separator = `\n${" ".repeat(columnOf(text, keySpan.start))}`;
  return { span: { start: keySpan.start, end }, text: lines.join(separator) };
}

/** Before the first key of the section; an empty one is written as `{}`. */
function addition(text: string, section: YamlMapping, entries: readonly (readonly [string, unknown])[]): Edit | null {
  const isFlow = text[section.span.start] === "{";
  const first = section.entries[0]?.keySpan.start;
  const at = first ?? section.span.start + 1;
  if (at >= text.length || (first === undefined && !isFlow)) return null;
  const span = { start: at, end: at };
  if (first === undefined) return { span, text: entries.map(inline).join(", ") };
  const indent = text.slice(text.lastIndexOf("\n", first - 1) + 1, first);
  // After a list's dash, or where another key begins the line, there is none to repeat.
  if (!isFlow && indent.trim() !== "") return null;
  return {
    span,
    text: entries
      .map((entry) =>
        isFlow
          ? `${inline(entry)}, `
          : block(entry)
              .map((line) => `${line}\n${indent}`)
              .join(""),
      )
      .join(""),
  };
}

/** Edits at one place become one: additions, then the key before which they stand. */
function joined(edits: readonly Edit[]): Edit[] {
  const places = new Map<number, Edit>();
  for (const edit of edits.toSorted((a, b) => a.span.end - b.span.end)) {
    const before = places.get(edit.span.start);
    const gap = before === undefined || /[\s,]$/.test(before.text) ? "" : ", ";
    places.set(edit.span.start, before === undefined ? edit : { ...edit, text: before.text + gap + edit.text });
  }
  return [...places.values()];
}

/** Without the blank space that the reader counts to a list or a mapping. */
function endOf(text: string, { span }: YamlNode): number {
  return span.start + text.slice(span.start, span.end).trimEnd().length;
}

function removal(text: string, section: YamlMapping, { start, end }: Span, isFlow: boolean): Edit | null {
  if (section.entries.length < 2) return null;
  if (isFlow) {
    const comma = /^\s*,\s*/.exec(text.slice(end))?.[0] ?? "";
    const before = comma === "" ? (/\s*,\s*$/.exec(text.slice(0, start))?.[0] ?? "") : "";
    return { span: { start: start - before.length, end: end + comma.length }, text: "" };
  }
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  // After a list's dash other keys of the entry follow, which would lose it.
  if (text.slice(lineStart, start).trim() !== "") return null;
  const rest = /^[^\n]*\n?/.exec(text.slice(end))?.[0] ?? "";
  return { span: { start: lineStart, end: end + rest.length }, text: "" };
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf("\n", offset - 1) + 1);
}

/** JSON is YAML, too. */
const inline = ([key, value]: readonly [string, unknown]): string => `${key}: ${jsonText(value)}`;

/** A mapping and a list of mappings have a line for each key; everything else is short enough for one. */
function block([key, value]: readonly [string, unknown]): readonly string[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return [`${key}:`, ...Object.entries(value).map((entry) => `  ${inline(entry)}`)];
  if (!Array.isArray(value) || !value.some((item) => typeof item === "object")) return [inline([key, value])];
  const items = value.flatMap((item: object) =>
    Object.entries(item).map((entry, i) => `  ${i === 0 ? "-" : " "} ${inline(entry)}`),
  );
  return [`${key}:`, ...items];
}
