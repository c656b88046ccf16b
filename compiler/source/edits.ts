import type { Span } from "./span.ts";

/** A replacement of one range of a text. */
export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** The text with all edits made; their ranges refer to `text` and must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const { span, text: inserted } of edits.toSorted((a, b) => a.span.start - b.span.start)) {
    if (span.start < at) throw new Error(`two edits overlap at ${span.start}`);
    result += text.slice(at, span.start) + inserted;
    at = span.end;
  }
  return result + text.slice(at);
}
