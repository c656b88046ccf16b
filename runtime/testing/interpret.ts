/** Runs a recorded graph operator by operator, and rounds to bfloat16 where the graph says so. Slow: for tests. */
import type { HostTensor } from "../contract.ts";
import { formulas } from "../engine/formulas/index.ts";
import { roundTo } from "../engine/ops-round.ts";
import type { ElementType, Graph, Initializer, Node } from "../graph/graph.ts";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";

type Kernel = (tf: Tf, inputs: readonly TfTensor[], node: Node) => TfTensor;

/** int64 values, which are shapes and axes, are lists here as well. */
type Values = Map<string, TfTensor>;

/** @param tf with a backend that computes, such as `cpu` */
export function interpret(tf: Tf, graph: Graph, feeds: readonly HostTensor[]): HostTensor[] {
  return tf.tidy(() => {
    const values: Values = new Map(graph.inputs.map(({ name }, i) => [name, uploaded(tf, feeds[i] as HostTensor)]));
    for (const x of graph.initializers) values.set(x.name, constant(tf, x));
    for (const node of graph.nodes) {
      const inputs = node.inputs.map((name) => values.get(name) ?? null);
      const formula = formulas.get(node.op);
      const kernel = kernels[node.op];
      if (formula === undefined && kernel === undefined) throw new Error(`no kernel for ${node.op}`);
      const made = formula?.(tf, inputs, node.attributes) ?? [kernel?.(tf, inputs as TfTensor[], node) as TfTensor];
      node.outputs.forEach(({ name, dtype }, i) => {
        const result = made[i];
        if (result !== undefined) values.set(name, stored(tf, result, dtype));
      });
    }
    return graph.outputs.map((name) => {
      const x = values.get(name) as TfTensor;
      return { shape: x.shape, dtype: x.dtype as HostTensor["dtype"], data: x.dataSync().slice() } as HostTensor;
    }) as never;
  });
}

const stored = (tf: Tf, x: TfTensor, dtype: ElementType): TfTensor =>
  dtype === "bfloat16" ? roundTo(tf, x, "bfloat16") : x;

const uploaded = (tf: Tf, { data, shape, dtype }: HostTensor): TfTensor => tf.tensor(data, [...shape], dtype);

function constant(tf: Tf, { bytes, shape, dtype }: Initializer): TfTensor {
  if (!(bytes instanceof Uint8Array)) throw new Error("weights in files are not read here");
  const { buffer } = bytes.slice();
  if (dtype === "int64") return tf.tensor(Array.from(new BigInt64Array(buffer), Number), [...shape], "int32");
  if (dtype === "bool") return tf.tensor(bytes, [...shape], "bool");
  return tf.tensor(
    dtype === "int32" ? new Int32Array(buffer) : new Float32Array(buffer),
    [...shape],
    dtype as "float32",
  );
}

const list = (x: TfTensor | undefined): number[] => Array.from(x?.dataSync() ?? []);

const unary =
  (
    name: "neg" | "abs" | "sqrt" | "exp" | "log" | "tanh" | "sigmoid" | "sin" | "cos" | "floor" | "reciprocal",
  ): Kernel =>
  (tf, [x]) =>
    tf[name](x as TfTensor);

const binary =
  (name: "add" | "sub" | "mul" | "div" | "pow" | "less" | "greater" | "equal" | "greaterEqual" | "lessEqual"): Kernel =>
  (tf, [a, b]) =>
    tf[name](a as TfTensor, b as TfTensor);

const reduction =
  (name: "sum" | "mean" | "max" | "min"): Kernel =>
  (tf, [x, axes], { attributes }) =>
    tf[name](x as TfTensor, axes && list(axes), attributes["keepdims"] !== 0);

const slice: Kernel = (tf, [x, starts, ends, axes]) => {
  const { shape } = x as TfTensor;
  const [begin, size] = [shape.map(() => 0), [...shape]];
  const [from, to] = [list(starts), list(ends)];
  list(axes).forEach((axis, i) => {
    begin[axis] = from[i] ?? 0;
    size[axis] = (to[i] ?? 0) - (from[i] ?? 0);
  });
  return tf.slice(x as TfTensor, begin, size);
};

const pad: Kernel = (tf, [x, amounts, value]) => {
  const sides = list(amounts);
  const rank = sides.length / 2;
  const pairs = Array.from({ length: rank }, (_, i) => [sides[i] ?? 0, sides[rank + i] ?? 0] as [number, number]);
  return tf.pad(x as TfTensor, pairs, list(value)[0] ?? 0);
};

const casts: Readonly<Record<number, "float32" | "int32" | "bool">> = {
  1: "float32",
  6: "int32",
  9: "bool",
  16: "float32",
};

const kernels: Readonly<Record<string, Kernel>> = {
  Neg: unary("neg"),
  Abs: unary("abs"),
  Sqrt: unary("sqrt"),
  Exp: unary("exp"),
  Log: unary("log"),
  Tanh: unary("tanh"),
  Sigmoid: unary("sigmoid"),
  Sin: unary("sin"),
  Cos: unary("cos"),
  Floor: unary("floor"),
  Reciprocal: unary("reciprocal"),
  Add: binary("add"),
  Sub: binary("sub"),
  Mul: binary("mul"),
  Div: binary("div"),
  Pow: binary("pow"),
  Less: binary("less"),
  LessOrEqual: binary("lessEqual"),
  Greater: binary("greater"),
  GreaterOrEqual: binary("greaterEqual"),
  Equal: binary("equal"),
  ReduceSum: reduction("sum"),
  ReduceMean: reduction("mean"),
  ReduceMax: reduction("max"),
  ReduceMin: reduction("min"),
  Softmax: (tf, [x]) => tf.softmax(x as TfTensor),
  Identity: (tf, [x]) => tf.clone(x as TfTensor),
  Cast: (tf, [x], { attributes }) => tf.cast(x as TfTensor, casts[Number(attributes["to"])] ?? "float32"),
  Where: (tf, [m, a, b]) => tf.where(m as TfTensor, a as TfTensor, b as TfTensor),
  Reshape: (tf, [x], { outputs }) => tf.reshape(x as TfTensor, [...(outputs[0]?.shape ?? [])]),
  Expand: (tf, [x], { outputs }) => tf.broadcastTo(x as TfTensor, [...(outputs[0]?.shape ?? [])]),
  Transpose: (tf, [x], { attributes }) => tf.transpose(x as TfTensor, attributes["perm"] as number[]),
  Concat: (tf, xs, { attributes }) => tf.concat([...xs], Number(attributes["axis"])),
  Slice: slice,
  Pad: pad,
  MatMul: (tf, [a, b]) => tf.matMul(a as TfTensor, b as TfTensor),
  Gemm: (tf, [a, b], { attributes }) =>
    tf.matMul(a as TfTensor, b as TfTensor, attributes["transA"] === 1, attributes["transB"] === 1),
};
