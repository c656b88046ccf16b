/** What the oracle finds: a strategy that runs, and most probably trains something else than was meant. */
import { entryOf, type Code, type Diagnostic } from "../../../compiler/diagnostics/index.ts";
import type { Span } from "../../../compiler/source/index.ts";
import type { Subject } from "../../probe/subject.ts";
import { describeBatch, type TrialBatch } from "../batches.ts";

export interface Suspicion {
  readonly code: Code;
  readonly span: Span;
  readonly message: string;
  /** What to do about it. */
  readonly help: string;
  /** The batch with the numbers of the message. */
  readonly batch: TrialBatch | null;
  /** A warning if not given: such can be allowed at its line. */
  readonly severity?: "error";
}

export function asDiagnostic({ step }: Subject, { code, span, message, help, batch, severity }: Suspicion): Diagnostic {
  const seen = batch === null ? "" : `, with ${describeBatch(step.strategy, batch)}`;
  const silence = severity === "error" ? "" : `; if it is meant, write \`# allow: ${code}\` and why on this line`;
  return {
    code,
    slug: entryOf(code).slug,
    severity: severity ?? "warning",
    message: `${message}${seen}`,
    span,
    labels: [],
    help: `${help}${silence}`,
  };
}

/** Where a value is written; for a default its modality. */
export function spanOfValue({ program, probed }: Subject, key: string): Span {
  const [owner] = key.split(".");
  const written = probed.find((value) => value.key === key)?.span;
  return written ?? program.modalities.find(({ name }) => name === owner)?.span ?? { start: 0, end: 0 };
}

/** Whether the file itself says what a value is. */
export const isWritten = ({ probed }: Subject, key: string): boolean =>
  probed.some((value) => value.key === key && value.span !== null);
