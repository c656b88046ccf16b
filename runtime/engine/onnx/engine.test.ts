import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Tensor } from "../../contract.ts";
import { createAdamW } from "../../optimizer/adamw.ts";
import { FindingsError } from "../../findings.ts";
import { withinPart } from "../../call-site.ts";
import type { Engine, EngineEvent } from "../engine.ts";
import { loadTfjsAlone } from "../load-tfjs.ts";
import type { Device } from "../recording/device.ts";
import { startOnnxDevice } from "./device.ts";
import { openEngine } from "../index.ts";
import { createOnnxEngine } from "./engine.ts";

const test = suite("onnx engine");

/** Counts the graphs that were recorded. */
const opened = { count: 0 };
const device = await startOnnxDevice();
const counting: Device = {
  ...device,
  open(graph, listener) {
    opened.count++;
    return device.open(graph, listener);
  },
};
const engine: Engine = createOnnxEngine(await loadTfjsAlone(), counting);
const { ops } = engine;

test.before.each(() => {
  opened.count = 0;
});

const host = (...values: number[]): HostTensor => ({
  shape: [values.length],
  dtype: "float32",
  data: Float32Array.from(values),
});

async function numbersOf(x: Tensor): Promise<number[]> {
  const { data } = await engine.read(x);
  engine.dispose(x);
  return Array.from(data);
}

test("a function that makes the same calls is recorded once, for any values", async () => {
  const w = engine.keep(host(2, 3));
  for (const x of [1, 10, 100]) {
    const y = engine.tidy(() => ops.mul(w, ops.input("x", host(x, x))));
    assert.equal(await numbersOf(y), [2 * x, 3 * x]);
  }
  assert.is(opened.count, 1);
  engine.dispose(w);
});

test("a listener learns what is recorded, and when it can run", async () => {
  const own = createOnnxEngine(await loadTfjsAlone(), device);
  const events: EngineEvent[] = [];
  own.watch?.((event) => events.push(event));
  for (let i = 0; i < 2; i++) await own.read(own.tidy(() => own.ops.neg(own.ops.input("x", host(1)))));
  assert.equal(
    events.map(({ type }) => type),
    ["recording", "recorded"],
  );
  const [, recorded] = events;
  if (recorded?.type !== "recorded") throw new Error("nothing was recorded");
  assert.is(recorded.operations, 2);
  assert.ok(recorded.recordSeconds > 0 && recorded.startSeconds > 0);
});

test("what engines round to a type of storage, a recording rounds alike", async () => {
  const values = [0.5, 1.5, 2.5, -0.6, 300, -300, 70000, -70000, 0.1, -3e-8, 8388609, 4194303.5];
  const { engine: cpu } = await openEngine("cpu");
  for (const storage of ["bfloat16", "float16", "float32", "bool", "uint8", "int8", "int16", "int64"] as const) {
    const x = cpu.keep(host(...values));
    const { data } = await cpu.read(cpu.ops.round(x, storage));
    assert.equal(
      await numbersOf(engine.tidy(() => ops.round(ops.input("x", host(...values)), storage))),
      Array.from(data, (value) => value),
      storage,
    );
  }
});

test("another tensor of the same shape needs no new recording, another shape does", async () => {
  for (const values of [[1, 2], [3, 4], [5]]) {
    const x = engine.keep(host(...values));
    assert.equal(
      await numbersOf(engine.tidy(() => ops.neg(x))),
      values.map((v) => -v),
    );
    engine.dispose(x);
  }
  assert.is(opened.count, 2);
});

test("a number that changes is fed from its second value on", async () => {
  const x = engine.keep(host(1, 2));
  for (const factor of [2, 3, 4, 5]) {
    const y = engine.tidy(() => ops.add(ops.mul(x, factor), 7));
    assert.equal(await numbersOf(y), [factor + 7, 2 * factor + 7]);
  }
  assert.is(opened.count, 2);
  engine.dispose(x);
});

test("a decision on the host gets a recording for each outcome", async () => {
  const x = engine.keep(host(1, 2));
  for (const doubles of [true, false, true, false]) {
    const y = engine.tidy(() => (doubles ? ops.add(x, x) : ops.square(x)));
    assert.equal(await numbersOf(y), doubles ? [2, 4] : [1, 4]);
  }
  assert.is(opened.count, 2);
  engine.dispose(x);
});

test("an axis is part of the recording, not a value", async () => {
  const x = engine.keep({ shape: [2, 2], dtype: "float32", data: Float32Array.of(1, 2, 3, 4) });
  assert.equal(await numbersOf(engine.tidy(() => ops.sum(x, [0]))), [4, 6]);
  assert.equal(await numbersOf(engine.tidy(() => ops.sum(x, [1]))), [3, 7]);
  engine.dispose(x);
});

test("gradients follow parameters that are replaced, and values that are fed", async () => {
  for (const value of [1, 2, 3]) {
    const w = engine.keep(host(value, 2));
    const { loss, gradients } = engine.differentiate(() => {
      const x = ops.input("x", host(value, 1));
      return { loss: ops.sum(ops.mul(ops.square(w), x)), outputs: {} };
    }, [w]);
    assert.equal(await numbersOf(loss), [value ** 3 + 4]);
    assert.equal(await numbersOf(gradients[0] as Tensor), [2 * value * value, 4]);
    engine.dispose(w);
  }
  assert.is(opened.count, 1);
});

