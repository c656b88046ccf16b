import { isSame } from "../record/builder.ts";
import type { Shape } from "../../contract.ts";
import {
  sizeOf,
  valuesOf,
  type Attribute,
  type ElementType,
  type Graph,
  type Initializer,
  type Node,
  type Value,
} from "../graph.ts";

/** Constants of more bytes are neither compared nor used in computations. */
export const SMALL_BYTES = 256;

/** The new graph that a pass writes while it goes through the nodes of the old one in order. */
export class Edit {
  readonly #initializers: Initializer[];
  readonly #nodes: Node[] = [];
  readonly #values = new Map<string, Value>();
  readonly #makers = new Map<string, Node>();
  readonly #constants = new Map<string, Initializer>();
  readonly #sameAs = new Map<string, string>();
  readonly #outputs: ReadonlySet<string>;
  /** All names of the old graph, also those that the pass has not reached yet. */
  readonly #names: ReadonlySet<string>;
  #made = 0;

  constructor(graph: Graph) {
    this.#initializers = [...graph.initializers];
    this.#outputs = new Set(graph.outputs);
    this.#names = new Set(valuesOf(graph).keys());
    for (const x of graph.initializers) this.#constants.set(x.name, x);
    for (const x of [...graph.inputs, ...graph.initializers]) this.#values.set(x.name, x);
  }

  /** The name in the new graph of a value of the old one. */
  current(name: string): string {
    return this.#sameAs.get(name) ?? name;
  }

  isOutput(name: string): boolean {
    return this.#outputs.has(name);
  }

  value(name: string): Value {
    const found = this.#values.get(name);
    if (found === undefined) throw new Error(`the graph has no value ${name}`);
    return found;
  }

  /** The node that computes a value, if its operator is `op`. */
  maker(name: string, op: string): Node | undefined {
    const node = this.#makers.get(name);
    return node?.op === op ? node : undefined;
  }

  /** The bytes of a small constant. */
  bytes(name: string): Uint8Array | undefined {
    const { bytes } = this.#constants.get(name) ?? {};
    return bytes instanceof Uint8Array && bytes.length <= SMALL_BYTES ? bytes : undefined;
  }

  /** The numbers of a small float32 constant. */
  numbers(name: string): Float32Array | undefined {
    const bytes = this.value(name).dtype === "float32" ? this.bytes(name) : undefined;
    return bytes && new Float32Array(bytes.slice().buffer);
  }

  /** The number, if the value is a float32 constant of one element. */
  scalar(name: string): number | undefined {
    const numbers = this.numbers(name);
    return numbers?.length === 1 ? numbers[0] : undefined;
  }

  /** The numbers of a constant shape or list of axes. */
  list(name: string): number[] | undefined {
    const bytes = this.value(name).dtype === "int64" ? this.bytes(name) : undefined;
    return bytes && Array.from(new BigInt64Array(bytes.slice().buffer), Number);
  }

  push(node: Node): void {
    this.#nodes.push(node);
    for (const output of node.outputs) {
      this.#values.set(output.name, output);
      this.#makers.set(output.name, node);
    }
  }

  /** Adds a node with one output, and returns the name of the output. */
  emit(
    op: string,
    inputs: readonly string[],
    shape: Shape,
    dtype: ElementType,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const output = { name: this.#newName(op), shape, dtype };
    this.push({ op, inputs, outputs: [output], attributes });
    return output.name;
  }

  integers(values: readonly number[]): string {
    return this.constant(new Uint8Array(BigInt64Array.from(values, BigInt).buffer), [values.length], "int64");
  }

  number(x: number): string {
    return this.constant(new Uint8Array(Float32Array.of(x).buffer), [], "float32");
  }

  constant(bytes: Initializer["bytes"], shape: Shape, dtype: ElementType): string {
    const constant: Initializer = { name: this.#newName("c"), shape, dtype, bytes };
    this.#initializers.push(constant);
    this.#constants.set(constant.name, constant);
    this.#values.set(constant.name, constant);
    return constant.name;
  }

  /** Replaces a node's output by the value `to`. An output of the graph keeps its name, and becomes a copy. */
  alias(node: Node, to: string): void {
    const [output] = node.outputs;
    if (output === undefined) return;
    if (this.isOutput(output.name)) this.push({ op: "Identity", inputs: [to], outputs: [output], attributes: {} });
    else this.#sameAs.set(output.name, to);
  }

  /** Like `alias`, for a value that may have to be reshaped or expanded to the output's shape. */
  become(node: Node, output: Value, to: string): void {
    const { shape } = this.value(to);
    if (isSame(shape, output.shape)) return this.alias(node, to);
    const op = sizeOf(shape) === sizeOf(output.shape) ? "Reshape" : "Expand";
    this.push({ op, inputs: [to, this.integers(output.shape)], outputs: [output], attributes: {} });
  }

  finish({ inputs, outputs }: Graph): Graph {
    return { inputs, outputs, initializers: this.#initializers, nodes: this.#nodes };
  }

  #newName(prefix: string): string {
    let name: string;
    do name = `${prefix}_p${this.#made++}`;
    while (this.#names.has(name));
    return name;
  }
}

/** The node with renamed inputs; the same object if nothing changes. */
export function withInputs(node: Node, current: (name: string) => string): Node {
  if (node.inputs.every((name) => current(name) === name)) return node;
  return { ...node, inputs: node.inputs.map(current) };
}

/** NumPy's broadcasting, for shapes that are known to fit. */
export function broadcast(shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

export function isScalar(shape: Shape): boolean {
  return sizeOf(shape) === 1;
}
