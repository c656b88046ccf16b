/** Functions that a generated module brings along when it uses them; each is what one would write by hand. */

import { networkHelpers } from "./network-helpers.ts";

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
  marked: `/** bool [B]: the samples that have an optional source, or are of a data set. */
function marked({ marks }: Pick<Batch<unknown>, "marks">, name: string): Tensor {
  const mark = marks?.[name];
  if (mark === undefined) throw new Error(\`the batch does not say which samples \${name} is about\`);
  return mark;
}`,
  ifThere: `/** A reference that samples may lack: none where those of the batch do. */
function ifThere<Source>({ lacks }: Pick<Batch<unknown>, "lacks">, name: string, source: Source): readonly Source[] {
  return lacks?.includes(name) === true ? [] : [source];
}`,
  output: `/** An extra output of the model. */
function output({ outputs }: Prediction, name: string): Tensor {
  const found = outputs[name];
  if (found === undefined) throw new Error(\`the model gave no output \${name}\`);
  return found;
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
  perStep: `/** A number that changes from step to step. */
function perStep(ops: Ops, name: string, value: number): Tensor {
  return ops.input(name, { shape: [], dtype: "float32", data: Float32Array.of(value) });
}`,
  withReferences: `/** Puts the tokens of references [B, R, C] in front of the target's: clean, at timestep 0. */
function withReferences(ops: Ops, target: ModalityInputs, references: readonly Tensor[]): ModalityInputs {
  const clean = references.map(({ shape: [B = 0, R = 0] }) => ops.fill([B, R], 0));
  return {
    ...target,
    latent: ops.concat([...references, target.latent], 1),
    timesteps: ops.concat([...clean, target.timesteps], 1),
  };
}`,
  withNoisyReferences: `/** Puts references in front of the target: tokens [B, R, C] with timesteps [B, R], of which null are those of clean ones. */
function withNoisyReferences(
  ops: Ops,
  target: ModalityInputs,
  references: readonly (readonly [tokens: Tensor, timesteps: Tensor | null])[],
): ModalityInputs {
  const levels = references.map(([{ shape: [B = 0, R = 0] }, timesteps]) => timesteps ?? ops.fill([B, R], 0));
  return {
    ...target,
    latent: ops.concat([...references.map(([tokens]) => tokens), target.latent], 1),
    timesteps: ops.concat([...levels, target.timesteps], 1),
  };
}`,
  perVideoSequence: `/** A number for each token of references and target, [T], from its index in its own grid. */
function perVideoSequence<Grid extends VideoGrid>(
  ops: Ops,
  grids: readonly Grid[],
  value: (token: number, grid: Grid) => number,
): Tensor {
  const data = grids.flatMap((grid) =>
    Array.from({ length: grid.frames * grid.height * grid.width }, (_, token) => value(token, grid)),
  );
  return ops.constant({ shape: [data.length], dtype: "float32", data: Float32Array.from(data) });
}`,
  perAudioSequence: `/** A number for each step of references and target, [T], from its index in its own sequence. */
function perAudioSequence<Part extends { readonly steps: number }>(
  ops: Ops,
  parts: readonly Part[],
  value: (token: number, part: Part) => number,
): Tensor {
  const data = parts.flatMap((part) => Array.from({ length: part.steps }, (_, token) => value(token, part)));
  return ops.constant({ shape: [data.length], dtype: "float32", data: Float32Array.from(data) });
}`,
  startTimes: `/** When each token begins, [B, T] in seconds, from positions [B, axes, T, 2]. */
function startTimes(ops: Ops, name: string, { shape, data }: HostTensor): Tensor {
  const [B = 0, axes = 0, T = 0] = shape;
  const start = (i: number) => data[(Math.floor(i / T) * axes * T + (i % T)) * 2] ?? 0;
  return ops.input(name, { shape: [B, T], dtype: "float32", data: Float32Array.from({ length: B * T }, (_, i) => start(i)) });
}`,
  onSequence: `/** A value over target tokens with the references in front, for which it is 0 or false. */
