import { runComposite } from "../../graph/record/kernels.ts";
import type { Tf, TfTensor } from "../../graph/record/tfjs-types.ts";
import { scaleOf } from "../attention.ts";
import { withGradient } from "../autodiff.ts";
import { computingOps, type ComputingOps } from "../ops.ts";

/** The operations as they are recorded: some as one node, with one more for their gradient (`graph/composites.ts`). */
export function recordedOps(tf: Tf): ComputingOps {
  return computingOps(tf, { attention: (q, k, v, bias) => attention(tf, q, k, v, bias) });
}

function attention(tf: Tf, q: TfTensor, k: TfTensor, v: TfTensor, bias: TfTensor | null): TfTensor {
  const scale = scaleOf(q);
  const own = bias === null ? [] : [bias];
  return withGradient(
    tf,
    [q, k, v, ...own],
    (save) => {
      const [o, logSum] = runComposite(tf, "Attention", [q, k, v, ...own], { scale }) as [TfTensor, TfTensor];
      save([q, k, v, o, logSum, ...own]);
      return o;
    },
    (dO, saved) => runComposite(tf, "AttentionGrad", [dO, ...saved], { scale }),
  );
}
