/** The type of an imported function: `(a: tokens:video, b: f32[batch, frame], k: number) -> f32[batch]`. */
import type { Bag } from "../diagnostics/bag.ts";
import type { Span } from "../source/span.ts";
import type { AxisName, Name } from "./expression/ast.ts";
import type { YamlScalar } from "./tree.ts";

export interface FunctionType {
  readonly parameters: readonly { readonly name: Name; readonly type: ValueType }[];
  readonly result: ValueType;
}

export interface ValueType {
  /** `number`: one that is known before the run. */
  readonly dtype: "f32" | "bool" | "number";
  readonly axes: readonly AxisName[];
  readonly span: Span;
}

/** Null where the text is no such type, which is reported. */
export function parseFunctionType(scalar: YamlScalar, bag: Bag): FunctionType | null {
  const reader = new Reader(scalar);
  const parsed = reader.functionType();
  if (parsed !== null) return parsed;
  bag.error("LTX1112", reader.place, `${reader.found} is not expected here`, {
    help: "write the arguments and the result, e.g. `(a: tokens:video, b: f32[batch, frame], k: number) -> f32[batch]`",
  });
  return null;
}

interface Token {
  readonly text: string;
  readonly span: Span;
}

/** Reads from left to right; `place` is where it stopped. */
class Reader {
  readonly #tokens: readonly Token[];
  readonly #end: Span;
  #at = 0;

  constructor({ text, mapOffset }: YamlScalar) {
    this.#tokens = [...text.matchAll(/->|\w+|\S/g)].map((match) => ({
      text: match[0],
      span: { start: mapOffset(match.index), end: mapOffset(match.index + match[0].length) },
    }));
    this.#end = { start: mapOffset(text.length), end: mapOffset(text.length) };
  }

  get place(): Span {
    return this.#tokens[this.#at]?.span ?? this.#end;
  }

  get found(): string {
    const token = this.#tokens[this.#at];
    return token === undefined ? "the end" : `\`${token.text}\``;
  }

  functionType(): FunctionType | null {
    const parameters = this.#between("(", ")", () => this.#parameter());
    if (parameters === null || !this.#take("->")) return null;
    const result = this.#valueType();
    return result === null || this.#at < this.#tokens.length ? null : { parameters, result };
  }

  #parameter(): FunctionType["parameters"][number] | null {
    const name = this.#word();
    const type = name !== null && this.#take(":") ? this.#valueType() : null;
    return name === null || type === null ? null : { name, type };
  }

  #valueType(): ValueType | null {
    const word = this.#word();
    if (word === null) return null;
    const { span } = word;
    if (word.text === "number") return { dtype: "number", axes: [], span };
    if (word.text === "tokens") return this.#tokensOf(span);
    const axes =
      word.text === "f32" || word.text === "bool" ? this.#between("[", "]", () => this.#axis()) : this.#back();
    return axes === null ? null : { dtype: word.text === "bool" ? "bool" : "f32", axes, span };
  }

  /** `tokens:video` is short for `f32[batch, token:video, channel]`. */
  #tokensOf(span: Span): ValueType | null {
    const modality = this.#take(":") ? this.#word() : null;
    if (modality === null) return null;
    const axes = ["batch", `token:${modality.text}`, "channel"].map((text) => ({ text, span: modality.span }));
    return { dtype: "f32", axes, span };
  }

  #axis(): AxisName | null {
    const name = this.#word();
    if (name === null || !this.#take(":")) return name;
    const of = this.#word();
    return of === null ? null : { text: `${name.text}:${of.text}`, span: { start: name.span.start, end: of.span.end } };
  }

  /** A list between brackets, which may be empty. */
  #between<Item>(open: string, close: string, item: () => Item | null): Item[] | null {
    if (!this.#take(open)) return null;
    const items: Item[] = [];
    if (this.#take(close)) return items;
    do {
      const next = item();
      if (next === null) return null;
      items.push(next);
    } while (this.#take(","));
    return this.#take(close) ? items : null;
  }

  #take(text: string): boolean {
    if (this.#tokens[this.#at]?.text !== text) return false;
    this.#at++;
    return true;
  }

  #word(): Name | null {
    const token = this.#tokens[this.#at];
    if (token === undefined || !/^[A-Za-z_]\w*$/.test(token.text)) return null;
    this.#at++;
    return token;
  }

  /** The word before was the wrong one. */
  #back(): null {
    this.#at--;
    return null;
  }
}
