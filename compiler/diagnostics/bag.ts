import type { Span } from "../source/span.ts";
import { entryOf, type Code } from "./catalog/index.ts";
import type { Diagnostic, Fix, Label, Severity } from "./diagnostic.ts";

/** What a finding may have besides its message. */
export interface Details {
  /** What to write instead. */
  readonly help?: string;
  readonly labels?: readonly Label[];
  readonly fix?: Fix;
}

/** Collects the findings of one file. */
export class Bag {
  readonly #found = new Map<string, Diagnostic>();
  readonly #places = new Set<string>();
  #reports = 0;

  error(code: Code, span: Span, message: string, details: Details = {}): void {
    this.#add("error", code, span, message, details);
  }

  warning(code: Code, span: Span, message: string, details: Details = {}): void {
    this.#add("warning", code, span, message, details);
  }

  /** How often something was reported, repetitions and what was withdrawn included. */
  get reports(): number {
    return this.#reports;
  }

  get hasErrors(): boolean {
    return [...this.#found.values()].some((diagnostic) => diagnostic.severity === "error");
  }

  /** An empty one, for a part whose findings are looked at first. */
  fork(): Bag {
    return new Bag();
  }

  /** A finding that another bag has collected. */
  add({ code, span, message, severity, ...details }: Diagnostic): void {
    this.#add(severity, code, span, message, details);
  }

  /** Takes back findings of a code inside of a place, of which another finding says more. */
  withdraw(code: Code, { start, end }: Span): void {
    for (const [key, found] of this.#found)
      if (found.code === code && found.span.start >= start && found.span.end <= end) this.#found.delete(key);
  }

  /** Whether something was found at exactly this place. */
  hasAt({ start, end }: Span): boolean {
    return this.#places.has(`${start} ${end}`);
  }

  /** The findings in the order of the file, each once. */
  sorted(): readonly Diagnostic[] {
    return [...this.#found.values()].toSorted(
      (a, b) => a.span.start - b.span.start || a.span.end - b.span.end || a.code.localeCompare(b.code, "en"),
    );
  }

  #add(severity: Severity, code: Code, span: Span, message: string, details: Details): void {
    this.#reports += 1;
    const { slug } = entryOf(code);
    const key = `${code} ${span.start} ${span.end} ${message}`;
    if (this.#found.has(key)) return;
    this.#places.add(`${span.start} ${span.end}`);
    this.#found.set(key, { code, slug, severity, message, span, labels: [], ...details });
  }
}
