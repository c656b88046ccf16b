import type { Graph, Node, Value } from "../graph.ts";
import { Edit } from "./edit.ts";

/** Replaces a node by others; false if the node can stay. */
type Rewrite = (edit: Edit, node: Node, output: Value) => boolean;

/**
 * Adapts a graph so that all of it runs on WebGPU, with the same results: few operators take bool there, and its sine and cosine may be
 * off by 2^-11 (https://www.w3.org/TR/WGSL/#concrete-float-accuracy).
 */
export function adaptToWebGpu(graph: Graph): Graph {
  const edit = new Edit(graph);
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const rewrite = rewrites.get(node.op);
    if (rewrite === undefined || output === undefined || !rewrite(edit, node, output)) edit.push(node);
  }
  return edit.finish(graph);
}

const isBool = (edit: Edit, { inputs: [x = ""] }: Node): boolean => edit.value(x).dtype === "bool";

const not = (edit: Edit, x: string): string => edit.emit("Not", [x], edit.value(x).shape, "bool");

/** x or y = not (not x and not y). */
const or: Rewrite = (edit, { inputs: [x = "", y = ""] }, output) => {
  const neither = edit.emit("And", [not(edit, x), not(edit, y)], output.shape, "bool");
  edit.push({ op: "Not", inputs: [neither], outputs: [output], attributes: {} });
  return true;
};

const identity: Rewrite = (edit, node, output) => {
  if (!isBool(edit, node)) return false;
  edit.push({ op: "Not", inputs: [not(edit, node.inputs[0] ?? "")], outputs: [output], attributes: {} });
  return true;
};

/** Computes with the numbers 0 and 1 instead of bool. */
const asNumbers: Rewrite = (edit, node, output) => {
  if (!isBool(edit, node)) return false;
  const inputs = node.inputs.map((name) => {
    const { shape, dtype } = edit.value(name);
    return dtype === "bool" ? edit.emit("Cast", [name], shape, "float32", { to: 1 }) : name;
  });
  if (node.op === "Equal") edit.push({ ...node, inputs });
  else {
    const moved = edit.emit(node.op, inputs, output.shape, "float32", node.attributes);
    edit.push({ op: "Cast", inputs: [moved], outputs: [output], attributes: { to: 9 } });
  }
  return true;
};

/** π as a sum of three parts. The first two have few significant bits, so their products with the integer or half k below are exact. */
const PI = [3.140625, 9.67502593994140625e-4, 1.50995799097837e-7] as const;

/** Coefficients of sin r / r as a polynomial in r², highest power first: 1/13! - ... + 1. Off by less than 10^-9 for |r| <= π/2. */
const series = [13, 11, 9, 7, 5, 3, 1].map((n, i) => (i % 2 === 0 ? 1 : -1) / factorial(n));

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}

/**
 * Sine: with x = k π + r, k a whole number and r between -π/2 and π/2, sin x = (-1)^k sin r. Cosine: cos x = sin(x + π/2), so k is a
 * whole number minus 1/2, and the sign is that of the whole number.
 * Source: W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980.
 */
const sineOf =
  (shift: 0 | 0.5): Rewrite =>
  (edit, { inputs: [x = ""] }, output) => {
    const on = (op: string, a: string, b: string | number): string =>
      edit.emit(op, [a, typeof b === "number" ? edit.number(b) : b], output.shape, "float32");
    const floor = (a: string): string => edit.emit("Floor", [a], output.shape, "float32");
    const turns = floor(on("Add", on("Mul", x, 1 / Math.PI), 0.5 + shift));
    const k = on("Sub", turns, shift);
    const r = PI.reduce((rest, part) => on("Sub", rest, on("Mul", k, part)), x);
    const square = on("Mul", r, r);
    const [highest = 0, second = 0, ...rest] = series;
    const first = on("Add", on("Mul", square, highest), second);
    const ratio = rest.reduce((sum, c) => on("Add", on("Mul", sum, square), c), first);
    const isOdd = on("Sub", turns, on("Mul", floor(on("Mul", turns, 0.5)), 2));
    const sign = on("Add", on("Mul", isOdd, -2), 1);
    edit.push({ op: "Mul", inputs: [on("Mul", ratio, r), sign], outputs: [output], attributes: {} });
    return true;
  };

const rewrites: ReadonlyMap<string, Rewrite> = new Map([
  ["Or", or],
  ["Identity", identity],
  ["Transpose", asNumbers],
  ["Concat", asNumbers],
  ["Slice", asNumbers],
  ["Equal", asNumbers],
  ["Sin", sineOf(0)],
  ["Cos", sineOf(0.5)],
]);
