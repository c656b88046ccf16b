import { valuesOf, type Graph, type Node } from "../../graph/graph.ts";
import { optimize } from "../../graph/passes/index.ts";
import { toBfloat16 } from "../../graph/passes/to-bfloat16.ts";
import type { Tf } from "../../graph/record/tfjs-types.ts";
import type { Precision } from "../engine.ts";
import { lower } from "../recording/lower.ts";
import type { TorchDevice } from "./library.ts";
import { hasKernel } from "./operators/attention.ts";
import { operators } from "./operators/index.ts";
import { aliases } from "./plan.ts";

/**
 * A recorded graph with the operators that there are calls for. In float32, layers are products of matrices: passes then widen weights of
 * 16 bits part by part, right before each use. In bfloat16 the calls for layers take the weights as they are.
 */
export function prepareGraph(tf: Tf, recorded: Graph, provider: TorchDevice, precision: Precision): Graph {
  const isNarrow = precision === "bfloat16";
  const graph = isNarrow ? toBfloat16(recorded) : recorded;
  const values = valuesOf(graph);
  const valueOf = (name: string) => values.get(name) ?? { name, shape: [], dtype: "float32" as const };
  const isNative = (node: Node) => {
    if (attention.has(node.op)) return hasKernel(node, provider, valueOf);
    return aliases.has(node.op) || (operators.has(node.op) && (isNarrow || !layers.has(node.op)));
  };
  return optimize(lower(tf, graph, isNative), { isTorch: isNarrow });
}

const attention: ReadonlySet<string> = new Set(["Attention", "AttentionGrad"]);
const layers: ReadonlySet<string> = new Set(["Linear", "LinearGradInput", "LinearGradWeight"]);
