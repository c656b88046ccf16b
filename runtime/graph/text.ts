import type { Attribute, Graph, Node, Value } from "./graph.ts";

/** The graph as text for people to read, one line per value: `y: float32[2, 3] = Softmax(x) axis=1`. */
export function printGraph(graph: Graph): string {
  return [
    ...graph.inputs.map((value) => `input ${typed(value)}`),
    ...graph.initializers.map((value) => `constant ${typed(value)}`),
    ...graph.nodes.map(printNode),
    ...graph.outputs.map((name) => `output ${name}`),
  ].join("\n");
}

function printNode({ op, inputs, outputs, attributes }: Node): string {
  const operands = inputs.map((name) => (name === "" ? "_" : name)).join(", ");
  const settings = Object.entries(attributes).map(([key, value]) => ` ${key}=${printAttribute(value)}`);
  return `${outputs.map(typed).join(", ")} = ${op}(${operands})${settings.join("")}`;
}

function typed({ name, dtype, shape }: Value): string {
  return `${name}: ${dtype}[${shape.join(", ")}]`;
}

function printAttribute(value: Attribute): string {
  return typeof value === "object" ? `[${value.join(", ")}]` : String(value);
}