function onSequence(ops: Ops, x: Tensor, axis: number, sequence: number): Tensor {
  const references = sequence - (x.shape[axis] ?? 0);
  if (references === 0) return x;
  const shape = x.shape.map((size, i) => (i === axis ? references : size));
  const nothing = x.dtype === "bool" ? constantMask(ops, shape, false) : ops.fill(shape, 0);
  return ops.concat([nothing, x], axis);
}`,
  blur: `/** Gaussian blur over the last two axes; \`radius\` is its standard deviation in cells. */
function blur(ops: Ops, x: Tensor, radius: number): Tensor {
  const last = x.shape.length - 1;
  const swapped = x.shape.map((_, axis) => (axis < last - 1 ? axis : 2 * last - 1 - axis));
  const alongLast = (y: Tensor) => ops.matMul(y, gaussian(ops, y.shape[last] ?? 0, radius), false, true);
  return ops.transpose(alongLast(ops.transpose(alongLast(x), swapped)), swapped);
}`,
  gaussian: `/** Weights [size, size] of each cell's neighbours; what would fall off the edge is shared out, so that rows sum to 1. */
function gaussian(ops: Ops, size: number, radius: number): Tensor {
  const weight = (i: number, j: number) => (i === j ? 1 : Math.exp(-((i - j) ** 2) / (2 * radius ** 2)));
  const rows = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => weight(i, j)));
  const data = rows.flatMap((row) => {
    const total = row.reduce((sum, each) => sum + each, 0);
    return row.map((each) => each / total);
  });
  return ops.constant({ shape: [size, size], dtype: "float32", data: Float32Array.from(data) });
}`,
  dilate: `/** The largest value within \`n\` cells along the last two axes. */
function dilate(ops: Ops, x: Tensor, n: number): Tensor {
  const last = x.shape.length - 1;
  const widest = (y: Tensor, axis: number) => {
    const moved = Array.from({ length: 2 * Math.floor(n) }, (_, i) => (i % 2 === 0 ? 1 + i / 2 : -(i + 1) / 2));
    return moved.reduce((largest, by) => ops.maximum(largest, shifted(ops, y, axis, by)), y);
  };
  return widest(widest(x, last - 1), last);
}`,
  shifted: `/** The value \`by\` places earlier along an axis, later where it is negative; the edge is repeated. */
function shifted(ops: Ops, x: Tensor, axis: number, by: number): Tensor {
  const size = x.shape[axis] ?? 0;
  const places = Math.min(Math.abs(Math.round(by)), size - 1);
  if (places <= 0) return x;
  const part = (begin: number, count: number) =>
    ops.slice(
      x,
      x.shape.map((_, i) => (i === axis ? begin : 0)),
      x.shape.map((length, i) => (i === axis ? count : length)),
    );
  const edge = part(by > 0 ? 0 : size - 1, 1);
  const repeated = ops.broadcastTo(edge, x.shape.map((length, i) => (i === axis ? places : length)));
  const rest = part(by > 0 ? 0 : places, size - places);
  return ops.concat(by > 0 ? [repeated, rest] : [rest, repeated], axis);
}`,
  others: `/** For each sample the values of all others, [B, B - 1, ...], from the next one on; of a single sample its own. */
function others(ops: Ops, x: Tensor): Tensor {
  const B = x.shape[0] ?? 0;
  const count = Math.max(1, B - 1);
  const next = (i: number) => (Math.floor(i / count) + 1 + (i % count)) % B;
  const data = Int32Array.from({ length: B * count }, (_, i) => next(i));
  return ops.gather(x, ops.constant({ shape: [B, count], dtype: "int32", data }));
}`,
  assigned: `/** The samples of \`x\` in the order in which they lie nearest to those of \`to\`, exactly for each eight of them. */
