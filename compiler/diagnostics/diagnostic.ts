import type { Edit } from "../source/edits.ts";
import type { Span } from "../source/span.ts";
import type { Code } from "./catalog/index.ts";

export type Severity = "error" | "warning";

/** A second place that explains the first. */
export interface Label {
  readonly span: Span;
  readonly message: string;
}

/** A change that is certain to be right. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly Edit[];
}

/** One finding, as plain data: offsets only, renderers derive lines. */
export interface Diagnostic {
  /** Stable, never reused: LTX and four digits. */
  readonly code: Code;
  readonly slug: string;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  readonly labels: readonly Label[];
  readonly help?: string;
  readonly fix?: Fix;
}
