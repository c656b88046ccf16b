import type { Shape } from "../contract.ts";

/**
 * The shape of a convolution with stride 1 and without padding: x `[B, C, ...sizes]`, weight `[O, C, ...kernel]`.
 * @throws Error if the weight does not fit
 */
export function convolvedShape(x: Shape, weight: Shape): number[] {
  const [batch = 0, channels, ...sizes] = x;
  const [outputs = 0, inputs, ...kernel] = weight;
  const made = sizes.map((size, axis) => size - (kernel[axis] ?? 0) + 1);
  if (channels !== inputs || kernel.length !== sizes.length || made.some((size) => size < 1))
    throw new Error(`convolves [${x.join(", ")}] with [${weight.join(", ")}]`);
  return [batch, outputs, ...made];
}
