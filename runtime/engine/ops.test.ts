// Functions stand where they are used, and `fill` is not an array's.
/* oxlint-disable unicorn/consistent-function-scoping, unicorn/no-array-fill-with-reference-type */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Ops, Tensor } from "../contract.ts";
import type { Engine } from "./engine.ts";
import { openEngine } from "./index.ts";
import { loadTfjsAlone } from "./load-tfjs.ts";
import { BACKEND } from "../graph/record/backend.ts";
import { torchEngines } from "../testing/test-torch.ts";
import type { Provider } from "./onnx/provider.ts";

const test = suite("ops");
const { engine: cpu } = await openEngine("cpu");
const { engine: wasm } = await openEngine("wasm");
/** Set where another provider of the engine is tested, which has to compute all by itself. */
const provider = process.env["LTXC_TEST_PROVIDER"] as Provider | undefined;
const { engine: onnx } = await openEngine("onnx", provider === undefined ? {} : { provider, isStrict: true });
/** What is compared with `cpu`. */
const others: readonly Engine[] = [wasm, onnx, ...(provider === undefined ? await torchEngines() : [])];

/** Kernels of the recording backend that were asked for. */
const recorded = new Set<string>();
const kernels = (await loadTfjsAlone()).getKernelsForBackend(BACKEND);
for (const kernel of kernels) {
  const { kernelName, kernelFunc } = kernel;
  kernel.kernelFunc = (given) => {
    recorded.add(kernelName);
    return kernelFunc(given);
  };
}

/** Numbers between -1.5 and 1.5, no two alike, none near 0. */
function numbers(shape: readonly number[], seed = 1): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, (_, i) => {
    const x = 1.5 * Math.sin(12.9898 * (i + 1) + 78.233 * seed);
    return Math.abs(x) < 0.1 ? x + 0.3 : x;
  });
  return { shape, dtype: "float32", data };
}

function positive(shape: readonly number[], seed = 1): HostTensor {
  const x = numbers(shape, seed);
  return { ...x, data: Float32Array.from(x.data, (v) => Math.abs(v) + 0.2) };
}

function host(shape: readonly number[], values: readonly number[], dtype: HostTensor["dtype"] = "float32"): HostTensor {
  const data =
    dtype === "float32"
      ? Float32Array.from(values)
      : dtype === "int32"
        ? Int32Array.from(values)
        : Uint8Array.from(values);
  return { shape, dtype, data };
}

type Compute = (ops: Ops, ...xs: Tensor[]) => Tensor;

async function valueOf(engine: Engine, f: Compute, inputs: readonly HostTensor[]): Promise<HostTensor> {
  const xs = inputs.map((x) => engine.keep(x));
  const y = engine.tidy(() => f(engine.ops, ...xs));
  const value = await engine.read(y);
  engine.dispose(y, ...xs);
  return value;
}

/** Gradients of sum(w f(x)), with fixed weights w, by each float32 input. */
async function gradientsOf(engine: Engine, f: Compute, inputs: readonly HostTensor[]): Promise<(HostTensor | null)[]> {
  const xs = inputs.map((x) => engine.keep(x));
  const parameters = xs.filter((x) => x.dtype === "float32");
  const result = engine.differentiate(
    () => ({ loss: weightedSum(engine.ops, f(engine.ops, ...xs)), outputs: {} }),
    parameters,
  );
  const gradients: (HostTensor | null)[] = [];
  for (const g of result.gradients) gradients.push(g === null ? null : await engine.read(g));
  engine.dispose(result.loss, ...result.gradients, ...xs);
  return gradients;
}

function weightedSum(ops: Ops, y: Tensor): Tensor {
  return ops.sum(ops.mul(y, ops.constant(numbers(y.shape, 7))));
}

