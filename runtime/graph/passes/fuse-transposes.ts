import { valuesOf, type Graph, type Node } from "../graph.ts";
import { Edit } from "./edit.ts";

/** What a product reads in place of an operand, and whether it transposes it. */
interface Operand {
  readonly name: string;
  readonly isTransposed: boolean;
}

/**
 * Fuses Transpose nodes into the products of batches of matrices that read them: the operator FusedMatMul transposes the last two axes
 * of its operands. It is ONNX Runtime's own, and the provider WebGPU does not have it. If a Transpose also moves other axes, the product
 * reads the result of a Transpose that moves only those, provided that the graph has one already.
 */
export function fuseTransposes(graph: Graph): Graph {
  const moved = new Map<string, string>();
  const values = valuesOf(graph);
  const edit = new Edit(graph);
  let hasChanged = false;
  for (const node of graph.nodes) {
    if (node.op === "Transpose" && !moved.has(transposeKey(node, swapLast)))
      moved.set(transposeKey(node), node.outputs[0]?.name ?? "");
    const isBatch = node.op === "MatMul" && (values.get(node.inputs[0] ?? "")?.shape.length ?? 0) > 2;
    const operands = isBatch ? node.inputs.map((name) => operandOf(edit, name, moved)) : [];
    const [a, b] = operands;
    if (a === undefined || b === undefined || (!a.isTransposed && !b.isTransposed)) {
      edit.push(node);
      continue;
    }
    hasChanged = true;
    const attributes = { transA: Number(a.isTransposed), transB: Number(b.isTransposed) };
    edit.push({ ...node, op: "FusedMatMul", inputs: [a.name, b.name], attributes });
  }
  return hasChanged ? edit.finish(graph) : graph;
}

function operandOf(edit: Edit, name: string, moved: ReadonlyMap<string, string>): Operand {
  const node = edit.maker(name, "Transpose");
  const [source = ""] = node?.inputs ?? [];
  if (node === undefined) return { name, isTransposed: false };
  const rest = swapLast(node.attributes["perm"] as number[]);
  if (rest.every((axis, i) => axis === i)) return { name: source, isTransposed: true };
  const first = moved.get(transposeKey(node, swapLast));
  return first === undefined ? { name, isTransposed: false } : { name: first, isTransposed: true };
}

function transposeKey({ inputs, attributes }: Node, change = (perm: readonly number[]) => perm): string {
  return `${inputs[0]} ${String(change(attributes["perm"] as number[]))}`;
}

function swapLast(perm: readonly number[]): number[] {
  return [...perm.slice(0, -2), ...perm.slice(-2).toReversed()];
}
