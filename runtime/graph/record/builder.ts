import type { DType, HostTensor, Shape } from "../../contract.ts";
import type { StoredTensor } from "../stored-tensor.ts";
import {
  elementTypes,
  valuesOf,
  type Attribute,
  type ElementType,
  type Graph,
  type Initializer,
  type Node,
  type Value,
  type ValueType,
} from "../graph.ts";

type Elements = HostTensor["data"];

/** A graph that is being recorded. Methods that return a value append what computes it. */
export class GraphBuilder {
  readonly #inputs: Value[];
  readonly #initializers: Initializer[];
  readonly #nodes: Node[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #taken: ReadonlySet<string>;
  #made = 0;
  /** The origin of the nodes that are added now; null if it is unknown. */
  origin: string | null = null;

  /** @param source a graph that is written anew: its inputs and constants are there from the start, and its names are not used again */
  constructor(source?: Graph) {
    this.#inputs = [...(source?.inputs ?? [])];
    this.#initializers = [...(source?.initializers ?? [])];
    this.#taken = new Set(source === undefined ? [] : valuesOf(source).keys());
  }

  /** An input of the graph, which is fed on every run. */
  input(shape: Shape, dtype: DType): Value {
    const value = this.#value("in", shape, dtype);
    this.#inputs.push(value);
    return value;
  }

  /** Numbers that are part of the graph. If all are equal, the graph holds one of them and expands it. */
  constant(data: Elements, shape: Shape, dtype: DType): Value {
    if (data.length > 1 && isUniform(data)) return this.expand(this.constant(data.slice(0, 1), [], dtype), shape);
    return this.#initializer(data, shape, dtype);
  }

  /** Numbers that stay in their file, converted to float32 by the graph if the file stores them in 16 bits. */
  stored({ path, offset, length, shape, dtype, block, scale, factor, group }: StoredTensor): Value {
    const ofBlock = block === undefined ? {} : { block };
    const [rows = 1, width = 1] = shape;
    const value = this.#value("w", group === undefined ? shape : [rows, width / 2], dtype);
    this.#initializers.push({ ...value, bytes: { path, offset, length, ...ofBlock } });
    if (dtype === "float32") return value;
    const attributes = { to: elementTypes.float32 };
    if (factor !== undefined) {
      const one = this.#initializer(Float32Array.of(factor), [1, 1], "float32");
      return this.emit("Dequantize", [value, one], shape, "float32", attributes);
    }
    if (scale === undefined) return this.emit("Cast", [value], shape, "float32", attributes);
    const scales =
      group === undefined
        ? this.#value("w", [rows, 1], "float32")
        : this.#value("w", [rows, width / group], "bfloat16");
    this.#initializers.push({ ...scales, bytes: { path, ...scale, ...ofBlock } });
    const own = group === undefined ? attributes : { ...attributes, group };
    return this.emit("Dequantize", [value, scales], shape, "float32", own);
  }

  /** An int64 constant, for shapes and axes. */
  integers(values: readonly number[]): Value {
    return this.#initializer(BigInt64Array.from(values, BigInt), [values.length], "int64");
  }

  expand(x: Value, shape: Shape): Value {
    return isSame(x.shape, shape) ? x : this.emit("Expand", [x, this.integers(shape)], shape, x.dtype);
  }

  reshape(x: Value, shape: Shape): Value {
    return isSame(x.shape, shape) ? x : this.emit("Reshape", [x, this.integers(shape)], shape, x.dtype);
  }

  cast(x: Value, dtype: ElementType): Value {
    return x.dtype === dtype ? x : this.emit("Cast", [x], x.shape, dtype, { to: elementTypes[dtype] });
  }

  /** One node with one output. */
  emit(
    op: string,
    inputs: readonly Value[],
    shape: Shape,
    dtype: ElementType,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    return this.emitAll(op, inputs, [{ shape, dtype }], attributes)[0] as Value;
  }

  /** One node with an output of each of the types. */
  emitAll(
    op: string,
    inputs: readonly Value[],
    types: readonly ValueType[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value[] {
    const outputs = types.map(({ shape, dtype }) => this.#value(op, shape, dtype));
    const origin = this.origin === null ? {} : { origin: this.origin };
    this.#nodes.push({ op, inputs: inputs.map(({ name }) => name), outputs, attributes, ...origin });
    return outputs;
  }

  /** A node as it is. */
  push(node: Node): void {
    this.#nodes.push(node);
  }

  /** The recorded graph. A copy of each output is made by a node, since ONNX Runtime can not return inputs or initializers. */
  finish(outputs: readonly Value[]): Graph {
    return this.graph(outputs.map((x) => this.emit("Identity", [x], x.shape, x.dtype).name));
  }

  /** The graph with these values as outputs. */
  graph(outputs: readonly string[]): Graph {
    return { inputs: this.#inputs, initializers: this.#initializers, nodes: this.#nodes, outputs };
  }

  #initializer(data: Elements | BigInt64Array, shape: Shape, dtype: ElementType): Value {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    const key = bytes.length > 256 ? null : `${dtype}[${shape.join()}]${Buffer.from(bytes).toString("latin1")}`;
    const known = key === null ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const value = this.#value("c", shape, dtype);
    this.#initializers.push({ ...value, bytes });
    if (key !== null) this.#constants.set(key, value);
    return value;
  }

  #value(prefix: string, shape: Shape, dtype: ElementType): Value {
    let name: string;
    do name = `${prefix}_${this.#made++}`;
    while (this.#taken.has(name));
    return { name, shape, dtype };
  }
}

export function isSame(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function isUniform(data: Elements): boolean {
  const [first] = data;
  return data.every((x) => Object.is(x, first));
}