function assigned(ops: Ops, x: Tensor, to: Tensor): Tensor {
  const B = x.shape[0] ?? 0;
  const width = x.shape.slice(1).reduce((product, size) => product * size, 1);
  const part = (y: Tensor, begin: number, size: number) => ops.slice(ops.reshape(y, [B, width]), [begin, 0], [size, -1]);
  const parts = Array.from({ length: Math.ceil(B / 8) }, (_, i) => {
    const size = Math.min(8, B - 8 * i);
    const [from, near] = [part(x, 8 * i, size), part(to, 8 * i, size)];
    // Of the squared distance, the order changes the product alone.
    const chosen = bestOrder(ops, ops.neg(ops.matMul(near, from, false, true)));
    const rows = Array.from({ length: size }, (__, j) =>
      ops.mul(ops.slice(chosen, [0, j], [-1, 1]), ops.slice(from, [j, 0], [1, -1])),
    );
    return rows.reduce((sum, row) => ops.add(sum, row));
  });
  return ops.reshape(parts.length === 1 ? (parts[0] ?? x) : ops.concat(parts, 0), x.shape);
}`,
  bestOrder: `/**
 * The permutation [n, n] with the smallest sum of costs [n, n], one column for each row. Rows get their columns one after the
 * other; of all ways to the same set of columns only the cheapest is kept.
 */
function bestOrder(ops: Ops, costs: Tensor): Tensor {
  const n = costs.shape[0] ?? 0;
  const columns = Array.from({ length: n }, (_, i) => i);
  const members = (set: number) => columns.filter((i) => (set & (1 << i)) !== 0);
  const places = (list: readonly number[]) =>
    ops.constant({ shape: [list.length], dtype: "int32", data: Int32Array.from(list) });
  let sets: readonly number[] = [0];
  let best = { cost: ops.fill([1], 0), order: ops.fill([1, n * n], 0) };
  for (const row of columns) {
    const of = ops.reshape(ops.slice(costs, [row, 0], [1, -1]), [n]);
    const next = Array.from({ length: 2 ** n }, (_, set) => set).filter((set) => members(set).length === row + 1);
    const ways = next.slice(0, 1).flatMap((first) => members(first)).map((_, i) => {
      const last = next.map((set) => members(set)[i] ?? 0);
      const before = places(next.map((set, j) => sets.indexOf(set & ~(1 << (last[j] ?? 0)))));
      const data = new Float32Array(next.length * n * n);
      last.forEach((column, j) => (data[(j * n + row) * n + column] = 1));
      const chosen = ops.constant({ shape: [next.length, n * n], dtype: "float32", data });
      return {
        cost: ops.add(ops.gather(best.cost, before), ops.gather(of, places(last))),
        order: ops.add(ops.gather(best.order, before), chosen),
      };
    });
    best = ways.reduce((a, b) => {
      const better = ops.less(b.cost, a.cost);
      const rows = ops.reshape(better, [next.length, 1]);
      return { cost: ops.where(better, b.cost, a.cost), order: ops.where(rows, b.order, a.order) };
    });
    sets = next;
  }
  return ops.reshape(best.order, [n, n]);
}`,
  quantile: `/**
 * The smallest number along \`axes\` that at least this share of them does not exceed. The interval in which it lies is halved until
 * it holds no other; what moves is found without a gradient, which goes to the number itself.
 */
function quantile(ops: Ops, x: Tensor, share: number, axes: readonly number[]): Tensor {
  const still = ops.stopGradient(x);
  const count = axes.reduce((product, axis) => product * (x.shape[axis] ?? 1), 1);
  const wanted = Math.max(1, Math.ceil(share * count - 1e-6));
  let high = ops.max(still, axes, true);
  let low = ops.sub(ops.min(still, axes, true), ops.add(ops.mul(ops.abs(high), 1e-3), 1));
  for (let i = 0; i < 40; i++) {
    const middle = ops.mul(ops.add(low, high), 0.5);
    const isEnough = ops.greater(ops.sum(ops.float(ops.lessEqual(still, middle)), axes, true), wanted - 0.5);
    high = ops.where(isEnough, middle, high);
    low = ops.where(isEnough, low, middle);
  }
  // Above all others, so that the smallest of what lies above the lower end is left.
  const above = ops.max(still, axes, true);
  return ops.min(ops.where(ops.greater(still, low), x, above), axes);
}`,
  dft: `/**
 * The discrete Fourier transform along \`axes\`: [..., frequencies of each axis, 2], of the last axis half of them, and then the real and the
 * imaginary part. Each axis is a product with cosines and sines.
 */
