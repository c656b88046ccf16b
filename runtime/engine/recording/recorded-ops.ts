import type { Shape } from "../../contract.ts";
import { runComposite } from "../../graph/record/kernels.ts";
import type { Attribute } from "../../graph/graph.ts";
import type { Tf, TfTensor } from "../../graph/record/tfjs-types.ts";
import { scaleOf } from "../attention.ts";
import { withGradient } from "../autodiff.ts";
import { convolve, type Convolution } from "../convolution.ts";
import { inRows } from "../formulas/layers.ts";
import { computingOps, type ComputingOps } from "../ops.ts";

/** Records one of our own operators. */
type Run = (
  op: string,
  inputs: readonly TfTensor[],
  attributes?: Readonly<Record<string, Attribute>>,
) => readonly [TfTensor, ...TfTensor[]];

/** The operations as they are recorded: some as one node, with one more for their gradient (`graph/composites.ts`). */
export function recordedOps(tf: Tf): ComputingOps {
  const run: Run = (op, inputs, attributes) =>
    runComposite(tf, op, inputs, attributes) as unknown as readonly [TfTensor, ...TfTensor[]];
  return computingOps(tf, {
    attention: (q, k, v, bias) => attention(tf, run, [q, k, v], bias),
    linear: (x, weight, bias) => linear(tf, run, [x, weight], bias),
    rmsNorm: (x, eps, weight) => rmsNorm(tf, run, x, eps, weight),
    widen: (x) =>
      withGradient(
        tf,
        [x],
        () => run("Widen", [x])[0],
        (dy) => [dy],
      ),
    gelu: (x) => gelu(tf, run, x),
    modulate: (x, scale, shift) => modulate(tf, run, x, scale, shift),
    rotate: (x, ...rotation) => rotate(tf, run, x, rotation),
    convolve: (x, weight, bias, zeros) => convolve(tf, convolution(tf, run), [x, weight], bias, zeros),
    adamw: (scalars, lists, [beta1 = NaN, beta2 = NaN, epsilon = NaN, weightDecay = NaN]) => [
      ...run("AdamW", [...scalars, ...lists], { count: lists.length / 4, beta1, beta2, epsilon, weightDecay }),
    ],
  });
}

type Three = readonly [TfTensor, TfTensor, TfTensor];

function attention(tf: Tf, run: Run, operands: Three, bias: TfTensor | null): TfTensor {
  const scale = scaleOf(operands[0]);
  const own = bias === null ? [] : [bias];
  return withGradient(
    tf,
    [...operands, ...own],
    (save) => {
      const made = run("Attention", [...operands, ...own], { scale });
      save([...operands, ...made, ...own]);
      return made[0];
    },
    (dO, saved) => [...run("AttentionGrad", [dO, ...saved], { scale })],
  );
}

function linear(tf: Tf, run: Run, operands: readonly [TfTensor, TfTensor], bias: TfTensor | null): TfTensor {
  const own = bias === null ? [] : [bias];
  return withGradient(
    tf,
    [...operands, ...own],
    (save) => {
      save([...operands]);
      return run("Linear", [...operands, ...own])[0];
    },
    (dy, saved) => {
      const [x, weight] = saved as [TfTensor, TfTensor];
      const [dx] = run("LinearGradInput", [dy, weight]);
      const [dWeight] = run("LinearGradWeight", [dy, x]);
      return [dx, dWeight, ...own.map(() => tf.sum(inRows(tf, dy), 0) as TfTensor)];
    },
  );
}

function rmsNorm(tf: Tf, run: Run, x: TfTensor, eps: number, weight: TfTensor | undefined): TfTensor {
  const own = weight === undefined ? [] : [weight];
  return withGradient(
    tf,
    [x, ...own],
    (save) => {
      const [y, r] = run("RmsNorm", [x, ...own], { eps }) as unknown as [TfTensor, TfTensor];
      save([x, r, ...own]);
      return y;
    },
    (dy, saved) => [...run("RmsNormGrad", [dy, ...saved])],
  );
}

function gelu(tf: Tf, run: Run, x: TfTensor): TfTensor {
  return withGradient(
    tf,
    [x],
    (save) => {
      save([x]);
      return run("Gelu", [x])[0];
    },
    (dy, saved) => [run("GeluGrad", [dy, ...saved])[0]],
  );
}

function modulate(tf: Tf, run: Run, x: TfTensor, scale: TfTensor, shift: TfTensor): TfTensor {
  return withGradient(
    tf,
    [x, scale, shift],
    (save) => {
      save([x, scale]);
      return run("Modulate", [x, scale, shift])[0];
    },
    (dy, saved) => [...run("ModulateGrad", [dy, ...saved])],
  );
}

type Rotation = readonly [cos: TfTensor, sin: TfTensor, pairs: "halves" | "neighbours"];

function rotate(tf: Tf, run: Run, x: TfTensor, [cos, sin, pairs]: Rotation): TfTensor {
  return withGradient(
    tf,
    [x],
    (save) => {
      save([cos, sin]);
      return run("Rotate", [x, cos, sin], { pairs, inverse: 0 })[0];
    },
    (dy, saved) => [run("Rotate", [dy, ...saved], { pairs, inverse: 1 })[0]],
  );
}

/** The gradient of a weight is a convolution over time and space of all samples, with channels in the place of samples. */
function convolution(tf: Tf, run: Run): Convolution {
  const exchanged = (x: TfTensor): TfTensor => tf.transpose(x, [1, 0, 2, 3, 4]);
  const forward = (x: TfTensor, weight: TfTensor, bias: TfTensor | null, zeros: Shape) => {
    const attributes = zeros.some((count) => count > 0) ? { pads: [...zeros, ...zeros] } : {};
    return run("Conv", [x, weight, ...(bias === null ? [] : [bias])], attributes)[0];
  };
  return { forward, byWeight: (x, dy) => exchanged(forward(exchanged(x), exchanged(dy), null, [0, 0, 0])) };
}
