/** Functions that a generated module brings along for its networks. */

export const networkHelpers = {
  windowed: `/** So many frames, rows and columns, null for all, of a value whose axis \`first\` is frames; \`place\` says where, by a number in [0, 1) for each. */
function windowed(
  ops: Ops,
  name: string,
  x: Tensor,
  first: number,
  sizes: readonly (number | null)[],
  place: readonly number[],
): Tensor {
  return sizes.reduce((part, size, i) => {
    const axis = i + first;
    const length = x.shape[axis] ?? 0;
    const count = Math.min(size ?? length, length);
    if (count === length) return part;
    const begin = Math.floor((place[i] ?? 0) * (length - count + 1));
    const data = Int32Array.from({ length: count }, (_, j) => begin + j);
    // \`gather\` chooses along the first axis.
    const order = [axis, ...part.shape.map((_, other) => other).filter((other) => other !== axis)];
    const rows = ops.gather(ops.transpose(part, order), ops.input(\`\${name}.\${axis}\`, { shape: [count], dtype: "int32", data }));
    return ops.transpose(rows, order.map((_, to) => order.indexOf(to)));
  }, x);
}`,
  maskedPixels: `/** The mean over \`pixels\` [B, frames, rows, columns] by the weights that \`weigh\` makes for them. */
function maskedPixels(ops: Ops, pixels: Tensor, weigh: (pixels: Tensor) => Tensor): Tensor {
  return maskedMean(ops, pixels, weigh(pixels));
}`,
  enlarged: `/** Of latent cells [B, F, H, W] one value for each pixel of [..., frames, rows, columns]; the first frame of cells is a single one of pixels. */
function enlarged(ops: Ops, x: Tensor, pixels: Tensor): Tensor {
  const [B = 0, F = 0, H = 0, W = 0] = x.shape;
  const [frames = 0, rows = 0, columns = 0] = pixels.shape.slice(-3);
  const time = F > 1 ? (frames - 1) / (F - 1) : 1;
  const cells = ops.broadcastTo(ops.reshape(x, [B, F, 1, H, 1, W, 1]), [B, F, time, H, rows / H, W, columns / W]);
  return ops.slice(ops.reshape(cells, [B, F * time, rows, columns]), [0, time - 1, 0, 0], [-1, -1, -1, -1]);
}`,
} as const;
