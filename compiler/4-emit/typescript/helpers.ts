/** Functions that a generated module brings along when it uses them; each is what one would write by hand. */

export const helpers = {
  toVideoTokens: `/** Lays a latent grid [B, C, F, H, W] out as tokens [B, F*H*W, C], w fastest. */
function toVideoTokens(ops: Ops, x: Tensor): Tensor {
  const [B = 0, C = 0, F = 0, H = 0, W = 0] = x.shape;
  return ops.transpose(ops.reshape(x, [B, C, F * H * W]), [0, 2, 1]);
}`,
  toAudioTokens: `/** Lays audio latents [B, C, T, mel] out as tokens [B, T, C*mel]. */
function toAudioTokens(ops: Ops, x: Tensor): Tensor {
  const [B = 0, C = 0, T = 0, mel = 0] = x.shape;
  return ops.reshape(ops.transpose(x, [0, 2, 1, 3]), [B, T, C * mel]);
}`,
  overTokens: `/** \`x\` with its grid axes, which begin at \`axis\`, as one axis of tokens; those that it lacks are repeated. */
function overTokens(ops: Ops, x: Tensor, axis: number, grid: readonly number[], present: readonly boolean[]): Tensor {
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + present.filter(Boolean).length);
  const open = grid.map((size, i) => (present[i] === true ? size : 1));
  const whole = ops.broadcastTo(ops.reshape(x, [...before, ...open, ...after]), [...before, ...grid, ...after]);
  return ops.reshape(whole, [...before, grid.reduce((product, size) => product * size, 1), ...after]);
}`,
  overGrid: `/** \`x\` with its axis of tokens laid out on the grid. */
function overGrid(ops: Ops, x: Tensor, axis: number, grid: readonly number[]): Tensor {
  return ops.reshape(x, [...x.shape.slice(0, axis), ...grid, ...x.shape.slice(axis + 1)]);
}`,
  unsqueeze: `/** \`x\` with axes of length 1 at these places of the result. */
function unsqueeze(ops: Ops, x: Tensor, places: readonly number[]): Tensor {
  const shape = [...x.shape];
  for (const place of places) shape.splice(place, 0, 1);
  return ops.reshape(x, shape);
}`,
  targetTokens: `/** The target's tokens of a prediction [B, references + T, C]: the last T. */
function targetTokens(ops: Ops, prediction: Tensor | null, count: number): Tensor {
  if (prediction === null) throw new Error("the model gave no prediction for a modality that has a loss");
  const references = (prediction.shape[1] ?? 0) - count;
  return references === 0 ? prediction : ops.slice(prediction, [0, references, 0], [-1, count, -1]);
}`,
  maskedMean: `/** mean(error * weights) / max(mean(weights), 1e-8) for each sample; both have the batch first and as many axes. */
function maskedMean(ops: Ops, error: Tensor, weights: Tensor): Tensor {
  const axes = error.shape.map((_, axis) => axis).slice(1);
  const share = ops.maximum(ops.mean(weights, axes), 1e-8);
  return ops.div(ops.mean(ops.mul(error, weights), axes), share);
}`,
  constantMask: `/** A mask that is the same everywhere. */
function constantMask(ops: Ops, shape: readonly number[], value: boolean): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  return ops.constant({ shape, dtype: "bool", data: new Uint8Array(length).fill(value ? 1 : 0) });
}`,
  perToken: `/** A number for each token, [T], from its index. */
function perToken(ops: Ops, count: number, value: (token: number) => number): Tensor {
  const data = Float32Array.from({ length: count }, (_, token) => value(token));
  return ops.constant({ shape: [count], dtype: "float32", data });
}`,
  perSample: `/** A number for each sample, [B]. */
function perSample(ops: Ops, name: string, values: readonly number[]): Tensor {
  return ops.input(name, { shape: [values.length], dtype: "float32", data: Float32Array.from(values) });
}`,
  cell: `/** The latent cell that holds a pixel. */
function cell(pixel: number, scale: number, count: number): number {
  return Math.min(Math.max(Math.floor(pixel / scale), 0), count);
}`,
  extent: `/** The length of an axis. */
function extent(x: Tensor, axis: number): number {
  return x.shape[axis] ?? 0;
}`,
  present: `/** A tensor that this strategy cannot do without. */
function present(x: Tensor | null, what: string): Tensor {
  if (x === null) throw new Error(\`\${what} is missing\`);
  return x;
}`,
} as const;

export type Helper = keyof typeof helpers;
