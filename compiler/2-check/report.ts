/** Every finding of the check phase, by what is wrong: one place for codes, wording and help. */
import type { Bag, Details } from "../diagnostics/bag.ts";
import { didYouMean } from "../diagnostics/did-you-mean.ts";
import type { Label } from "../diagnostics/diagnostic.ts";
import type { Span } from "../source/span.ts";
import { describe, type Core, type Type } from "./core.ts";

export class Report {
  readonly #bag: Bag;

  constructor(bag: Bag) {
    this.#bag = bag;
  }

  error(code: string, span: Span, message: string, details: Details = {}): void {
    this.#bag.error(code, span, message, details);
  }

  warning(code: string, span: Span, message: string, details: Details = {}): void {
    this.#bag.warning(code, span, message, details);
  }

  unknownName(name: string, span: Span, candidates: Iterable<string>): void {
    this.error(
      "LTX3001",
      span,
      `nothing is named \`${name}\``,
      helpFor(name, candidates, "names are parameters, sources, `let` bindings and built-in functions"),
    );
  }

  unknownMember(owner: string, member: string, span: Span, candidates: readonly string[]): void {
    const known = candidates.map((name) => `\`${name}\``).join(", ");
    this.error("LTX3004", span, `${owner} has no \`${member}\``, helpFor(member, candidates, `it has ${known}`));
  }

  notAMask(core: Core, what: string): void {
    this.error("LTX4001", spanOf(core), `${what} takes masks, this is ${describe(core.type)}`, {
      help: "compare it with a threshold, e.g. `x > 0.5`",
    });
  }

  notANumber(core: Core, what: string): void {
    this.error("LTX4002", spanOf(core), `${what} takes numbers, this is ${describe(core.type)}`, {
      help: "`float(m)` turns a mask into 0 and 1",
    });
  }

  notSupported(span: Span, what: string, help?: string): void {
    this.error("LTX5011", span, `${what} is not supported by this version`, help === undefined ? {} : { help });
  }
}

/** A node that the compiler added has no place of its own; it is never the one to blame. */
export function spanOf(core: Core): Span {
  return core.span ?? { start: 0, end: 0 };
}

/** "`bool[batch, token:video]` comes from here" for the operands of a clash. */
export function originOf(core: Core): Label {
  return { span: spanOf(core), message: `${describe(core.type)} comes from here` };
}

export function sameType(a: Type, b: Type): boolean {
  return a.dtype === b.dtype && a.axes.join() === b.axes.join();
}

function helpFor(word: string, candidates: Iterable<string>, otherwise: string): Details {
  return { help: didYouMean(word, candidates) ?? otherwise };
}
