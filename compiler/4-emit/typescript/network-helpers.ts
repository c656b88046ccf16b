/** Functions that a generated module brings along for its networks. */

export const networkHelpers = {
  windowed: `/** Of [B, C, F, H, W] so many frames, rows and columns, null for all; \`place\` says where, by a number in [0, 1) for each. */
function windowed(ops: Ops, name: string, x: Tensor, sizes: readonly (number | null)[], place: readonly number[]): Tensor {
  return sizes.reduce((part, size, i) => {
    const axis = i + 2;
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
} as const;
