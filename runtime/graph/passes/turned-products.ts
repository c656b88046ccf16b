import { valuesOf, type Graph, type Node } from "../graph.ts";
import { Edit } from "./edit.ts";

/** One operand of a product: what is read instead, and whether the product turns it. */
interface Operand {
  readonly name: string;
  readonly isTurned: boolean;
}

/**
 * Products of batches of matrices turn their operands themselves, by ONNX Runtime's own FusedMatMul; ONNX has no such operator, and
 * of the runtime's providers WebGPU has none either. What is turned and has its axes moved is read from where they are moved alone, if
 * the graph has made that before.
 */
export function turnWithinProducts(graph: Graph): Graph {
  const moved = new Map<string, string>();
  const values = valuesOf(graph);
  const edit = new Edit(graph);
  let hasChanged = false;
  for (const node of graph.nodes) {
    if (node.op === "Transpose" && !moved.has(transposeKey(node, turnLast)))
      moved.set(transposeKey(node), node.outputs[0]?.name ?? "");
    const isBatch = node.op === "MatMul" && (values.get(node.inputs[0] ?? "")?.shape.length ?? 0) > 2;
    const operands = isBatch ? node.inputs.map((name) => turnedOperand(edit, name, moved)) : [];
    const [a, b] = operands;
    if (a === undefined || b === undefined || (!a.isTurned && !b.isTurned)) {
      edit.push(node);
      continue;
    }
    hasChanged = true;
    const attributes = { transA: Number(a.isTurned), transB: Number(b.isTurned) };
    edit.push({ ...node, op: "FusedMatMul", inputs: [a.name, b.name], attributes });
  }
  return hasChanged ? edit.finish(graph) : graph;
}

function turnedOperand(edit: Edit, name: string, moved: ReadonlyMap<string, string>): Operand {
  const node = edit.maker(name, "Transpose");
  const [source = ""] = node?.inputs ?? [];
  if (node === undefined) return { name, isTurned: false };
  const rest = turnLast(node.attributes["perm"] as number[]);
  if (rest.every((axis, i) => axis === i)) return { name: source, isTurned: true };
  const first = moved.get(transposeKey(node, turnLast));
  return first === undefined ? { name, isTurned: false } : { name: first, isTurned: true };
}

function transposeKey({ inputs, attributes }: Node, change = (perm: readonly number[]) => perm): string {
  return `${inputs[0]} ${String(change(attributes["perm"] as number[]))}`;
}

function turnLast(perm: readonly number[]): number[] {
  return [...perm.slice(0, -2), ...perm.slice(-2).toReversed()];
}
