import type { NamedAttrMap, NamedTensorInfoMap, TensorInfo } from "@tensorflow/tfjs";
import type { DType, Shape } from "../../contract.ts";
import { recordedComposites } from "../composites.ts";
import type { Attribute, Value } from "../graph.ts";
import type { Tf, TfTensor } from "./tfjs-types.ts";
import { BACKEND, type RecordingBackend } from "./backend.ts";
import type { GraphBuilder } from "./builder.ts";
import { given, type Kernel } from "./kernel.ts";
import { convolvedShape } from "../convolved-shape.ts";
import { matMul } from "./matmul.ts";
import { reduceMask, reduce } from "./reduce.ts";
import { concat, pad, reshape, slice, split, tile } from "./move.ts";

/** Registers with tfjs how each of its kernels is recorded. */
export function registerKernels(tf: Tf, backend: RecordingBackend): void {
  for (const [kernelName, kernel] of Object.entries({ ...kernels(tf), ...compositeKernels() })) {
    const kernelFunc = ({ inputs, attrs }: { inputs: NamedTensorInfoMap; attrs?: NamedAttrMap }) => {
      const infos = inOrder(inputs);
      const values = infos.map((x) => backend.valueOf(x));
      const results = kernel(backend.graph, values, attrs ?? {});
      const toInfo = (value: Value): TensorInfo => {
        const same = infos[values.indexOf(value)];
        return same === undefined ? backend.infoOf(value) : backend.again(same);
      };
      return Array.isArray(results) ? results.map(toInfo) : toInfo(results);
    };
    tf.registerKernel({ kernelName, backendName: BACKEND, kernelFunc: kernelFunc as never });
  }
}

/** tfjs passes a kernel's inputs by name, in the order in which ONNX takes them. */
function inOrder(inputs: NamedTensorInfoMap): TensorInfo[] {
  return Object.values(inputs).filter((x): x is TensorInfo => x !== undefined && x !== null);
}

/** Our own operators. tfjs has no kernels of these names: `runComposite` calls them. */
function compositeKernels(): Kernels {
  return Object.fromEntries(
    [...recordedComposites].map(([op, typesOf]): [string, Kernel] => [
      op,
      (graph, inputs, attributes) => {
        const settings = attributes as Record<string, Attribute>;
        return graph.emitAll(op, inputs, typesOf(inputs, settings), settings);
      },
    ]),
  );
}

/** Records one of our own operators; the recording backend must be tfjs's current one. */
export function runComposite(
  tf: Tf,
  op: string,
  inputs: readonly TfTensor[],
  attributes: Readonly<Record<string, Attribute>> = {},
): TfTensor[] {
  const named = Object.fromEntries(inputs.map((x, i) => [`input${i}`, x]));
  return tf.engine().runKernel(op, named, attributes as NamedAttrMap) as unknown as TfTensor[];
}

const unary = {
  Neg: "Neg",
  Abs: "Abs",
  Sqrt: "Sqrt",
  Exp: "Exp",
  Log: "Log",
  Tanh: "Tanh",
  Sigmoid: "Sigmoid",
  Sin: "Sin",
  Cos: "Cos",
  Floor: "Floor",
  LogicalNot: "Not",
};

const arithmetic = {
  Add: "Add",
  Sub: "Sub",
  Multiply: "Mul",
  RealDiv: "Div",
  Pow: "Pow",
};

const comparisons = {
  Less: "Less",
  LessEqual: "LessOrEqual",
  Greater: "Greater",
  GreaterEqual: "GreaterOrEqual",
  Equal: "Equal",
  LogicalAnd: "And",
  LogicalOr: "Or",
};

/** By the names of tfjs. */
type Kernels = Readonly<Record<string, Kernel>>;

const kernels = (tf: Tf): Kernels => ({
  ...elementwise(tf),
  ...reductions,
  ...layout(tf),
  ...convolution,
  ...gathering,
});

