/** What the operators see of a node that they turn into calls. */
import type { Shape } from "../../../contract.ts";
import type { Attribute, ElementType } from "../../../graph/graph.ts";
import type { CallBuilder } from "../calls.ts";

/** A value of the graph. */
export interface Operand {
  readonly slot: number;
  readonly shape: Shape;
  readonly dtype: ElementType;
  /** The numbers of a small constant; null for all other values. */
  readonly numbers: readonly number[] | null;
  /** Whether nobody but this node reads it, and no other value has a part in its memory. */
  readonly isFree: boolean;
  /** Whether it is an input or a constant of the graph, whose numbers are in row-major order. */
  readonly isGiven: boolean;
}

export interface Lowering {
  readonly build: CallBuilder;
  readonly operands: readonly Operand[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Where the results belong. */
  readonly outputs: readonly Omit<Operand, "numbers" | "isFree" | "isGiven">[];
}

/** Adds the calls that compute a node's outputs. */
export type Operator = (lowering: Lowering) => void;

export function given<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`has no operand or output ${index}`);
  return found;
}

/** The numbers of a constant operand, such as axes. */
export function listOf({ operands }: Lowering, index: number): readonly number[] {
  const { numbers } = given(operands, index);
  if (numbers === null) throw new Error(`has no constant numbers as operand ${index}`);
  return numbers;
}

export function attribute({ attributes }: Lowering, name: string, fallback: number): number {
  const value = attributes[name] ?? fallback;
  if (typeof value !== "number") throw new Error(`has ${name}=${String(value)}`);
  return value;
}

const floats: ReadonlySet<ElementType> = new Set(["float32", "bfloat16", "float16"]);

export const isFloat = ({ dtype }: Pick<Operand, "dtype">): boolean => floats.has(dtype);