/** The five-point difference quotient by one entry of one input. */
async function difference(f: Compute, inputs: readonly HostTensor[], which: number, entry: number): Promise<number> {
  const h = 0.03;
  const at = async (offset: number) => {
    const moved = inputs.map((x, i) => (i === which ? { ...x, data: x.data.slice() } : x));
    const data = moved[which]?.data;
    if (data !== undefined) data[entry] = (data[entry] ?? 0) + offset;
    const y = await valueOf(cpu, (ops, ...xs) => weightedSum(ops, f(ops, ...xs)), moved);
    return y.data[0] ?? NaN;
  };
  return (8 * ((await at(h)) - (await at(-h))) - (await at(2 * h)) + (await at(-2 * h))) / (12 * h);
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, label: string): void {
  assert.is(actual.length, expected.length, `${label}: length`);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] ?? NaN, expected[i] ?? NaN];
    assert.ok(a === e || Math.abs(a - e) <= tolerance * (1 + Math.abs(e)), `${label}[${i}]: ${a}, expected ${e}`);
  }
}

/** All engines compute the value, and the same gradients, which are those of difference quotients. */
async function check(
  name: string,
  f: Compute,
  inputs: readonly HostTensor[],
  expected?: readonly number[],
): Promise<void> {
  const value = await valueOf(cpu, f, inputs);
  if (expected !== undefined) close(value.data, expected, 2e-6, name);
  for (const engine of others) {
    const other = await valueOf(engine, f, inputs);
    assert.equal(other.shape, value.shape, `${name}: shape on ${engine.name}`);
    assert.is(other.dtype, value.dtype, `${name}: dtype on ${engine.name}`);
    close(other.data, value.data, 2e-6, `${name} on ${engine.name}`);
  }
  if (value.dtype !== "float32") return;
  const gradients = await gradientsOf(cpu, f, inputs);
  const compared = await Promise.all(others.map((engine) => gradientsOf(engine, f, inputs)));
  const floats = inputs.flatMap((x, i) => (x.dtype === "float32" ? [i] : []));
  for (const [i, which] of floats.entries()) {
    const g = gradients[i];
    if (!g) throw new Error(`${name}: no gradient by input ${which}`);
    assert.equal(g.shape, inputs[which]?.shape, `${name}: shape of gradient ${which}`);
    for (const [j, other] of compared.entries()) {
      close(other[i]?.data ?? [], g.data, 1e-5, `${name}: gradient ${which} on ${others[j]?.name}`);
    }
    for (let entry = 0; entry < g.data.length; entry += Math.ceil(g.data.length / 4)) {
      const expected = await difference(f, inputs, which, entry);
      close([g.data[entry] ?? NaN], [expected], 1e-3, `${name}: gradient ${which} at ${entry}`);
    }
  }
}

