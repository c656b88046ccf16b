/** A YAML text as the marks, scalars and comments that it is written in: everything but the white space between them. */
import { Parser, type CST } from "yaml";
import type { Span } from "../source/span.ts";

type YamlTokenKind =
  | "comment"
  | "scalar"
  | "block-scalar"
  | "alias"
  /** An anchor or a tag. */
  | "property"
  /** `:`, `-`, `?`, `,` */
  | "colon"
  | "dash"
  | "question"
  | "comma"
  /** `[` or `{`, and their ends. */
  | "open"
  | "close"
  /** `---` or `...` */
  | "document";

/** A block mapping or list: the column where its entries stand, and the one where they belong, two further in than what holds it. */
export interface Level {
  readonly from: number;
  readonly to: number;
}

export interface YamlToken {
  readonly kind: YamlTokenKind;
  readonly span: Span;
  /** The column where the token belongs if it begins a line. */
  readonly indent: number;
  /** The block collections that it is in, the outermost first. */
  readonly levels: readonly Level[];
  readonly inFlow: boolean;
}

const kinds: Readonly<Record<string, YamlTokenKind>> = {
  comment: "comment",
  scalar: "scalar",
  "single-quoted-scalar": "scalar",
  "double-quoted-scalar": "scalar",
  "block-scalar": "block-scalar",
  alias: "alias",
  anchor: "property",
  tag: "property",
  "map-value-ind": "colon",
  "seq-item-ind": "dash",
  "explicit-key-ind": "question",
  comma: "comma",
  "flow-map-start": "open",
  "flow-seq-start": "open",
  "flow-map-end": "close",
  "flow-seq-end": "close",
  "doc-start": "document",
  "doc-end": "document",
};

/** The tokens of a text that has no errors, in its order. */
export function yamlTokens(text: string): YamlToken[] {
  const collector = new Collector();
  for (const token of new Parser().parse(text)) collector.token(token, { indent: 0, levels: [], inFlow: false });
  return collector.tokens;
}

type Context = Pick<YamlToken, "indent" | "levels" | "inFlow">;

class Collector {
  readonly tokens: YamlToken[] = [];
  #at = 0;

  token(token: CST.Token, context: Context): void {
    switch (token.type) {
      case "document":
        this.#sources(token.start, context);
        if (token.value !== undefined) this.token(token.value, context);
        return this.#sources(token.end ?? [], context);
      case "block-map":
      case "block-seq":
        return this.#block(token, context);
      case "flow-collection":
        return this.#flow(token, context);
      case "block-scalar":
        return this.#add(token.type, token.props.map(sourceOf).join("") + token.source, context);
      default:
        this.#add(token.type, sourceOf(token), context);
        if ("end" in token) this.#sources(token.end ?? [], context);
    }
  }

  #block({ indent, items }: CST.BlockMap | CST.BlockSequence, context: Context): void {
    const levels = [...context.levels, { from: indent, to: context.indent }];
    const entry = { ...context, levels };
    const value = { ...entry, indent: context.indent + 2 };
    for (const item of items) {
      this.#sources(item.start, entry);
      if (item.key) this.token(item.key, entry);
      this.#sources(item.sep ?? [], entry);
      if (item.value) this.token(item.value, value);
    }
  }

  #flow({ start, items, end }: CST.FlowCollection, context: Context): void {
    const inner = { ...context, indent: context.indent + 2, inFlow: true };
    this.#add(start.type, start.source, context);
    for (const item of items) {
      this.#sources(item.start, inner);
      if (item.key) this.token(item.key, inner);
      this.#sources(item.sep ?? [], inner);
      if (item.value) this.token(item.value, inner);
    }
    this.#sources(end, context);
  }

  #sources(tokens: readonly CST.SourceToken[], context: Context): void {
    for (const { type, source } of tokens) this.#add(type, source, context);
  }

  #add(type: string, source: string, context: Context): void {
    const span = { start: this.#at, end: this.#at + source.length };
    this.#at = span.end;
    const kind = kinds[type];
    if (kind !== undefined) this.tokens.push({ kind, span, ...context });
  }
}

function sourceOf(token: CST.Token): string {
  return "source" in token ? token.source : "";
}
