import { applyEdits } from "../source/edits.ts";
import type { Span } from "../source/span.ts";
import type { Diagnostic, Fix } from "./diagnostic.ts";

/** A finding whose fix was applied; its places are those of the text as it was then. */
export interface Applied {
  readonly diagnostic: Diagnostic;
  readonly fix: Fix;
  readonly text: string;
}

interface Fixed {
  readonly text: string;
  readonly applied: readonly Applied[];
}

/**
 * Applies the fixes of all findings, looks again, and goes on until none is left: one fix may uncover another. Where two of them touch
 * the same place, the second waits for the next round. Ends, too, where fixes lead in a circle.
 */
export async function fixAll(
  text: string,
  examine: (text: string) => Promise<readonly Diagnostic[]> | readonly Diagnostic[],
): Promise<Fixed> {
  const seen = new Set<string>();
  const applied: Applied[] = [];
  let current = text;
  while (!seen.has(current)) {
    seen.add(current);
    const chosen = apart(await examine(current));
    applied.push(...chosen.map(({ diagnostic, fix }) => ({ diagnostic, fix, text: current })));
    current = applyEdits(
      current,
      chosen.flatMap(({ fix }) => fix.edits),
    );
  }
  return { text: current, applied };
}

interface Choice {
  readonly diagnostic: Diagnostic;
  readonly fix: Fix;
}

/** The fixes that do not touch one another, the first of the file first. */
function apart(diagnostics: readonly Diagnostic[]): Choice[] {
  const taken: Span[] = [];
  return diagnostics.flatMap((diagnostic) => {
    const { fix } = diagnostic;
    const spans = fix?.edits.map(({ span }) => span) ?? [];
    if (fix === undefined || spans.some((span) => taken.some((other) => meet(span, other)))) return [];
    taken.push(...spans);
    return [{ diagnostic, fix }];
  });
}

function meet(a: Span, b: Span): boolean {
  return a.start <= b.end && b.start <= a.end;
}
