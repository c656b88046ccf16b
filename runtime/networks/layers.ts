/** Networks of layers: which tensors of a file they read, and what they compute. Layers and names are those of PyTorch's `nn.Sequential`. */
import type { NetworkLayer, Ops, Shape, Tensor } from "../contract.ts";

type Conv = Extract<NetworkLayer, { kind: "conv" }>;

/** Weight or bias of the i-th layer; null where the file has none, as a layer without a bias. */
type WeightOf = (layer: number, kind: "weight" | "bias") => Tensor | null;

/**
 * The shapes that a layer's weight may have behind `width` channels, the first of them as PyTorch writes it; null for layers without
 * weights. A convolution of single frames may have been stored as one of pictures.
 */
export function weightShapes(layer: NetworkLayer, width: number): readonly Shape[] | null {
  switch (layer.kind) {
    case "linear":
      return [[layer.features, width]];
    case "layer_norm":
      return [[width]];
    case "conv": {
      const [frames, ...plane] = layer.kernel;
      const whole = [layer.features, width, ...layer.kernel];
      return frames === 1 ? [whole, [layer.features, width, ...plane]] : [whole];
    }
    default:
      return null;
  }
}

/** Channels behind a layer. */
export const widthAfter = (layer: NetworkLayer, width: number): number =>
  "features" in layer ? layer.features : width;

/** Names and shapes of all tensors of layers that are given `width` channels. */
export function layerTensors(layers: readonly NetworkLayer[], width: number) {
  let before = width;
  return layers.flatMap((layer, i) => {
    const [shape] = weightShapes(layer, before) ?? [];
    before = widthAfter(layer, before);
    return shape === undefined
      ? []
      : [
          { name: `${i}.weight`, shape },
          { name: `${i}.bias`, shape: [before] },
        ];
  });
}

/** `x`: `[B, C, frames, rows, columns]` for convolutions, else any shape with the channels last. */
export function runLayers(ops: Ops, layers: readonly NetworkLayer[], weight: WeightOf, x: Tensor): Tensor {
  return layers.reduce((y, layer, i) => runLayer(ops, layer, (kind) => weight(i, kind), y), x);
}

function runLayer(ops: Ops, layer: NetworkLayer, own: (kind: "weight" | "bias") => Tensor | null, x: Tensor): Tensor {
  switch (layer.kind) {
    case "linear":
      return product(ops, present(own("weight")), own("bias"), x);
    case "conv":
      return convolved(ops, layer, present(own("weight")), own("bias"), x);
    case "layer_norm": {
      const normed = ops.layerNorm(x, 1e-5);
      const [scale, shift] = [own("weight"), own("bias")];
      const scaled = scale === null ? normed : ops.mul(normed, scale);
      return shift === null ? scaled : ops.add(scaled, shift);
    }
    case "relu":
      return ops.maximum(x, 0);
    case "gelu":
      return ops.mul(ops.mul(x, 0.5), ops.add(erf(ops, ops.mul(x, Math.SQRT1_2)), 1));
    case "gelu_tanh":
      return ops.gelu(x);
    case "silu":
      return ops.silu(x);
    case "tanh":
      return ops.tanh(x);
    case "sigmoid":
      return ops.sigmoid(x);
  }
}

/** A product and not a layer of the model, so that it stays float32 where the model is computed in bfloat16. */
function product(ops: Ops, weight: Tensor, bias: Tensor | null, x: Tensor): Tensor {
  const y = ops.matMul(x, weight, false, true);
  return bias === null ? y : ops.add(y, bias);
}

/** With as many zeros around as keep the size. */
function convolved(ops: Ops, { kernel }: Conv, weight: Tensor, bias: Tensor | null, x: Tensor): Tensor {
  const [outputs = 0, inputs = 0] = weight.shape;
  const cells = ops.reshape(weight, [outputs, inputs, ...kernel]);
  return ops.convolve(
    x,
    cells,
    bias,
    kernel.map((size) => (size - 1) / 2),
  );
}

/** Abramowitz and Stegun 7.1.26: within 1.5e-7 of the error function. */
function erf(ops: Ops, x: Tensor): Tensor {
  const size = ops.abs(x);
  const t = ops.div(1, ops.add(ops.mul(size, 0.3275911), 1));
  const [first, ...rest] = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const polynomial = rest.reduce<Tensor>((y, a) => ops.mul(ops.add(y, a), t), ops.mul(t, first ?? 0));
  const positive = ops.sub(1, ops.mul(polynomial, ops.exp(ops.neg(ops.square(size)))));
  return ops.where(ops.less(x, 0), ops.neg(positive), positive);
}

function present(x: Tensor | null): Tensor {
  if (x === null) throw new Error("a layer's weight was not loaded");
  return x;
}
