/** Pieces of generated code that know where they came from, laid out in lines of at most 110 columns. */
import type { Span } from "../../source/span.ts";

export type Code =
  | string
  | readonly Code[]
  /** `head(args)`, one argument a line where it does not fit on one. */
  | {
      readonly kind: "call";
      readonly head: Code;
      readonly args: readonly Code[];
      readonly open: string;
      readonly close: string;
    }
  | { readonly kind: "at"; readonly span: Span; readonly code: Code };

export function call(head: Code, args: readonly Code[]): Code {
  return { kind: "call", head, args, open: "(", close: ")" };
}

export function list(items: readonly Code[]): Code {
  return { kind: "call", head: "", args: items, open: "[", close: "]" };
}

/** `{ a, b }` */
export function object(head: Code, items: readonly Code[]): Code {
  return { kind: "call", head, args: items, open: "{", close: "}" };
}

/** Marks code as written for a place of the source. */
export function at(span: Span | null, code: Code): Code {
  return span === null ? code : { kind: "at", span, code };
}

/** A place of the generated text, counted from 0, and the offset in the source that it was made from. */
export interface Segment {
  readonly line: number;
  readonly column: number;
  readonly offset: number | null;
}

const WIDTH = 110;

/** Collects text and remembers where each piece came from. */
export class Writer {
  #text = "";
  #line = 0;
  #column = 0;
  readonly segments: Segment[] = [];

  get text(): string {
    return this.#text;
  }

  /** Writes code at the current place; broken calls are indented by `indent` spaces and two more. */
  write(code: Code, indent = 0): void {
    this.#write(code, indent, null);
  }

  /** Spaces in front of the code are part of its indentation. */
  line(code: Code = "", indent = 0): void {
    this.#put(code === "" ? "" : " ".repeat(indent));
    this.#write(code, indent + leadingSpaces(code), null);
    this.#put("\n");
  }

  #write(code: Code, indent: number, from: number | null): void {
    if (typeof code === "string") return this.#put(code);
    if (!("kind" in code)) return code.forEach((part) => this.#write(part, indent, from));
    if (code.kind === "at") {
      this.#mark(code.span.start);
      this.#write(code.code, indent, code.span.start);
      return this.#mark(from);
    }
    this.#write(code.head, indent, from);
    this.#put(code.open);
    const fits = this.#column + flatLength(code.args) + 2 * code.args.length <= WIDTH;
    const padding = fits && code.open === "{" && code.args.length > 0 ? " " : "";
    this.#put(padding);
    code.args.forEach((arg, i) => {
      if (!fits) this.#put(`\n${" ".repeat(indent + 2)}`);
      this.#write(arg, indent + 2, from);
      this.#put(fits ? (i < code.args.length - 1 ? ", " : "") : ",");
    });
    this.#put(fits ? padding : `\n${" ".repeat(indent)}`);
    this.#put(code.close);
  }

  #mark(offset: number | null): void {
    this.segments.push({ line: this.#line, column: this.#column, offset });
  }

  #put(text: string): void {
    this.#text += text;
    const lines = text.split("\n");
    this.#line += lines.length - 1;
    this.#column = lines.length > 1 ? (lines.at(-1) ?? "").length : this.#column + text.length;
  }
}

function leadingSpaces(code: Code): number {
  const first = typeof code === "string" || "kind" in code ? code : code[0];
  return typeof first === "string" ? first.length - first.trimStart().length : 0;
}

function flatLength(code: Code | readonly Code[]): number {
  if (typeof code === "string") return code.length;
  if (!("kind" in code)) return code.reduce((total: number, part) => total + flatLength(part), 0);
  if (code.kind === "at") return flatLength(code.code);
  return flatLength(code.head) + flatLength(code.args) + 2 * code.args.length;
}