function dft(ops: Ops, x: Tensor, axes: readonly number[]): Tensor {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const order = [...kept, ...axes];
  const shape = order.map((axis) => x.shape[axis] ?? 1);
  const n = shape.pop() ?? 1;
  const half = Math.floor(n / 2) + 1;
  const rows = shape.reduce((a, b) => a * b, 1);
  const flat = ops.reshape(ops.transpose(x, order), [rows, n]);
  let y = ops.reshape(ops.matMul(flat, realWaves(ops, n, half)), [...shape, half, 2]);
  for (let axis = kept.length; axis < shape.length; axis++) {
    const length = shape[axis] ?? 1;
    const places = y.shape.map((_, i) => i);
    const behind = [...places.filter((i) => i !== axis && i !== shape.length + 1), axis, shape.length + 1];
    const moved = ops.transpose(y, behind);
    const pairs = ops.reshape(moved, [(rows / length) * half, 2 * length]);
    const turned = ops.reshape(ops.matMul(pairs, complexWaves(ops, length)), moved.shape);
    y = ops.transpose(turned, places.map((i) => behind.indexOf(i)));
  }
  return y;
}`,
  realWaves: `/** [n, 2 count]: of real numbers the real and imaginary parts of the first frequencies. */
function realWaves(ops: Ops, n: number, count: number): Tensor {
  const data = new Float32Array(n * count * 2);
  for (let t = 0; t < n; t++)
    for (let k = 0; k < count; k++) {
      const angle = (2 * Math.PI * ((k * t) % n)) / n;
      data.set([Math.cos(angle), -Math.sin(angle)], (t * count + k) * 2);
    }
  return ops.constant({ shape: [n, 2 * count], dtype: "float32", data });
}`,
  complexWaves: `/** [2 n, 2 n]: of complex numbers, real and imaginary parts in turn, those of all frequencies. */
function complexWaves(ops: Ops, n: number): Tensor {
  const data = new Float32Array(4 * n * n);
  for (let t = 0; t < n; t++)
    for (let k = 0; k < n; k++) {
      const angle = (2 * Math.PI * ((k * t) % n)) / n;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      data.set([cos, -sin], 4 * n * t + 2 * k);
      data.set([sin, cos], 4 * n * t + 2 * n + 2 * k);
    }
  return ops.constant({ shape: [2 * n, 2 * n], dtype: "float32", data });
}`,
  cell: `/** The latent cell that holds a pixel. */
function cell(pixel: number, scale: number, count: number): number {
  return Math.min(Math.max(Math.floor(pixel / scale), 0), count);
}`,
  extent: `/** The length of an axis. */
function extent(x: Tensor, axis: number): number {
  return x.shape[axis] ?? 0;
}`,
  imported: `/** What an imported function returns, if it is of its declared type; null stands for a length that only the data knows. */
