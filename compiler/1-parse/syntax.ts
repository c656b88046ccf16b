/**
 * What a strategy file says, before any of its names mean anything: the public output of the parse phase.
 *
 * Values of the wrong shape are missing here (null, left out of a list, or an expression of kind `error`): the schema check
 * reports them, so later phases pass over them in silence.
 */
import type { Span } from "../source/span.ts";
import type { AxisName, Binder, Expected, Expression, Item, Name, ReferenceItem } from "./expression/ast.ts";
import type { FunctionType } from "./function-type.ts";
import type { YamlNode } from "./tree.ts";

export interface StrategySyntax {
  /** Value of the key `strategy`. */
  readonly name: Name | null;
  readonly language: Located<number> | null;
  readonly description: Located<string> | null;
  readonly extends: Located<string> | null;
  readonly params: readonly ParamSyntax[];
  readonly sources: readonly SourceSyntax[];
  readonly datasets: readonly DatasetSyntax[];
  readonly lets: readonly LetSyntax[];
  readonly video: ModalitySyntax | null;
  readonly audio: ModalitySyntax | null;
  readonly passes: readonly PassSyntax[];
  readonly losses: readonly LossSyntax[];
  readonly outputs: readonly OutputSyntax[];
  readonly weights: readonly WeightSyntax[];
  readonly networks: readonly NetworkSyntax[];
  readonly imports: readonly ImportSyntax[];
  readonly metadata: readonly MetadataSyntax[];
  readonly expect: readonly Expected[];
  /** Names in a section whose key is unknown, or that is a list. */
  readonly strayNames: ReadonlySet<string>;
  /** Of each top-level key that the file has, by its name. */
  readonly keySpans: ReadonlyMap<string, Span>;
  readonly span: Span;
}

export interface Located<T> {
  readonly value: T;
  readonly keySpan: Span;
  readonly span: Span;
}

export interface ParamSyntax {
  readonly name: Name;
  /** The JSON Schema fragment, `{}` where it has the wrong shape. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The same with positions. */
  readonly node: YamlNode;
}

export interface SourceSyntax {
  readonly name: Name;
  readonly kind: Name | null;
  readonly directory: Template | null;
  /** One file for all samples, instead of a directory. */
  readonly file: Template | null;
  /** Kind `tensor` only. */
  readonly key: Located<string> | null;
  readonly axes: Located<readonly AxisName[]> | null;
  /** Kind `tensor` only: the smallest and the largest number that it holds. */
  readonly range: Located<readonly [number, number]> | null;
  /** Kinds of latents only: the source whose grid it has. */
  readonly like: Name | null;
  /** Whether samples without a file of it are kept. */
  readonly optional: Located<boolean> | null;
  /** Whether it has a key that means nothing, or an `optional` that is neither `true` nor `false`: samples may be meant to lack it. */
  readonly isOdd: boolean;
  readonly span: Span;
}

/** A set of samples, of which every batch has its share. */
export interface DatasetSyntax {
  readonly name: Name;
  /** Below the data root; null for that root itself. */
  readonly root: Template | null;
  /** A number, or the name of a parameter; null for what the others leave. */
  readonly share: Located<number | string> | null;
  /** Sources that it does not have. */
  readonly without: readonly Name[];
  /** Whether it has a key that means nothing, which may be meant for another. */
  readonly isOdd: boolean;
  readonly span: Span;
}

/** Text with `${…}` in it. */
export interface Template {
  readonly parts: readonly TemplatePart[];
  readonly span: Span;
}

export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  /** `span` includes `${` and `}`. */
  | { readonly kind: "expression"; readonly value: Expression; readonly span: Span };

export interface LetSyntax {
  readonly binder: Binder;
  readonly value: Expression;
}

export interface LossSyntax {
  readonly name: Name;
  readonly value: Expression;
}

/** A key of a modality whose value is an expression. */
export interface EntrySyntax {
  readonly keySpan: Span;
  readonly value: Expression;
}

/** A key of a modality whose value is one entry or a list of entries. */
export interface ItemsSyntax {
  readonly keySpan: Span;
  readonly items: readonly Item[];
  readonly span: Span;
}

export interface ReferencesSyntax extends ItemsSyntax {
  readonly items: readonly ReferenceItem[];
}

export interface ModalitySyntax {
  readonly name: "video" | "audio";
  readonly keySpan: Span;
  readonly span: Span;
  readonly latents: EntrySyntax | null;
  /** A source, or several of which each sample gets one. */
  readonly text: ItemsSyntax | null;
  readonly generate: Located<boolean> | null;
  readonly fps: EntrySyntax | null;
  readonly sigma: EntrySyntax | null;
  readonly noise: EntrySyntax | null;
  readonly noisy: EntrySyntax | null;
  readonly target: EntrySyntax | null;
  readonly denoised: EntrySyntax | null;
  readonly attention: EntrySyntax | null;
  /** Video only. */
  readonly keyframes: EntrySyntax | null;
  readonly keep: ItemsSyntax | null;
  /** At most one item. */
  readonly noiseMask: ItemsSyntax | null;
  readonly references: ReferencesSyntax | null;
}

/** Another call of the model in the step, and what it is given that is not the step's own. */
export interface PassSyntax {
  readonly name: Name;
  /** `false`: without the LoRA; `ema`: with the moving average of the weights. */
  readonly adapters: Located<boolean | string> | null;
  /** `through` */
  readonly gradient: Located<string> | null;
  readonly video: ModalitySyntax | null;
  readonly audio: ModalitySyntax | null;
  /** Whether it has a key that means nothing, which may be meant for another. */
  readonly isOdd: boolean;
  readonly span: Span;
}

export interface OutputSyntax {
  readonly name: Name;
  /** `block 12`, or `block ${layer}` */
  readonly tap: Located<string> | null;
  readonly modality: Located<string> | null;
  /** Of a head: the output that it reads. */
  readonly linear: Name | null;
  readonly features: Located<number> | null;
  /** What stands in the `${…}` of `tap`, or of `features` in place of its number. */
  readonly given: Expression | null;
  readonly activation: Located<string> | null;
}

/** A trained tensor of the strategy's own. */
export interface WeightSyntax {
  readonly name: Name;
  /** Each with its length where one is written: `text: 8`. */
  readonly axes: Located<readonly { readonly name: string; readonly length: number | null }[]> | null;
  readonly like: Name | null;
  /** `randn(0.02)` or a number. */
  readonly init: Expression | null;
}

/** A network whose weights are not trained. */
export interface NetworkSyntax {
  readonly name: Name;
  /** The name of a known architecture, or the layers of one of the file's own. */
  readonly architecture: Located<string | readonly Name[]> | null;
  readonly from: Template | null;
  readonly prefix: Located<string> | null;
  /** Sizes by their keys; null also where one is no number. */
  readonly window: Located<Readonly<Record<string, number>>> | null;
  readonly type: FunctionType | null;
  /** Whether it has a key that means nothing, which may be meant for another. */
  readonly isOdd: boolean;
}

export interface ImportSyntax {
  readonly name: Name;
  readonly from: Located<string> | null;
  /** The same function in Python, for the official trainer. */
  readonly python: Located<string> | null;
  readonly type: FunctionType | null;
}

export interface MetadataSyntax {
  readonly name: Name;
  readonly value: Template;
}
