import type { Shape } from "../contract.ts";

/**
 * The shape of a convolution with stride 1: x `[B, C, ...sizes]`, weight `[O, C, ...kernel]`.
 * @param pads zeros before each axis of the kernel, and then those behind each; none if empty
 * @throws Error if the weight does not fit
 */
export function convolvedShape(x: Shape, weight: Shape, pads: readonly number[] = []): number[] {
  const [batch = 0, channels, ...sizes] = x;
  const [outputs = 0, inputs, ...kernel] = weight;
  const zeros = (axis: number) => (pads[axis] ?? 0) + (pads[axis + kernel.length] ?? 0);
  const made = sizes.map((size, axis) => size + zeros(axis) - (kernel[axis] ?? 0) + 1);
  const fits = channels === inputs && kernel.length === sizes.length && made.every((size) => size > 0);
  if (!fits || ![0, 2 * kernel.length].includes(pads.length)) {
    const around = pads.length === 0 ? "" : ` and pads ${pads.join()}`;
    throw new Error(`convolves [${x.join(", ")}] with [${weight.join(", ")}]${around}`);
  }
  return [batch, outputs, ...made];
}
