import type { Shape } from "../../../contract.ts";
import type { Attribute, ElementType, Initializer, Node, Value, ValueType } from "../../graph.ts";

/** The shape and type of an operator's output. Throws, with the reason, if the operator does not take the operands. */
export type Rule = (operands: Operands) => ValueType;

/** Values of a graph by name. */
interface Known {
  readonly values: ReadonlyMap<string, Value>;
  readonly constants: ReadonlyMap<string, Initializer>;
}

/** A node's inputs and attributes as a rule reads them. */
export class Operands {
  readonly #node: Node;
  readonly #known: Known;

  constructor(node: Node, known: Known) {
    this.#node = node;
    this.#known = known;
  }

  get all(): Value[] {
    return this.#node.inputs.flatMap((name) => this.#known.values.get(name) ?? []);
  }

  /** The recorded shape and type of the output. */
  get made(): ValueType {
    const [output] = this.#node.outputs;
    if (output === undefined) throw new Error("makes nothing");
    return output;
  }

  has(index: number): boolean {
    return (this.#node.inputs[index] ?? "") !== "";
  }

  at(index: number): Value {
    const value = this.#known.values.get(this.#node.inputs[index] ?? "");
    if (value === undefined) throw new Error(`has no input ${index}`);
    return value;
  }

  /** The numbers of an int64 input; null if they are known only when the graph runs. */
  integers(index: number): number[] | null {
    const { name, dtype } = this.at(index);
    if (dtype !== "int64") throw new Error(`reads ${name} as integers, it is ${dtype}`);
    const { bytes } = this.#known.constants.get(name) ?? {};
    if (!(bytes instanceof Uint8Array)) return null;
    return Array.from(new BigInt64Array(bytes.slice().buffer), Number);
  }

  integer(name: string, fallback: number): number {
    const value = this.#attribute(name) ?? fallback;
    if (typeof value !== "number") throw new Error(`has ${name}=${String(value)}`);
    return value;
  }

  list(name: string, fallback?: readonly number[]): readonly number[] {
    const value = this.#attribute(name) ?? fallback;
    if (typeof value !== "object") throw new Error(`has no ${name}`);
    return value;
  }

  #attribute(name: string): Attribute | undefined {
    return this.#node.attributes[name];
  }
}

/** The axis counted from the front. Throws if there is no such axis. */
export function axisOf(axis: number, rank: number): number {
  const index = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(index) || index < 0 || index >= rank) throw new Error(`has an axis ${axis} of ${rank}`);
  return index;
}

/** NumPy's broadcasting. Throws if sizes do not fit. */
export function broadcastAll(shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const other = shape[axis - rank + shape.length] ?? 1;
      if (other !== 1 && size !== 1 && other !== size) {
        throw new Error(`does not broadcast ${shapes.map((x) => `[${x.join(", ")}]`).join(" and ")}`);
      }
      if (other !== 1) size = other;
    }
    return size;
  });
}

/** The type that all operands must share, which must be one of `allowed`. */
export function sameType(values: readonly Value[], allowed: readonly ElementType[]): ElementType {
  const [first] = values;
  if (first === undefined) throw new Error("has no inputs");
  const other = values.find(({ dtype }) => dtype !== first.dtype);
  if (other !== undefined) throw new Error(`mixes ${first.dtype} (${first.name}) and ${other.dtype} (${other.name})`);
  if (!allowed.includes(first.dtype)) throw new Error(`does not take ${first.dtype} (${first.name})`);
  return first.dtype;
}

/**
 * Like `sameType`, for operators that compute each element by itself: next to bfloat16, a number (float32 without axes) needs no type of
 * its own. They compute in float32 and round the result.
 */
export function commonType(values: readonly Value[], allowed: readonly ElementType[]): ElementType {
  const isNumber = ({ shape, dtype }: Value) => dtype === "float32" && shape.length === 0;
  const isNarrow = values.some(({ dtype }) => dtype === "bfloat16");
  return sameType(isNarrow ? values.filter((value) => !isNumber(value)) : values, allowed);
}