test("arrays and objects are returned with their tensors, and tensors passed through stay the caller's", async () => {
  const x = engine.keep(host(1));
  for (let i = 0; i < 2; i++) {
    const made = engine.tidy(() => ({ list: [ops.neg(x), x], none: null, text: "a" }));
    assert.is(made.list[1], x);
    assert.is(made.none, null);
    assert.is(made.text, "a");
    assert.equal(await numbersOf(made.list[0] as Tensor), [-1]);
  }
  engine.dispose(x);
});

test("a tensor from inside that is used after its tidy is refused by name", () => {
  const leaked: Tensor[] = [];
  engine.dispose(
    engine.tidy(() => {
      const x = ops.input("x", host(1));
      leaked.push(x);
      return ops.neg(x);
    }),
  );
  assert.throws(() => ops.neg(leaked[0] as Tensor), /did not leave its tidy/);
});

test("a disposed tensor is refused", () => {
  const x = engine.keep(host(1));
  engine.dispose(x);
  assert.throws(() => ops.neg(x), /disposed of/);
});

test("a failure while a graph runs rejects the read of its result", async () => {
  const indices = engine.keep({ shape: [1], dtype: "int32", data: Int32Array.of(5) });
  const x = engine.keep(host(1, 2));
  const y = ops.gather(x, indices);
  const error: unknown = await engine.read(y).catch((e: unknown) => e);
  assert.match((error as Error).message, /^LTX7030: the step failed: indices element out of data bounds/);
  engine.dispose(x, y, indices);
});

test("numbers may stay in their file, in the three types of weights", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-map-"));
  const path = join(folder, "weights");
  const values = [1, -2, 0.5, 3];
  const types = {
    float32: new Uint8Array(Float32Array.from(values).buffer),
    bfloat16: new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x3f00, 0x4040).buffer),
    float16: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x4200).buffer),
  } as const;
  await writeFile(path, Buffer.concat([Buffer.alloc(8), ...Object.values(types)]));
  let offset = 8;
  for (const [dtype, { length }] of Object.entries(types)) {
    const before = engine.memory().bytes;
    const w = engine.map?.({ path, shape: [2, 2], dtype: dtype as keyof typeof types, offset, length }) as Tensor;
    offset += length;
    assert.is(engine.memory().bytes, before);
    const x = engine.keep({ shape: [1, 2], dtype: "float32", data: Float32Array.of(1, 10) });
    assert.equal(await numbersOf(engine.tidy(() => ops.linear(x, w, null))), [-19, 30.5], dtype);
    assert.equal(Array.from((await engine.read(w)).data), values, dtype);
    engine.dispose(w, x);
  }
  await rm(folder, { recursive: true });
});

test("all updates of an optimizer use one recording, the first included", async () => {
  const optimizer = createAdamW(engine, 2);
  let parameters: Tensor[] = [engine.keep(host(1, 2)), engine.keep(host(3))];
  for (const rate of [0.1, 0.05, 0.02, 0.01, 0.1]) {
    const gradients = [engine.keep(host(1, -1)), engine.keep(host(rate))];
    parameters = await optimizer.update(parameters, gradients, rate, null);
    engine.dispose(...gradients);
  }
  assert.is(opened.count, 1);
  const [first] = (await engine.read(parameters[0] as Tensor)).data;
  // With a constant gradient each update is as large as its rate.
  assert.ok(Math.abs((first ?? NaN) - (1 - 0.28)) < 5e-3, String(first));
  engine.dispose(...parameters);
  optimizer.dispose();
});

test("only kept values stay on the device", async () => {
  const before = engine.memory();
  const x = engine.keep(host(1, 2, 3));
  assert.equal(engine.memory(), { tensors: before.tensors + 1, bytes: before.bytes + 12 });
  engine.dispose(engine.tidy(() => ops.add(ops.neg(x), ops.square(x))));
  engine.dispose(x);
  assert.equal(engine.memory(), before);
});

test("recordings above the memory limit are closed, and recorded again when they are needed", async () => {
  const small = createOnnxEngine(await loadTfjsAlone(), counting, { mostBytes: 3000 });
  const double = async (size: number) => {
    const x = small.keep({ shape: [size], dtype: "float32", data: new Float32Array(size).fill(size) });
    const y = small.tidy(() => small.ops.add(x, x));
    const { data } = await small.read(y);
    small.dispose(x, y);
    return data[size - 1];
  };
  // Graphs of 400, 800 and 2,400 bytes: the third replaces the second, which has not been used for the longest time.
  for (const size of [100, 200, 100, 600, 100, 600]) assert.is(await double(size), 2 * size);
  assert.is(opened.count, 3);
  assert.is(await double(200), 400);
  assert.is(opened.count, 4);
});

test("a step that does not fit says where", async () => {
  const explained = async (body: () => Tensor): Promise<string> => {
    const error = await engine.read(engine.tidy(body)).catch((x: unknown) => x);
    if (!(error instanceof FindingsError)) throw error;
    assert.is(error.findings[0]?.code, "LTX7030");
    return error.message;
  };
  const w = engine.keep(host(1, 2));
  const huge = () => ops.broadcastTo(ops.reshape(ops.exp(w), [1, 2]), [2 ** 40, 2]);
  assert.match(
    await explained(() => withinPart("blocks.7.attn1", huge)),
    /^LTX7030: the step does not fit into the memory in blocks\.7\.attn1: 8,796,093,022,208 bytes /,
  );
  // A node without an origin of its own gets that of the nearest node that it reads from.
  const after = () =>
    ops.neg(
      ops.broadcastTo(
        ops.reshape(
          withinPart("blocks.8.ff", () => ops.exp(w)),
          [1, 2],
        ),
        [2 ** 40, 2],
      ),
    );
  assert.match(await explained(after), /in blocks\.8\.ff: /);
  engine.dispose(w);
});

test.run();
