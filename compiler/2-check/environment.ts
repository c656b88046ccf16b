/** What an expression is read against. */
import type { Expression } from "../1-parse/expression/ast.ts";
import type { Span } from "../source/span.ts";
import type { Binding } from "./checked.ts";
import type { Core, ModalityName } from "./core.ts";
import type { Declarations } from "./declarations.ts";
import type { Report } from "./report.ts";

/** The draws of one place of the file: the first is named like the place, the next `#1`, `#2`, from left to right. */
interface DrawPlace {
  next(): string;
}

export function drawPlace(place: string): DrawPlace {
  let count = 0;
  return { next: () => (count++ === 0 ? place : `${place}#${count - 1}`) };
}

/** Values by key: `inpaint` of `let`, `video.keep` of a modality. Checked when first asked for. */
export interface Bindings {
  /** Those that could be checked so far. */
  readonly finished: ReadonlyMap<string, Binding>;
  /** A reference to the value, or null when it was reported as broken, cyclic or missing. */
  refer(key: string, span: Span): Core | null;
}

/** Values of passes. */
export interface Passes {
  has(name: string): boolean;
  /** The same with the value that a pass has for a key of the step's own; `pass` is null for the step's own call. */
  refer(pass: string | null, key: string, span: Span): Core | null;
}

/** Bindings with arguments that the strategy puts in. */
export interface Expansions {
  /** How many more there may be. */
  left: number;
  /** Of each binding which of its parameters the values written at a place are given to, by `placeKey`. */
  readonly given: Map<string, Map<string, string>>;
}

/** A place of the strategy as a key. */
export const placeKey = ({ start, end }: Span): string => `${start}-${end}`;

export interface Environment {
  /** The version of the language that the file is written in; what it extends is judged by version 1. */
  readonly language: number;
  readonly report: Report;
  readonly declarations: Declarations;
  readonly bindings: Bindings;
  readonly passes: Passes;
  /** The pass whose keys are being read: its members need no prefix. Null in those of the step's own call, and in other sections. */
  readonly pass: string | null;
  /** The modality whose keys are being read: its members need no prefix. */
  readonly modality: ModalityName | null;
  /** Modalities that the strategy has. */
  readonly modalities: ReadonlySet<ModalityName>;
  readonly draws: DrawPlace;
  /** In `attention` and `keyframes`: the modality whose references and target together are meant by coordinates. */
  readonly sequence: ModalityName | null;
  /** Axes and rounding of a plain draw: in `noise` it runs over every element and is rounded to what this source stores. */
  readonly noiseOf: { readonly modality: ModalityName; readonly source: string } | null;
  /** In `sigma` and `noise` of a reference: its source, over whose frames and tokens draws run. */
  readonly reference: string | null;
  /** In `fps`: draws are numbers on the host, one for each sample. */
  readonly hostDraws: boolean;
  /** The expression of which a mask is expected, which tells what arithmetic with masks means there. */
  readonly maskWanted: Expression | null;
  /** Whether `mean` of a mask is the share of it that is true: in front of `about`. */
  readonly countsMasks: boolean;
  /** Arguments of the `let` with arguments that is being expanded, and the names of those around it. */
  readonly parameters: ReadonlyMap<string, Core>;
  readonly expanding: readonly string[];
  readonly expansions: Expansions;
}
