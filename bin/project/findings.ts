import {
  entryOf,
  replacement,
  slipOf,
  type Diagnostic,
  type FileReport,
  type Fix,
} from "../../compiler/diagnostics/index.ts";
import { mapping, nodeAt, toPlain, type YamlNode } from "../../compiler/1-parse/index.ts";
import { jsonText, sourceFile, type SourceFile, type Span } from "../../compiler/source/index.ts";
import type { Finding } from "../../runtime/findings.ts";
import { editsOf } from "./rewrite.ts";

/** Codes of findings about a key itself, not about its value. */
const aboutKeys: readonly string[] = ["LTX6001"];

/**
 * The place in the run config that a finding is about: usually the value at its path. It is the key instead if the value is a whole
 * section, if the key itself is the mistake, or if something is missing below it.
 */
function spanOf(root: YamlNode, { code, path }: Finding): Span {
  const place = nodeAt(root, path);
  const complete = place.depth === path.length && place.node.kind === "scalar";
  if (complete && !aboutKeys.includes(code)) return place.span;
  if (place.keySpan !== undefined) return place.keySpan;
  const first = root.kind === "mapping" ? root.entries[0] : undefined;
  return place.depth > 0 ? place.span : (first?.keySpan ?? { start: root.span.start, end: root.span.start });
}

/** Findings of the runtime as diagnostics of the run config, the file `file`, that they came from. */
export function toDiagnostics(file: SourceFile, root: YamlNode, findings: readonly Finding[]): readonly Diagnostic[] {
  return findings.map((finding) => {
    const { severity, message, help } = finding;
    const { code, slug } = entryOf(finding.code);
    const fix = rewriteOf(file, root, finding) ?? quotesOf(file, root, finding) ?? fixOf(root, finding);
    const base = { code, slug, severity, message, span: spanOf(root, finding), labels: [] };
    return { ...base, ...(help === undefined ? {} : { help }), ...(fix === null ? {} : { fix }) };
  });
}

/** Findings about a file that has no lines, by the name that the user gave it. */
export function reportWithoutLines(named: string, findings: readonly Finding[]): FileReport {
  const file = sourceFile(named, "");
  return { file, diagnostics: toDiagnostics(file, mapping([], { start: 0, end: 0 }), findings) };
}

/** Writes the keys that a finding says, if all of them stand in the file itself. */
function rewriteOf(file: SourceFile, root: YamlNode, { rewrites = [] }: Finding): Fix | null {
  const edits = editsOf(file, root, rewrites);
  if (edits === null) return null;
  const keys = [...new Set(rewrites.flatMap(({ entries }) => Object.keys(entries)))];
  const quoted = (keys.length > 0 ? keys : rewrites.map(({ path }) => path.at(-1))).map((key) => `\`${key}\``);
  return { title: `${keys.length > 0 ? "write" : "remove"} ${quoted.join(" and ")}`, edits };
}

/** Puts a value in quotes. */
function quotesOf({ text }: SourceFile, root: YamlNode, { asText, path }: Finding): Fix | null {
  const { node, depth, span } = nodeAt(root, path);
  if (asText !== true || depth < path.length || node.kind !== "scalar" || node.quoted) return null;
  if (text.slice(span.start, span.end) !== node.text) return null;
  const quoted = jsonText(node.text);
  return { title: `write \`${quoted}\``, edits: [{ span, text: quoted }] };
}

/** Replaces a misspelt word, if it is certain which one was meant. */
function fixOf(root: YamlNode, { code, path, near }: Finding): Fix | null {
  const place = nodeAt(root, path);
  const written = aboutKeys.includes(code) ? path.at(-1) : toPlain(place.node);
  const span = aboutKeys.includes(code) ? place.keySpan : place.span;
  if (near === undefined || span === undefined || place.depth < path.length) return null;
  return slipOf(String(written), [near]) === null ? null : replacement(span, near);
}
