import { valuesOf, type Graph, type Node, type Value } from "../../graph/graph.ts";
import { removeDeadCode } from "../../graph/passes/dead-code.ts";
import { BACKEND, recordingBackendOf, type RecordingBackend } from "../../graph/record/backend.ts";
import { GraphBuilder } from "../../graph/record/builder.ts";
import { registerKernels } from "../../graph/record/kernels.ts";
import type { Tf, TfTensor } from "../../graph/record/tfjs-types.ts";
import { formulas, type Formula } from "../formulas/index.ts";

/**
 * Writes operators of our own (`graph/composites.ts`) in those of ONNX, by recording their formulas. An operator on bfloat16 is computed
 * in float32, and its results are rounded.
 * @param isNative the operators that the executor has kernels for, which stay; without it none
 */
export function lower(tf: Tf, graph: Graph, isNative: (node: Node) => boolean = () => false): Graph {
  const formulaOf = (node: Node) => (isNative(node) ? undefined : formulas.get(node.op));
  const needed = removeDeadCode(graph);
  if (needed.nodes.every((node) => formulaOf(node) === undefined)) return needed;
  const backend = recordingBackendOf(tf, registerKernels);
  if (tf.getBackend() !== BACKEND) void tf.setBackend(BACKEND);
  const builder = new GraphBuilder(needed);
  backend.begin(builder);
  const values = valuesOf(needed);
  // What stands in the new graph for a value of the old one; null for what no formula makes.
  const current = new Map<string, Value | null>();
  const of = (name: string) => (current.has(name) ? (current.get(name) ?? null) : (values.get(name) ?? null));
  for (const node of needed.nodes) {
    const formula = formulaOf(node);
    if (formula === undefined) {
      builder.push({ ...node, inputs: node.inputs.map((name) => of(name)?.name ?? name) });
      continue;
    }
    const made = replaced({ tf, backend, builder }, node, formula, node.inputs.map(of));
    node.outputs.forEach(({ name }, i) => current.set(name, made[i] ?? null));
  }
  return withOutputs(builder, needed, of);
}

interface Tools {
  readonly tf: Tf;
  readonly backend: RecordingBackend;
  readonly builder: GraphBuilder;
}

/** Records the formula of a node, and returns what stands for its outputs. */
function replaced(
  { tf, backend, builder }: Tools,
  node: Node,
  formula: Formula,
  inputs: readonly (Value | null)[],
): readonly Value[] {
  builder.origin = node.origin ?? null;
  const made: Value[] = [];
  tf.tidy(() => {
    const symbols = inputs.map((x): TfTensor | null => x && backend.tensorOf(widened(builder, x)));
    formula(tf, symbols, node.attributes).forEach((result, i) => {
      const output = node.outputs[i];
      if (output !== undefined) made.push(rounded(builder, backend.valueOf(result), output));
    });
  });
  builder.origin = null;
  return made;
}

const widened = (builder: GraphBuilder, x: Value): Value => (x.dtype === "bfloat16" ? builder.cast(x, "float32") : x);

const rounded = (builder: GraphBuilder, x: Value, { dtype }: Value): Value =>
  dtype === "bfloat16" ? builder.cast(x, dtype) : x;

/** The outputs of the graph keep their names. */
function withOutputs(builder: GraphBuilder, { outputs }: Graph, of: (name: string) => Value | null): Graph {
  for (const name of outputs) {
    const made = of(name);
    if (made !== null && made.name !== name)
      builder.push({ op: "Identity", inputs: [made.name], outputs: [{ ...made, name }], attributes: {} });
  }
  return builder.graph(outputs);
}
