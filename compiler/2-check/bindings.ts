/** Named values, checked when first asked for, so that their order in the file does not matter and cycles are found. */
import type { Span } from "../source/span.ts";
import type { Binding } from "./checked.ts";
import type { Core } from "./core.ts";
import type { Bindings } from "./environment.ts";
import type { Report } from "./report.ts";

/** How a value is made: its place in the file (null for a default) and its expression; null when there is no such value. */
export type Define = (key: string, span: Span) => { readonly span: Span | null; make(): Core } | null;

/** Values are checked in the order of their needs, so only a cycle has so many of them open at once. */
const maxPending = 200;

export class BindingTable implements Bindings {
  /** Finished values, each after those that it needs. */
  readonly finished: Map<string, Binding>;
  readonly #broken = new Set<string>();
  /** Values being made, each needed by the one before it, with their places in the file. */
  readonly #pending = new Map<string, Span | null>();
  readonly #report: Report;
  readonly #define: Define;
  readonly #needs: (key: string) => readonly string[];

  /** `needs`: keys that a value will surely ask for, as far as that can be told without checking it. */
  constructor(
    report: Report,
    finished: Map<string, Binding>,
    define: Define,
    needs: (key: string) => readonly string[],
  ) {
    this.#report = report;
    this.finished = finished;
    this.#define = define;
    this.#needs = needs;
  }

  refer(key: string, span: Span): Core | null {
    for (const needed of this.#needsFirst(key)) this.#binding(needed, span);
    const binding = this.#binding(key, span);
    return binding === null ? null : { op: "ref", key, type: binding.core.type, span };
  }

  /** Whether a value is being made, so that to ask for it would be a cycle. */
  isPending(key: string): boolean {
    return this.#pending.has(key);
  }

  #binding(key: string, span: Span): Binding | null {
    const known = this.finished.get(key);
    if (known !== undefined || this.#broken.has(key)) return known ?? null;
    if (this.#pending.has(key)) return this.#cycle(key, span);
    if (this.#pending.size >= maxPending) return this.#longCycle(key, span);
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

  #isKnown(key: string): boolean {
    return this.finished.has(key) || this.#broken.has(key) || this.#pending.has(key);
  }

  /**
   * What `key` needs, each after what it needs itself: checked in this order, a long chain of values needs no deep stack. Nothing where
   * one leads back to itself, which the check then finds as it follows the chain.
   */
  #needsFirst(key: string): string[] {
    if (this.#isKnown(key)) return [];
    const order = new Set<string>();
    const open = new Set([key]);
    const path = [{ key, needs: this.#needs(key)[Symbol.iterator]() }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { done, value: next } = top.needs.next();
      if (done === true) {
        order.add(top.key);
        path.pop();
      } else if (this.#pending.has(next) || (open.has(next) && !order.has(next))) return [];
      else if (!open.has(next) && !this.#isKnown(next)) {
        open.add(next);
        path.push({ key: next, needs: this.#needs(next)[Symbol.iterator]() });
      }
    }
    return [...order].slice(0, -1);
  }

  #longCycle(key: string, span: Span): null {
    const [first] = this.#pending.values();
    this.#report.error("LTX5001", first ?? span, `\`${key}\` is defined by itself, by way of hundreds of others`, {
      help: "take one of them out of the round",
    });
    return null;
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
