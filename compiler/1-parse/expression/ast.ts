/** The syntax tree of expressions. Spans are offsets in the file, not in the YAML scalar. */
import type { Span } from "../../source/span.ts";

export type BinaryOperator = "+" | "-" | "*" | "/" | "^" | "<" | "<=" | ">" | ">=" | "==" | "!=" | "and" | "or";

/** Of a length: pixels, latent frames (of audio latent steps), pixel frames, seconds, or percent of the axis. */
export type Unit = "px" | "lf" | "f" | "s" | "%";

export interface Name {
  readonly text: string;
  readonly span: Span;
}

/** `channel`, or `token:video` outside a modality. */
export interface AxisName {
  readonly text: string;
  readonly span: Span;
}

export interface Argument {
  /** Of `name=value`. */
  readonly name: Name | null;
  readonly value: Expression;
}

export type Expression =
  | { readonly kind: "number"; readonly value: number; readonly unit?: Unit; readonly span: Span }
  | { readonly kind: "boolean"; readonly value: boolean; readonly span: Span }
  /** `"soft"`, compared with a parameter; anywhere else it is an error. */
  | { readonly kind: "text"; readonly value: string; readonly span: Span }
  /** A bare name, or a call without its callee's receiver: `mean(x, channel)` is a call, `first_frame` a name. */
  | { readonly kind: "name"; readonly name: string; readonly span: Span }
  | { readonly kind: "call"; readonly callee: Name; readonly args: readonly Argument[]; readonly span: Span }
  /** `object.name` and `object.name(args)`: fields and methods of modalities and sources. `args` is null without parentheses. */
  | {
      readonly kind: "member";
      readonly object: Expression;
      readonly member: Name;
      readonly args: readonly Argument[] | null;
      readonly span: Span;
    }
  | { readonly kind: "index"; readonly object: Expression; readonly index: number; readonly span: Span }
  | { readonly kind: "negate"; readonly operand: Expression; readonly span: Span }
  | { readonly kind: "not"; readonly operand: Expression; readonly span: Span }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      /** Of the operator itself. */
      readonly operatorSpan: Span;
      readonly left: Expression;
      readonly right: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly then: Expression;
      readonly else: Expression;
      readonly span: Span;
    }
  /** `value over mask`; `mask` is wrapped in a `not` node for `over not m`. */
  | { readonly kind: "over"; readonly value: Expression; readonly mask: Expression; readonly span: Span }
  /** `value per (frame, channel)`. */
  | { readonly kind: "per"; readonly value: Expression; readonly axes: readonly AxisName[]; readonly span: Span }
  /** What is left of a syntax error that was reported already; has the poisoned type. */
  | { readonly kind: "error"; readonly span: Span };

/** An entry of `keep`, `noise_mask` or `references`: `expr [with probability p]`. */
export interface Item {
  readonly value: Expression;
  readonly probability: Expression | null;
  readonly span: Span;
}

/** An entry of `expect`: a mask, or `value about number [within number]`, of which the mean over many draws is expected. */
export interface Expected {
  readonly value: Expression;
  readonly share: { readonly about: Expression; readonly within: Expression | null } | null;
  readonly span: Span;
}

/** An entry of `references`, as an item or as a mapping; a mapping may say how the reference is noised. */
export interface ReferenceItem extends Item {
  readonly isMapping: boolean;
  readonly sigma: ReferenceKey | null;
  readonly noise: ReferenceKey | null;
}

/** A key of a reference that is written as a mapping. */
interface ReferenceKey {
  readonly keySpan: Span;
  readonly value: Expression;
}

/** The left side of a `let` entry: `name` or `name(a, b)`. */
export interface Binder {
  readonly name: Name;
  readonly parameters: readonly Name[] | null;
  readonly span: Span;
}
