import type { NamedAttrMap } from "@tensorflow/tfjs";
import { given, type Kernel } from "./kernel.ts";

/** Reduces over the axes that tfjs names: one number, a list, or none for all axes. */
export function reduce(op: string): Kernel {
  return (graph, [x], attributes) => {
    const { shape, dtype } = given(x);
    const axes = axesOf(attributes, shape.length);
    const keeps = attributes["keepDims"] === true;
    const reduced = shape.flatMap((size, axis) => (axes.includes(axis) ? (keeps ? [1] : []) : [size]));
    if (axes.length === 0) return given(x);
    return graph.emit(op, [given(x), graph.integers(axes)], reduced, dtype, { keepdims: keeps ? 1 : 0 });
  };
}

/** Reduces a mask. ONNX Runtime reduces numbers only, so the mask is converted and the result is converted back. */
export function reduceMask(op: string): Kernel {
  const numbers = reduce(op);
  return (graph, [x], attributes) => {
    const result = numbers(graph, [graph.cast(given(x), "int32")], attributes);
    return Array.isArray(result) ? result : graph.cast(result, "bool");
  };
}

function axesOf({ axis, reductionIndices }: NamedAttrMap, rank: number): number[] {
  const named = axis ?? reductionIndices;
  const all = Array.from({ length: rank }, (_, i) => i);
  if (named === undefined || named === null) return all;
  const axes = (Array.isArray(named) ? named : [named]).map((a) => (Number(a) + rank) % rank);
  return axes.toSorted((a, b) => a - b);
}