function imported(name: string, type: string, shape: readonly (number | null)[], call: () => Tensor): Tensor {
  const failed = (what: string, cause?: unknown) =>
    Object.assign(new Error(\`the imported function \\\`\${name}\\\` \${what}\`, { cause }), { name: "ImportError" });
  let result: Tensor;
  try {
    result = call();
  } catch (error) {
    throw failed(\`failed: \${error instanceof Error ? error.message : String(error)}\`, error);
  }
  const got = (result as Partial<Tensor> | null | undefined)?.shape;
  if (got === undefined) throw failed(\`returned no tensor; its declared type is \${type}\`);
  if (got.length === shape.length && got.every((size, i) => shape[i] === null || size === shape[i])) return result;
  const wanted = shape.map((size) => size ?? "any").join(", ");
  throw failed(\`returned the shape [\${got.join(", ")}]; its declared type \${type} has [\${wanted}]\`);
}`,
  standIn: `/** Stands for an imported function that is left out: it depends on all arguments, [argument, axis] is the length of one's axis. */
function standIn(ops: Ops, args: readonly Tensor[], shape: readonly (number | readonly [number, number])[]): Tensor {
  const sizes = shape.map((size) => (typeof size === "number" ? size : (args[size[0]]?.shape[size[1]] ?? 1)));
  const means = args.map((x) => ops.mean(x.dtype === "bool" ? ops.float(x) : x));
  return ops.broadcastTo(means.reduce((sum, x) => ops.add(sum, x), ops.fill([], 0)), sizes);
}`,
  chosenText: `/** The text of each sample: the first one whose mask [B] is true for it, else \`otherwise\`. */
function chosenText(
  ops: Ops,
  texts: readonly (readonly [chosen: Tensor, text: TextEmbeddings])[],
  otherwise: TextEmbeddings,
): TextEmbeddings {
  return texts.reduceRight((rest, [chosen, text]) => {
    const pick = (a: Tensor, b: Tensor) => ops.where(ops.reshape(chosen, b.shape.map((size, axis) => (axis === 0 ? size : 1))), a, b);
    const mask = ops.greater(pick(ops.float(text.mask), ops.float(rest.mask)), 0.5);
    const audio = text.audio === null || rest.audio === null ? null : pick(text.audio, rest.audio);
    return { kind: rest.kind, video: pick(text.video, rest.video), audio, mask };
  }, otherwise);
}`,
  withTokens: `/** A text with trained tokens [N, D] in front of its own; where N is below \`length\`, with tokens that nothing attends to in front of both. */
function withTokens(
  ops: Ops,
  text: TextEmbeddings,
  of: "video" | "audio",
  weights: readonly Tensor[],
  length: number,
): TextEmbeddings {
  const own = present(text[of], \`the \${of} part of a text\`);
  const [B = 0, , D = 0] = own.shape;
  const tokens = weights.map((weight) => {
    const [N = 0] = weight.shape;
    return ops.broadcastTo(ops.reshape(weight, [1, N, D]), [B, N, D]);
  });
  const spare = tokens.reduce((left, { shape: [, N = 0] }) => left - N, length);
  const front = spare === 0 ? tokens : [ops.fill([B, spare, D], 0), ...tokens];
  const marks = [...front.map(({ shape: [, N = 0] }, i) => ops.fill([B, N], spare > 0 && i === 0 ? 0 : 1)), ops.float(text.mask)];
  const all = ops.concat([...front, own], 1);
  const mask = ops.greater(ops.concat(marks, 1), 0.5);
  return { kind: text.kind, video: of === "video" ? all : text.video, audio: of === "audio" ? all : text.audio, mask };
}`,
  present: `/** A tensor that this strategy cannot do without. */
function present(x: Tensor | null, what: string): Tensor {
  if (x === null) throw new Error(\`\${what} is missing\`);
  return x;
}`,
  ...networkHelpers,
} as const;

export type Helper = keyof typeof helpers;

/** Helpers that a helper calls. */
const needed: Partial<Record<Helper, readonly Helper[]>> = {
  onSequence: ["constantMask"],
  blur: ["gaussian"],
  dilate: ["shifted"],
  dft: ["realWaves", "complexWaves"],
  assigned: ["bestOrder"],
  withTokens: ["present"],
  maskedPixels: ["maskedMean"],
};

export function withNeeded(name: Helper): readonly Helper[] {
  return [name, ...(needed[name] ?? [])];
}
