import { isSame } from "../record/builder.ts";
import { composites } from "../composites.ts";
import { valuesOf, verify, type Graph, type Node, type Value, type ValueType } from "../graph.ts";
import { elementwise } from "./infer/elementwise.ts";
import { layout } from "./infer/layout.ts";
import { numeric } from "./infer/numeric.ts";
import { Operands, type Rule } from "./infer/operands.ts";

export const rules = new Map<string, Rule>(Object.entries({ ...elementwise, ...layout, ...numeric }));

/**
 * Finds what is wrong with the graph, one sentence for each error. Besides what `verify` checks, the shape and type of each node's output
 * must be what its operator computes from the inputs. Takes time linear in the size of the graph.
 */
export function verifyFully(graph: Graph): string[] {
  const errors = verify(graph);
  if (errors.length > 0) return errors;
  const known = { values: valuesOf(graph), constants: new Map(graph.initializers.map((x) => [x.name, x])) };
  return graph.nodes.flatMap((node) => {
    const problem = problemOf(node, new Operands(node, known));
    return problem === null ? [] : [`${node.op} that makes ${node.outputs[0]?.name ?? "nothing"} ${problem}`];
  });
}

function problemOf(node: Node, operands: Operands): string | null {
  const [rule, composite] = [rules.get(node.op), composites.get(node.op)];
  try {
    if (composite !== undefined) return difference(composite(operands.all, node.attributes), node.outputs);
    if (rule === undefined) return "is not known";
    if (node.outputs.length !== 1) return `has ${node.outputs.length} outputs`;
    return difference([rule(operands)], node.outputs);
  } catch (error) {
    return (error as Error).message;
  }
}

/** What is wrong with the recorded types; outputs may be missing at the end. */
function difference(types: readonly ValueType[], outputs: readonly Value[]): string | null {
  if (outputs.length === 0 || outputs.length > types.length) return `has ${outputs.length} outputs`;
  for (const [i, made] of outputs.entries()) {
    const { shape, dtype } = types[i] as ValueType;
    if (!isSame(shape, made.shape) || dtype !== made.dtype)
      return `is recorded as ${made.dtype}[${made.shape.join(", ")}], it is ${dtype}[${shape.join(", ")}]`;
  }
  return null;
}
