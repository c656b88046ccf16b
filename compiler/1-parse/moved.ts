/** Trees and findings whose text lies behind that of other files, as `SourceFile.bases` has it. */
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Span } from "../source/span.ts";
import { mapping, type YamlEntry, type YamlNode, type YamlScalar } from "./tree.ts";

const movedSpan = ({ start, end }: Span, by: number): Span => ({ start: start + by, end: end + by });

export function movedFinding(finding: Diagnostic, by: number): Diagnostic {
  const move = <Placed extends { readonly span: Span }>(placed: Placed): Placed => ({
    ...placed,
    span: movedSpan(placed.span, by),
  });
  const { labels, fix } = finding;
  const moved = fix === undefined ? {} : { fix: { ...fix, edits: fix.edits.map(move) } };
  return { ...move(finding), labels: labels.map(move), ...moved };
}

export function moved(node: YamlNode, by: number): YamlNode {
  const span = movedSpan(node.span, by);
  switch (node.kind) {
    case "scalar":
      return movedScalar(node, by);
    case "sequence":
      return { ...node, span, items: node.items.map((item) => moved(item, by)) };
    case "mapping":
      return mapping(
        node.entries.map((entry) => movedEntry(entry, by)),
        span,
      );
  }
}

function movedScalar(node: YamlScalar, by: number): YamlScalar {
  return { ...node, span: movedSpan(node.span, by), mapOffset: (offset) => node.mapOffset(offset) + by };
}

function movedEntry({ key, keySpan, keyNode, value }: YamlEntry, by: number): YamlEntry {
  return { key, keySpan: movedSpan(keySpan, by), keyNode: movedScalar(keyNode, by), value: moved(value, by) };
}
