import type { Graph, Node } from "../graph.ts";

/** Adds a bias within the product that it follows, where nothing else reads the product. */
export function joinBiases(graph: Graph): Graph {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map(({ name }) => [name, node] as const)));
  const shapes = new Map(
    [...graph.inputs, ...graph.initializers, ...graph.nodes.flatMap(({ outputs }) => outputs)].map((x) => [
      x.name,
      x.shape,
    ]),
  );
  const uses = new Map<string, number>();
  for (const name of [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs]) {
    uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  const joined = new Set<Node>();
  const biased = (node: Node): Node => {
    const product = node.op === "Add" ? node.inputs.findIndex((name) => isProduct(makers.get(name))) : -1;
    const name = node.inputs[product] ?? "";
    const bias = node.inputs[1 - product] ?? "";
    const maker = makers.get(name);
    const rank = shapes.get(bias)?.length;
    if (maker === undefined || uses.get(name) !== 1 || rank !== 1 || shapes.get(name)?.length !== 2) return node;
    joined.add(maker);
    return { op: "Gemm", inputs: [...maker.inputs, bias], outputs: node.outputs, attributes: maker.attributes };
  };
  const nodes = graph.nodes.map(biased);
  return { ...graph, nodes: nodes.filter((node) => !joined.has(node)) };
}

function isProduct(node: Node | undefined): boolean {
  return (node?.op === "MatMul" || node?.op === "Gemm") && node.inputs.length === 2;
}
