import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Tensor } from "../contract.ts";
import type { Engine } from "./engine.ts";
import { openEngine } from "./index.ts";

const test = suite("slice-kernels");
const { engine: cpu } = await openEngine("cpu");
const { engine: wasm } = await openEngine("wasm");

/** Numbers that tell their place; as booleans every third is true. */
function counted(shape: readonly number[], dtype: HostTensor["dtype"]): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  if (dtype === "bool") return { shape, dtype, data: Uint8Array.from({ length: size }, (_, i) => Number(i % 3 === 0)) };
  const numbers = Array.from({ length: size }, (_, i) => i + 1);
  return { shape, dtype, data: dtype === "int32" ? Int32Array.from(numbers) : Float32Array.from(numbers) };
}

/** Entry by entry. */
function partOf({ shape, data }: HostTensor, begin: readonly number[], size: readonly number[]): number[] {
  const at = (axis: number, offset: number): number[] =>
    axis === shape.length
      ? [data[offset] ?? NaN]
      : Array.from({ length: size[axis] ?? 0 }, (_, i) =>
          at(axis + 1, offset * (shape[axis] ?? 0) + (begin[axis] ?? 0) + i),
        ).flat();
  return at(0, 0);
}

async function computed(engine: Engine, x: HostTensor, f: (x: Tensor) => Tensor): Promise<HostTensor> {
  const before = engine.memory();
  const given = engine.keep(x);
  const y = engine.tidy(() => f(given));
  const made = await engine.read(y);
  engine.dispose(given, y);
  assert.equal(engine.memory(), before);
  return made;
}

const parts: readonly (readonly [shape: number[], begin: number[], size: number[]])[] = [
  [[7], [2], [3]],
  [
    [4, 6],
    [1, 0],
    [2, 6],
  ],
  [
    [4, 6],
    [1, 2],
    [3, 3],
  ],
  [
    [3, 80],
    [0, 7],
    [3, 64],
  ],
  [
    [3, 4, 5],
    [1, 1, 0],
    [2, 2, 5],
  ],
  [
    [3, 4, 5],
    [0, 0, 4],
    [3, 4, 1],
  ],
  [
    [2, 3, 4, 5],
    [0, 1, 1, 1],
    [2, 2, 2, 3],
  ],
  [
    [2, 3, 4, 5],
    [1, 0, 2, 0],
    [1, 3, 1, 5],
  ],
  [
    [2, 3, 3, 4, 5],
    [0, 1, 0, 1, 2],
    [2, 1, 3, 2, 2],
  ],
  [
    [2, 2, 3, 6, 8],
    [0, 1, 1, 0, 0],
    [2, 1, 2, 6, 8],
  ],
  [
    [2, 2, 1, 3, 2, 4],
    [0, 1, 0, 1, 0, 1],
    [2, 1, 1, 2, 2, 2],
  ],
  [
    [3, 4],
    [1, 1],
    [2, 0],
  ],
];

for (const engine of [cpu, wasm])
  for (const [shape, begin, size] of parts)
    test(`${engine.name}: [${size.join(", ")}] of [${shape.join(", ")}]`, async () => {
      for (const dtype of ["float32", "int32", "bool"] as const) {
        const x = counted(shape, dtype);
        const part = await computed(engine, x, (given) => engine.ops.slice(given, begin, size));
        assert.equal([part.shape, part.dtype], [size, dtype]);
        assert.equal(Array.from(part.data), partOf(x, begin, size));
      }
    });

test("the rest of an axis is asked for by -1, and what is not there is refused", async () => {
  const x = counted([2, 5], "float32");
  for (const engine of [cpu, wasm]) {
    const { data } = await computed(engine, x, (given) => engine.ops.slice(given, [0, 3], [-1, -1]));
    assert.equal(Array.from(data), [4, 5, 9, 10]);
    await engine.tidy(() => assert.throws(() => engine.ops.slice(engine.ops.fill([2, 5], 1), [0, 3], [2, 3])));
  }
});

test("the gradient of joined tensors is cut into theirs, along every axis", async () => {
  const [shape, lengths] = [
    [2, 3, 2, 3, 2],
    [1, 2, 2],
  ];
  for (const engine of [cpu, wasm])
    for (const axis of shape.keys()) {
      const shapes = lengths.map((length) => shape.with(axis, length));
      const weights = counted(shape.with(axis, 5), "float32");
      const joined = shapes.map((each) => engine.keep(counted(each, "float32")));
      const { ops } = engine;
      const forward = () => ({ loss: ops.sum(ops.mul(ops.concat(joined, axis), ops.constant(weights))), outputs: {} });
      const { loss, gradients } = engine.differentiate(forward, joined);
      for (const [i, each] of shapes.entries()) {
        const begin = shape.map((_, along) =>
          along === axis ? lengths.slice(0, i).reduce((sum, length) => sum + length, 0) : 0,
        );
        const gradient = gradients[i];
        assert.ok(gradient);
        assert.equal(Array.from((await engine.read(gradient)).data), partOf(weights, begin, each));
      }
      engine.dispose(loss, ...gradients, ...joined);
    }
});

test.run();
