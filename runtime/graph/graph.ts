import type { DType, Shape } from "../contract.ts";

/** The contract's types, and those that only graphs have: int64 for shapes and axes, types of 16 and 8 bits for weights as files store them. */
export type ElementType = DType | "int64" | "bfloat16" | "float16" | "int8" | "float8_e4m3fn";

/** A shape and a type. */
export interface ValueType {
  readonly shape: Shape;
  readonly dtype: ElementType;
}

/** A value in a graph: its type, without its numbers. Names are unique in a graph. */
export interface Value extends ValueType {
  readonly name: string;
}

/** A range of a file. The bytes are not copied into the graph. */
interface FileRange {
  /** Absolute. */
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** As in `StoredTensor`. */
  readonly block?: string;
}

/** A constant of the graph: little-endian, row-major bytes. */
export interface Initializer extends Value {
  readonly bytes: Uint8Array | FileRange;
}

export type Attribute = number | string | readonly number[];

/**
 * One operator: of ONNX's default domain, opset 18, or one of our own (`composites.ts`). An empty input name stands for an optional input
 * that is left out. Outputs of our own operators that nobody reads may be left out at the end.
 */
export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Where the node comes from: a part of the model, or a line of the strategy. For messages to the user. */
  readonly origin?: string;
}

/** Nodes are in topological order: each comes after those whose outputs it reads. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly Node[];
  /** Names of values of the graph. */
  readonly outputs: readonly string[];
}

const bytesPerElement: Readonly<Record<ElementType, number>> = {
  float32: 4,
  int32: 4,
  int64: 8,
  bool: 1,
  bfloat16: 2,
  float16: 2,
  int8: 1,
  float8_e4m3fn: 1,
};

/** The numbers of the types in ONNX: TensorProto.DataType in onnx.proto. */
export const elementTypes: Readonly<Record<ElementType, number>> = {
  float32: 1,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
  float8_e4m3fn: 17,
};

export function sizeOf(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Size of a value in bytes. */
export function byteSize({ shape, dtype }: ValueType): number {
  return sizeOf(shape) * bytesPerElement[dtype];
}

/** Every value of the graph by name. If a name is defined twice the first definition counts; `verify` reports the second. */
export function valuesOf(graph: Graph): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const value of definitions(graph)) if (!values.has(value.name)) values.set(value.name, value);
  return values;
}

function definitions({ inputs, initializers, nodes }: Graph): readonly Value[] {
  const values: Value[] = [...inputs, ...initializers];
  for (const { outputs } of nodes) for (const output of outputs) values.push(output);
  return values;
}

/** Finds what is wrong with the graph, one sentence for each error; empty for a graph that can be encoded. */
export function verify(graph: Graph): string[] {
  const values = definitions(graph);
  return [...twice(values), ...shapes(values), ...initializerSizes(graph), ...order(graph)];
}

function twice(values: readonly Value[]): string[] {
  const seen = new Set<string>();
  const again = values.filter(({ name }) => {
    const size = seen.size;
    return seen.add(name).size === size;
  });
  return again.map(({ name }) => `${name} is defined twice`);
}

function shapes(values: readonly Value[]): string[] {
  const isSize = (size: number) => Number.isInteger(size) && size >= 0;
  return values
    .filter(({ shape }) => !shape.every(isSize))
    .map(({ name, shape }) => `${name} has the shape [${shape.join(", ")}]`);
}

function initializerSizes({ initializers }: Graph): string[] {
  return initializers.flatMap((value) => {
    const [length, expected] = [value.bytes.length, byteSize(value)];
    return length === expected ? [] : [`${value.name} has ${length} bytes, its shape needs ${expected}`];
  });
}

/** Names must be defined before they are read. */
function order({ inputs, initializers, nodes, outputs }: Graph): string[] {
  const known = new Set([...inputs, ...initializers].map(({ name }) => name));
  const errors: string[] = [];
  for (const node of nodes) {
    for (const name of node.inputs) {
      if (name !== "" && !known.has(name)) errors.push(`${node.op} reads ${name} before it is defined`);
    }
    for (const { name } of node.outputs) known.add(name);
  }
  return [...errors, ...outputs.filter((name) => !known.has(name)).map((name) => `the output ${name} is not defined`)];
}
