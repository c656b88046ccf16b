/** Named values, checked when first asked for, so that their order in the file does not matter and cycles are found. */
import type { Span } from "../source/span.ts";
import type { Binding } from "./checked.ts";
import type { Core } from "./core.ts";
import type { Bindings } from "./environment.ts";
import type { Report } from "./report.ts";

/** How a value is made: its place in the file (null for a default) and its expression; null when there is no such value. */
export type Define = (key: string, span: Span) => { readonly span: Span | null; make(): Core } | null;

export class BindingTable implements Bindings {
  /** Finished values, each after those that it needs. */
  readonly finished: Map<string, Binding>;
  readonly #broken = new Set<string>();
  /** Values being made, each needed by the one before it, with their places in the file. */
  readonly #pending = new Map<string, Span | null>();
  readonly #report: Report;
  readonly #define: Define;

  constructor(report: Report, finished: Map<string, Binding>, define: Define) {
    this.#report = report;
    this.finished = finished;
    this.#define = define;
  }

  refer(key: string, span: Span): Core | null {
    const binding = this.#binding(key, span);
    return binding === null ? null : { op: "ref", key, type: binding.core.type, span };
  }

  #binding(key: string, span: Span): Binding | null {
    const known = this.finished.get(key);
    if (known !== undefined || this.#broken.has(key)) return known ?? null;
    if (this.#pending.has(key)) return this.#cycle(key, span);
    const definition = this.#define(key, span);
    if (definition === null) return null;
    this.#pending.set(key, definition.span);
    const core = definition.make();
    this.#pending.delete(key);
    if (core.op === "error") {
      this.#broken.add(key);
      return null;
    }
    const binding = { key, core, span: definition.span };
    this.finished.set(key, binding);
    return binding;
  }

  #cycle(key: string, span: Span): null {
    const pending = [...this.#pending.keys()];
    const members = pending.slice(pending.indexOf(key));
    const round = [...members, key].map((name) => `\`${name}\``).join(" → ");
    const written = members.flatMap((member) => this.#pending.get(member) ?? []);
    this.#report.error("LTX5001", written[0] ?? span, `\`${key}\` is defined by itself: ${round}`, {
      help: "take one of them out of the other's definition",
    });
    return null;
  }
}
