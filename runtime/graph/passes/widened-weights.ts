import type { ElementType, Graph, Initializer } from "../graph.ts";

const narrow: ReadonlySet<ElementType> = new Set(["bfloat16", "float16"]);

/** Weights that are stored in 16 bits, by the names of the float32 values that the graph converts them to. */
export function widenedWeights({ nodes, initializers }: Graph): Map<string, Initializer> {
  const stored = new Map(initializers.map((x) => [x.name, x]));
  const widened = new Map<string, Initializer>();
  for (const { op, inputs, outputs } of nodes) {
    const weight = op === "Cast" ? stored.get(inputs[0] ?? "") : undefined;
    if (weight !== undefined && narrow.has(weight.dtype)) widened.set(outputs[0]?.name ?? "", weight);
  }
  return widened;
}