const unary: readonly (readonly [name: keyof Ops, reference: (x: number) => number])[] = [
  ["neg", (x) => -x],
  ["abs", Math.abs],
  ["square", (x) => x * x],
  ["exp", Math.exp],
  ["tanh", Math.tanh],
  ["sigmoid", (x) => 1 / (1 + Math.exp(-x))],
  ["sin", Math.sin],
  ["cos", Math.cos],
  ["silu", (x) => x / (1 + Math.exp(-x))],
  ["gelu", (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
];

for (const [name, reference] of unary) {
  test(`${name}`, async () => {
    const x = numbers([2, 3]);
    await check(name, (ops, x) => (ops[name] as (x: Tensor) => Tensor)(x), [x], Array.from(x.data, reference));
  });
}

test("sqrt, log", async () => {
  const x = positive([2, 3]);
  await check("sqrt", (ops, x) => ops.sqrt(x), [x], Array.from(x.data, Math.sqrt));
  await check("log", (ops, x) => ops.log(x), [x], Array.from(x.data, Math.log));
});

const binary: readonly (readonly [
  name: "add" | "sub" | "mul" | "div" | "pow" | "maximum" | "minimum",
  (a: number, b: number) => number,
])[] = [
  ["add", (a, b) => a + b],
  ["sub", (a, b) => a - b],
  ["mul", (a, b) => a * b],
  ["div", (a, b) => a / b],
  ["pow", (a, b) => a ** b],
  ["maximum", Math.max],
  ["minimum", Math.min],
];

for (const [name, reference] of binary) {
  test(`${name} broadcasts both ways`, async () => {
    const [a, b] = [positive([2, 1, 3]), positive([4, 1], 2)];
    const expected: number[] = [];
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 4; j++)
        for (let k = 0; k < 3; k++) expected.push(reference(a.data[3 * i + k] ?? NaN, b.data[j] ?? NaN));
    await check(name, (ops, a, b) => ops[name](a, b), [a, b], expected);
    await check(
      `${name} with a number`,
      (ops, a) => ops[name](a, 0.7),
      [a],
      Array.from(a.data, (x) => reference(x, Math.fround(0.7))),
    );
  });
}

test("int32 divides to float32", async () => {
  await check("div", (ops, a) => ops.div(a, 2), [host([2], [1, 5], "int32")], [0.5, 2.5]);
  await check("div", (ops, a, b) => ops.div(a, b), [host([2], [1, 5], "int32"), host([], [2], "int32")], [0.5, 2.5]);
});

test("comparisons and logic give masks", async () => {
  const [a, b] = [host([3], [1, 2, 3]), host([3], [2, 2, 2])];
  await check("less", (ops, a, b) => ops.less(a, b), [a, b], [1, 0, 0]);
  await check("lessEqual", (ops, a, b) => ops.lessEqual(a, b), [a, b], [1, 1, 0]);
  await check("greater", (ops, a) => ops.greater(a, 2), [a], [0, 0, 1]);
  await check("greaterEqual", (ops, a, b) => ops.greaterEqual(a, b), [a, b], [0, 1, 1]);
  await check("equal", (ops, a, b) => ops.equal(a, b), [a, b], [0, 1, 0]);
  await check("notEqual", (ops, a, b) => ops.notEqual(a, b), [a, b], [1, 0, 1]);
  const [m, n] = [host([2, 1], [1, 0], "bool"), host([2], [1, 0], "bool")];
  await check("and", (ops, m, n) => ops.and(m, n), [m, n], [1, 0, 0, 0]);
  await check("or", (ops, m, n) => ops.or(m, n), [m, n], [1, 1, 1, 0]);
  await check("not", (ops, m) => ops.not(m), [m], [0, 1]);
  await check("float", (ops, m) => ops.float(m), [m], [1, 0]);
});

test("a comparison that the loss depends on has no gradient, and autodiff accepts it", async () => {
  const f: Compute = (ops, x) => ops.mul(ops.float(ops.greater(x, 0)), x);
  await check("relu", f, [host([3], [-1, 0.5, 2])], [-0, 0.5, 2]);
  await check("floor", (ops, x) => ops.add(ops.floor(ops.mul(x, 0.1)), x), [host([2], [0.5, -0.5])], [0.5, -1.5]);
  await check("stopGradient", (ops, x) => ops.add(x, ops.mul(0, ops.stopGradient(ops.exp(x)))), [numbers([3])]);
  const [none] = await gradientsOf(cpu, (ops, x) => ops.stopGradient(x), [numbers([3])]);
  assert.is(none, null);
});

test("where broadcasts all three, and NaN that is not chosen does not reach the gradient", async () => {
  const [m, a, b] = [host([2, 1], [1, 0], "bool"), numbers([3]), numbers([2, 3], 2)];
  const expected = [...a.data.slice(0, 3), ...b.data.slice(3)];
  await check("where", (ops, m, a, b) => ops.where(m, a, b), [m, a, b], expected);
  await check("where with numbers", (ops, m) => ops.where(m, 2, -3), [m], [2, -3]);
  const [gradient] = await gradientsOf(wasm, (ops, m, x) => ops.where(m, ops.log(x), 0), [
    host([2], [1, 0], "bool"),
    host([2], [1, 2]),
  ]);
  assert.is(gradient?.data[1], 0);
});

test("reductions over any axes", async () => {
  const x = numbers([2, 3, 2]);
  const at = (i: number, j: number, k: number) => x.data[(i * 3 + j) * 2 + k] ?? NaN;
  const over02 = [0, 1, 2].map((j) => at(0, j, 0) + at(0, j, 1) + at(1, j, 0) + at(1, j, 1));
  await check("sum", (ops, x) => ops.sum(x, [0, -1]), [x], over02);
  await check("sum kept", (ops, x) => ops.sum(x, [0, 2], true), [x], over02);
  await check("sum of all", (ops, x) => ops.sum(x), [x], [Array.from(x.data).reduce((a, b) => a + b, 0)]);
  await check("sum of none", (ops, x) => ops.sum(x, []), [x], Array.from(x.data));
  await check(
    "mean",
    (ops, x) => ops.mean(x, [0, 2]),
    [x],
    over02.map((s) => s / 4),
  );
  await check(
    "max",
    (ops, x) => ops.max(x, [0, 2]),
    [x],
    [0, 1, 2].map((j) => Math.max(at(0, j, 0), at(0, j, 1), at(1, j, 0), at(1, j, 1))),
  );
  await check(
    "min",
    (ops, x) => ops.min(x, [1]),
    [x],
    [0, 1].flatMap((i) => [0, 1].map((k) => Math.min(at(i, 0, k), at(i, 1, k), at(i, 2, k)))),
  );
  await check("max of all", (ops, x) => ops.max(x), [x], [Math.max(...x.data)]);
  const m = host([2, 3], [1, 0, 0, 1, 1, 1], "bool");
  await check("any", (ops, m) => ops.any(m, [0]), [m], [1, 1, 1]);
  await check("all", (ops, m) => ops.all(m, [1], true), [m], [0, 1]);
  await check("all of all", (ops, m) => ops.all(m), [m], [0]);
});

test("moving values about", async () => {
  const x = host([2, 3], [1, 2, 3, 4, 5, 6]);
  await check("reshape", (ops, x) => ops.reshape(x, [3, -1]), [x], [1, 2, 3, 4, 5, 6]);
  await check("transpose", (ops, x) => ops.transpose(x, [1, 0]), [x], [1, 4, 2, 5, 3, 6]);
  await check("concat", (ops, x, y) => ops.concat([x, y], 1), [x, host([2, 1], [7, 8])], [1, 2, 3, 7, 4, 5, 6, 8]);
  await check("slice", (ops, x) => ops.slice(x, [0, 1], [2, -1]), [x], [2, 3, 5, 6]);
  await check(
    "broadcastTo",
    (ops, x) => ops.broadcastTo(x, [2, 2, 3]),
    [host([2, 1], [1, 2])],
    [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2],
  );
  await check("fill", (ops, x) => ops.add(x, ops.fill([2, 2], 3)), [host([2], [1, 2])], [4, 5, 4, 5]);
  const rows = host([2, 2], [1, 0, 1, 1], "int32");
  await check("gather", (ops, x, i) => ops.gather(x, i), [x, rows], [4, 5, 6, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
});

/** Row-major product of `a [m, k]` and `b [k, n]`. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, m: number, k: number, n: number): number[] {
  const entry = (i: number, j: number) =>
    Array.from({ length: k }, (_, l) => (a[i * k + l] ?? 0) * (b[l * n + j] ?? 0));
  return Array.from({ length: m * n }, (_, x) => entry(Math.floor(x / n), x % n).reduce((s, v) => s + v, 0));
}

test("matMul with and without leading axes", async () => {
  const [a, b] = [numbers([2, 3]), numbers([3, 4], 2)];
  await check("matMul", (ops, a, b) => ops.matMul(a, b), [a, b], product(a.data, b.data, 2, 3, 4));
  const swapped = (ops: Ops, a: Tensor, b: Tensor) =>
    ops.matMul(ops.transpose(a, [1, 0]), ops.transpose(b, [1, 0]), true, true);
  await check("matMul transposed", swapped, [a, b], product(a.data, b.data, 2, 3, 4));
  const many = numbers([2, 5, 3], 3);
  await check(
    "matMul of rank 3 and 2",
    (ops, a, b) => ops.matMul(a, b),
    [many, b],
    product(many.data, b.data, 10, 3, 4),
  );
  const transposed = (ops: Ops, a: Tensor, b: Tensor) => ops.matMul(ops.transpose(a, [0, 2, 1]), b, true);
  await check("matMul of rank 3 and 2, transposed", transposed, [many, b], product(many.data, b.data, 10, 3, 4));
  const [c, d] = [numbers([2, 1, 2, 3]), numbers([2, 1, 4, 3], 5)];
  await check("matMul of rank 4", (ops, c, d) => ops.matMul(c, d, false, true), [c, d]);
  assert.throws(() => cpu.ops.matMul(cpu.ops.fill([2, 3], 1), cpu.ops.fill([2, 3, 4], 1)), /leading axes/);
});

test("linear", async () => {
  const [x, w, b] = [numbers([2, 2, 3]), numbers([4, 3], 2), numbers([4], 3)];
  const transposed = Array.from({ length: 12 }, (_, i) => w.data[(i % 4) * 3 + Math.floor(i / 4)] ?? NaN);
  const plain = product(x.data, transposed, 4, 3, 4);
  await check("linear", (ops, x, w) => ops.linear(x, w, null), [x, w], plain);
  await check(
    "linear with bias",
    (ops, x, w, b) => ops.linear(x, w, b),
    [x, w, b],
    plain.map((y, i) => y + (b.data[i % 4] ?? NaN)),
  );
});

/** Row-major: x [b, c, t, h, w], weight [o, c, kt, kh, kw]. */
function convolved(x: HostTensor, weight: HostTensor, bias: readonly number[]): number[] {
  const [batch = 0, channels = 0, ...sizes] = x.shape;
  const [outputs = 0, , ...kernel] = weight.shape;
  const made = sizes.map((size, axis) => size - (kernel[axis] ?? 0) + 1);
  const cells = (shape: readonly number[]) =>
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => {
      const [, h = 0, w = 0] = shape;
      return [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w] as const;
    });
  const at = ({ shape, data }: HostTensor, n: number, c: number, [t, h, w]: readonly [number, number, number]) => {
    const [, channels = 0, frames = 0, rows = 0, columns = 0] = shape;
    return data[(((n * channels + c) * frames + t) * rows + h) * columns + w] ?? NaN;
  };
  return Array.from({ length: batch * outputs }, (_, i) => [Math.floor(i / outputs), i % outputs] as const).flatMap(
    ([n, o]) =>
      cells(made).map(([t, h, w]) => {
        let sum = bias[o] ?? NaN;
        for (let c = 0; c < channels; c++)
          for (const [dt, dh, dw] of cells(kernel))
            sum += at(x, n, c, [t + dt, h + dh, w + dw]) * at(weight, o, c, [dt, dh, dw]);
        return sum;
      }),
  );
}

test("convolution in time, rows and columns", async () => {
  for (const [kernel, sizes] of [
    [
      [2, 3, 2],
      [3, 4, 3],
    ],
    [
      [1, 1, 1],
      [2, 2, 2],
    ],
    [
      [3, 1, 3],
      [3, 1, 5],
    ],
  ] as const) {
    const [x, weight, bias] = [numbers([2, 3, ...sizes]), numbers([2, 3, ...kernel], 2), numbers([2], 3)];
    const name = `convolve by ${kernel.join(" x ")}`;
    const expected = convolved(x, weight, Array.from(bias.data));
    await check(name, (ops, x, w, b) => ops.convolve(x, w, b ?? null), [x, weight, bias], expected);
    const plain = convolved(x, weight, [0, 0]);
    await check(`${name} without bias`, (ops, x, w) => ops.convolve(x, w, null), [x, weight], plain);
  }
});

test("convolution of what zeros stand around", async () => {
  const [x, weight, bias] = [numbers([2, 3, 2, 3, 2]), numbers([6, 3, 2, 3, 3], 2), numbers([6], 3)];
  const [frames, rows, columns] = [4, 5, 4];
  const data = new Float32Array(2 * 3 * frames * rows * columns);
  for (const [i, value] of x.data.entries()) {
    const [channel, frame, row, column] = [Math.floor(i / 12), Math.floor(i / 6) % 2, Math.floor(i / 2) % 3, i % 2];
    data[((channel * frames + frame + 1) * rows + row + 1) * columns + column + 1] = value;
  }
  const around: HostTensor = { shape: [2, 3, frames, rows, columns], dtype: "float32", data };
  const expected = convolved(around, weight, Array.from(bias.data));
  const run = (ops: Ops, x: Tensor, w: Tensor, b?: Tensor) => ops.convolve(x, w, b ?? null, [1, 1, 1]);
  await check("convolve with zeros", run, [x, weight, bias], expected);
});

test("softmax and norms", async () => {
  const x = numbers([2, 4]);
  const rows = [Array.from(x.data.slice(0, 4)), Array.from(x.data.slice(4))];
  const perRow = (f: (row: number[]) => number[]) => rows.flatMap(f);
  const mean = (row: number[]) => row.reduce((a, b) => a + b, 0) / row.length;
  const softmax = (row: number[]) => row.map((v) => Math.exp(v) / (row.length * mean(row.map(Math.exp))));
  const rms = (row: number[], eps: number) => row.map((v) => v / Math.sqrt(mean(row.map((u) => u * u)) + eps));
  await check("softmax", (ops, x) => ops.softmax(x), [x], perRow(softmax));
  await check(
    "rmsNorm",
    (ops, x) => ops.rmsNorm(x, 0.3),
    [x],
    perRow((row) => rms(row, 0.3)),
  );
  const weight = numbers([4], 2);
  const weighted = perRow((row) => rms(row, 1e-6)).map((v, i) => v * (weight.data[i % 4] ?? NaN));
  await check("rmsNorm with weight", (ops, x, w) => ops.rmsNorm(x, 1e-6, w), [x, weight], weighted);
  const centred = perRow((row) =>
    rms(
      row.map((v) => v - mean(row)),
      0.2,
    ),
  );
  await check("layerNorm", (ops, x) => ops.layerNorm(x, 0.2), [x], centred);
});

test("what leaves the model is what was in it", async () => {
  const x = numbers([2, 3]);
  await check(
    "widen",
    (ops, x) => ops.widen(ops.mul(x, 2)),
    [x],
    Array.from(x.data, (y) => 2 * y),
  );
});

test("modulation, with rows for all tokens or one for each", async () => {
  for (const rows of [[3], [2, 1, 3], [2, 4, 3]]) {
    const [x, scale, shift] = [numbers([2, 4, 3]), numbers(rows, 2), numbers(rows, 3)];
    const inWords: Compute = (ops, x, scale, shift) => ops.add(ops.add(x, ops.mul(x, scale)), shift);
    const expected = Array.from((await valueOf(cpu, inWords, [x, scale, shift])).data);
    await check(`modulate by ${rows.join()}`, (ops, x, a, b) => ops.modulate(x, a, b), [x, scale, shift], expected);
  }
});

test("rotation turns pairs of channels, and its gradient turns them back", async () => {
  const angles = [0.3, 2, -1.1, 0.7, 4, 0.1];
  const pair = (a: number, b: number, angle: number) => [
    a * Math.cos(angle) - b * Math.sin(angle),
    b * Math.cos(angle) + a * Math.sin(angle),
  ];
  // Three tokens of one head with 4 channels: channels 0 and 2 are a pair, and 1 and 3; or 0 and 1, and 2 and 3.
  const halves = numbers([1, 1, 3, 4]);
  const flat = (f: (x: number) => number, times: number) =>
    angles.flatMap((a) => Array.from({ length: times }, () => f(a)));
  const tables = (times: number, shape: readonly number[]) =>
    [Math.cos, Math.sin].map((f) => host(shape, flat(f, times))) as [HostTensor, HostTensor];
  const expected = (first: (token: number, i: number) => number, distance: number) => {
    const y = Array.from(halves.data);
    for (const [n, angle] of angles.entries()) {
      const at = first(Math.floor(n / 2), n % 2);
      [y[at], y[at + distance]] = pair(halves.data[at] ?? NaN, halves.data[at + distance] ?? NaN, angle) as [
        number,
        number,
      ];
    }
    return y;
  };
  const by =
    ([cos, sin]: [HostTensor, HostTensor], pairs: "halves" | "neighbours"): Compute =>
    (ops, x) =>
      ops.rotate(x, ops.constant(cos), ops.constant(sin), pairs);
  await check(
    "halves",
    by(tables(1, [1, 1, 3, 2]), "halves"),
    [halves],
    expected((token, i) => 4 * token + i, 2),
  );
  const neighbours = { ...halves, shape: [1, 3, 4] };
  const turned = expected((token, i) => 4 * token + 2 * i, 1);
  await check("neighbours", by(tables(2, [1, 3, 4]), "neighbours"), [neighbours], turned);
});

test("AdamW updates several parameters at once, with a factor of the gradients", async () => {
  const settings = [0.9, 0.999, 1e-8, 0.01];
  const [rate, t] = [0.1, 3];
  const scalars = [rate, t, 1 - rate * 0.01, Math.sqrt(1 - 0.999 ** t), rate / (1 - 0.9 ** t)];
  const [p, g, m, v] = [numbers([2, 3]), numbers([2, 3], 2), numbers([2, 3], 3), positive([2, 3], 4)];
  const updated = p.data.map((x, i) => {
    const gradient = 0.5 * (g.data[i] ?? NaN);
    const [nextM, nextV] = [
      0.9 * (m.data[i] ?? NaN) + 0.1 * gradient,
      0.999 * (v.data[i] ?? NaN) + 0.001 * gradient ** 2,
    ];
    const root = Math.sqrt(nextV / (1 - 0.999 ** t)) + 1e-8;
    return x * (1 - rate * 0.01) - (rate * nextM) / (1 - 0.9 ** t) / root;
  });
  for (const engine of [cpu, wasm, onnx]) {
    const number = (x: number) => engine.keep(host([], [x]));
    const keep = (x: HostTensor) => [engine.keep(x), engine.keep({ ...x, shape: [6], data: x.data.map((y) => -y) })];
    const given = [p, g, m, v].map(keep) as Tensor[][];
    const factor = number(0.5);
    const [numbersOf, ...made] = engine.tidy(() => {
      const kept = scalars.map(number);
      return [kept, ...engine.ops.adamw([...kept, factor], given.flat(), settings)];
    }) as [Tensor[], ...Tensor[]];
    assert.equal(
      made.map(({ shape }) => shape.join()),
      ["2,3", "6", "2,3", "6", "2,3", "6"],
    );
    close((await engine.read(made[0] as Tensor)).data, updated, 2e-6, `AdamW on ${engine.name}`);
    const [second, moment] = [await engine.read(made[5] as Tensor), await engine.read(made[2] as Tensor)];
    // The second parameter is the first one with other signs, which its second moment does not have here.
    close(
      second.data,
      v.data.map((x, i) => -0.999 * x + 0.00025 * (g.data[i] ?? NaN) ** 2),
      2e-6,
      "second moment",
    );
    close(
      moment.data,
      m.data.map((x, i) => 0.9 * x + 0.05 * (g.data[i] ?? NaN)),
      2e-6,
      "first moment",
    );
    engine.dispose(factor, ...numbersOf, ...made, ...given.flat());
  }
});

test("attention, with a bias that broadcasts", async () => {
  const [q, k, v] = [numbers([1, 2, 3, 2]), numbers([1, 2, 4, 2], 2), numbers([1, 2, 4, 2], 3)];
  const bias = numbers([1, 1, 1, 4], 4);
  const inWords: Compute = (ops, q, k, v, bias) => {
    const scores = ops.mul(ops.matMul(q, k, false, true), 1 / Math.sqrt(2));
    return ops.matMul(ops.softmax(bias === undefined ? scores : ops.add(scores, bias)), v);
  };
  const expected = async (inputs: HostTensor[]) => Array.from((await valueOf(cpu, inWords, inputs)).data);
  const plain: Compute = (ops, q, k, v) => ops.attention(q, k, v, null);
  await check("attention", plain, [q, k, v], await expected([q, k, v]));
  const biased: Compute = (ops, q, k, v, b) => ops.attention(q, k, v, b ?? null);
  await check("attention with bias", biased, [q, k, v, bias], await expected([q, k, v, bias]));
});

test("attention of several samples with one bias for all of them", async () => {
  const [q, k, v] = [numbers([2, 2, 3, 2]), numbers([2, 2, 3, 2], 2), numbers([2, 2, 3, 2], 3)];
  const shared = numbers([1, 1, 3, 3], 4);
  const repeated: HostTensor = {
    ...shared,
    shape: [2, 1, 3, 3],
    data: Float32Array.of(...shared.data, ...shared.data),
  };
  const biasedBy =
    (bias: HostTensor): Compute =>
    (ops, q, k, v) =>
      ops.attention(q, k, v, ops.constant(bias));
  const expected = Array.from((await valueOf(cpu, biasedBy(repeated), [q, k, v])).data);
  await check("attention with a shared bias", biasedBy(shared), [q, k, v], expected);
});

test("an attention row with everything masked is uniform", async () => {
  const [q, v] = [numbers([1, 1, 1, 2]), host([1, 1, 2, 2], [1, 2, 3, 4])];
  const lowest = host([1, 1, 1, 2], [-3.4028234663852886e38, -3.4028234663852886e38]);
  for (const engine of [cpu, wasm]) {
    const y = await valueOf(engine, (ops, q, v, b) => ops.attention(q, v, v, b), [q, v, lowest]);
    assert.equal(Array.from(y.data), [2, 3], engine.name);
  }
});

test("what is computed again in the backward pass has the same gradient", async () => {
  for (const engine of [cpu, ...others]) {
    const x = engine.keep(host([3], [1, -2, 3]));
    const cubed = ([given]: readonly Tensor[]) => engine.ops.pow(given as Tensor, 3);
    const { loss, gradients } = engine.differentiate(() => {
      const y = engine.checkpoint(cubed, { inputs: [x], constants: [], parameters: [] });
      return { loss: engine.ops.sum(y), outputs: {} };
    }, [x]);
    const slope = await engine.read(gradients[0] as Tensor);
    engine.dispose(x, loss, ...gradients);
    Array.from(slope.data).forEach((y, i) => assert.ok(Math.abs(y - [3, 12, 27][i]!) < 1e-5, `${engine.name}: ${y}`));
  }
});

test("every kernel that can be recorded is recorded by a test here", () => {
  assert.ok(kernels.length > 40);
  assert.equal(
    kernels.map(({ kernelName }) => kernelName).filter((name) => !recorded.has(name)),
    [],
  );
});

test.run();