function elementwise(tf: Tf): Kernels {
  const broadcast = (a: Shape, b: Shape) => tf.broadcast_util.assertAndGetBroadcastShape([...a], [...b]);
  const binary =
    (op: string, dtype?: DType): Kernel =>
    (graph, [a, b]) => {
      const [x, y] = [given(a), given(b)];
      return graph.emit(op, [x, y], broadcast(x.shape, y.shape), dtype ?? x.dtype);
    };
  return {
    ...mapped(
      unary,
      (op) =>
        (graph, [x]) =>
          graph.emit(op, [given(x)], given(x).shape, given(x).dtype),
    ),
    ...mapped(arithmetic, (op) => binary(op)),
    ...mapped(comparisons, (op) => binary(op, "bool")),
    NotEqual: (graph, [a, b]) => {
      const [x, y] = [given(a), given(b)];
      const equal = graph.emit("Equal", [x, y], broadcast(x.shape, y.shape), "bool");
      return graph.emit("Not", [equal], equal.shape, "bool");
    },
    Square: (graph, [x]) => graph.emit("Mul", [given(x), given(x)], given(x).shape, given(x).dtype),
    Rsqrt: (graph, [x]) => {
      const root = graph.emit("Sqrt", [given(x)], given(x).shape, "float32");
      return graph.emit("Reciprocal", [root], root.shape, "float32");
    },
    Step: step,
    Select: (graph, inputs) => graph.emit("Where", inputs, given(inputs[1]).shape, given(inputs[1]).dtype),
    Cast: (graph, [x], { dtype }) => graph.cast(given(x), dtype as DType),
    Identity: (_graph, [x]) => given(x),
    Fill: (graph, _inputs, { shape, value, dtype }) => filled(graph, shape as number[], Number(value), dtype as DType),
    ZerosLike: (graph, [x]) => filled(graph, given(x).shape, 0, given(x).dtype as DType),
  };
}

/** 1 for positive elements, `alpha` for all others. */
const step: Kernel = (graph, [x], { alpha }) => {
  const isPositive = graph.emit("Greater", [given(x), scalar(graph, 0)], given(x).shape, "bool");
  const choices = [isPositive, scalar(graph, 1), scalar(graph, Number(alpha))];
  return graph.emit("Where", choices, isPositive.shape, "float32");
};

const reductions: Kernels = {
  Softmax: (graph, [x]) =>
    graph.emit("Softmax", [given(x)], given(x).shape, "float32", { axis: given(x).shape.length - 1 }),
  Sum: reduce("ReduceSum"),
  Mean: reduce("ReduceMean"),
  Max: reduce("ReduceMax"),
  Min: reduce("ReduceMin"),
  Any: reduceMask("ReduceMax"),
  All: reduceMask("ReduceMin"),
  BatchMatMul: matMul,
};

const layout = (tf: Tf): Kernels => ({
  Reshape: reshape,
  Transpose: (graph, [x], { perm }) => {
    const order = perm as number[];
    const shape = order.map((axis) => given(x).shape[axis] ?? 0);
    return graph.emit("Transpose", [given(x)], shape, given(x).dtype, { perm: order });
  },
  Concat: concat,
  Slice: slice(tf),
  SplitV: split(tf),
  PadV2: pad,
  Tile: tile,
});

/** Not a kernel of tfjs: called by this name where one is recorded. ONNX's operator with stride 1. */
const convolution: Kernels = {
  Conv: (graph, operands, attributes) => {
    const [x, weight] = [given(operands[0]), given(operands[1])];
    const pads = attributes.pads as readonly number[] | undefined;
    const shape = convolvedShape(x.shape, weight.shape, pads);
    return [graph.emit("Conv", operands, shape, x.dtype, pads === undefined ? {} : { pads })];
  },
};

const gathering: Kernels = {
  GatherV2: (graph, [x, indices]) => {
    const shape = [...given(indices).shape, ...given(x).shape.slice(1)];
    return graph.emit("Gather", [given(x), given(indices)], shape, given(x).dtype, { axis: 0 });
  },
  OneHot: (graph, [indices], { depth }) => {
    const [rows, count] = [given(indices).shape, Number(depth)];
    const classes = graph.constant(
      Int32Array.from({ length: count }, (_, i) => i),
      [count],
      "int32",
    );
    const column = graph.reshape(given(indices), [...rows, 1]);
    return graph.cast(graph.emit("Equal", [column, classes], [...rows, count], "bool"), "float32");
  },
};

function mapped(names: Readonly<Record<string, string>>, kernel: (op: string) => Kernel): Record<string, Kernel> {
  return Object.fromEntries(Object.entries(names).map(([name, op]) => [name, kernel(op)]));
}

function scalar(graph: GraphBuilder, x: number): Value {
  return graph.constant(Float32Array.of(x), [], "float32");
}

function filled(graph: GraphBuilder, shape: Shape, x: number, dtype: DType): Value {
  const data = dtype === "float32" ? Float32Array.of(x) : dtype === "int32" ? Int32Array.of(x) : Uint8Array.of(x);
  return graph.expand(graph.constant(data, [], dtype), shape);
}
