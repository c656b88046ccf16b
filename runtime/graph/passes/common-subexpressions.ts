import { SMALL_BYTES, withInputs } from "./edit.ts";
import type { Graph, Initializer, Node } from "../graph.ts";

/** Merges nodes that compute the same from the same inputs, and equal small constants. */
export function mergeCommonSubexpressions(graph: Graph): Graph {
  const outputs = new Set(graph.outputs);
  const sameAs = new Map<string, string>();
  const known = new Map<string, string>();
  const current = (name: string) => sameAs.get(name) ?? name;
  const isFirst = (key: string | null, name: string): boolean => {
    const first = key === null ? undefined : known.get(key);
    if (first !== undefined) sameAs.set(name, first);
    else if (key !== null) known.set(key, name);
    return first === undefined;
  };
  const initializers = graph.initializers.filter((x) => isFirst(keyOfConstant(x), x.name));
  const nodes: Node[] = [];
  for (const old of graph.nodes) {
    const node = withInputs(old, current);
    const [output] = node.outputs;
    const isOutput = output === undefined || outputs.has(output.name);
    const key = isOutput || node.outputs.length > 1 ? null : `${node.op} ${node.inputs.join()} ${attributesOf(node)}`;
    if (isFirst(key, output?.name ?? "")) nodes.push(node);
  }
  return { ...graph, initializers, nodes };
}

function keyOfConstant({ bytes, shape, dtype }: Initializer): string | null {
  if (!(bytes instanceof Uint8Array) || bytes.length > SMALL_BYTES) return null;
  return `${dtype}[${shape.join()}] ${Buffer.from(bytes).toString("latin1")}`;
}

function attributesOf({ attributes }: Node): string {
  const names = Object.keys(attributes).toSorted();
  return names.map((name) => `${name}=${String(attributes[name])}`).join(" ");
}
