import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Tensor } from "../../contract.ts";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import type { Engine } from "../engine.ts";
import { loadTfjsAlone } from "../load-tfjs.ts";
import { startDevice } from "../onnx/device.ts";
import { createOnnxEngine } from "../onnx/engine.ts";

const test = suite("saved recordings");
const newFolder = temporaryFolders(test, "ltxc-recordings");
const device = await startDevice();

const host = (...values: number[]): HostTensor => ({
  shape: [values.length],
  dtype: "float32",
  data: Float32Array.from(values),
});

const tf = await loadTfjsAlone();

/** An engine as a new process has it; `isKept` tells of each recording whether an earlier process had saved it. */
function engineOn(folder: string, scope = "model"): { engine: Engine; isKept: boolean[] } {
  const engine = createOnnxEngine(tf, device, { folder });
  const isKept: boolean[] = [];
  engine.watch?.((event) => event.type === "recorded" && isKept.push(event.isKept));
  engine.remember?.(scope);
  return { engine, isKept };
}

/** loss = sum((x w + factor)²) and its gradient by w. */
async function step({ ops, ...engine }: Engine, factor: number, x: HostTensor): Promise<number[]> {
  const w = engine.keep(host(2, 3));
  const forward = () => {
    const y = ops.add(ops.mul(w, ops.input("x", x)), factor);
    return { loss: ops.sum(ops.square(y)), outputs: {} };
  };
  const { loss, gradients } = engine.differentiate(forward, [w]);
  const values = await Promise.all([loss, gradients[0] as Tensor].map((y) => engine.read(y)));
  engine.dispose(w, loss, ...gradients);
  return values.flatMap(({ data }) => Array.from(data));
}

const expected = (factor: number, x: readonly [number, number]) => {
  const [a, b] = [2 * x[0] + factor, 3 * x[1] + factor];
  return [a * a + b * b, 2 * a * x[0], 2 * b * x[1]];
};

test("what one process recorded, the next one runs with its own values", async () => {
  const folder = await newFolder();
  const first = engineOn(folder);
  assert.equal(await step(first.engine, 1, host(1, 1)), expected(1, [1, 1]));
  assert.equal(first.isKept, [false]);
  const second = engineOn(folder);
  assert.equal(await step(second.engine, 1, host(5, 7)), expected(1, [5, 7]));
  assert.equal(second.isKept, [true]);
});

test("a number that changes becomes an input, in later processes too; numbers that JSON lacks are saved as well", async () => {
  const folder = await newFolder();
  await step(engineOn(folder).engine, 1, host(1, 1));
  const second = engineOn(folder);
  assert.equal(await step(second.engine, 4, host(1, 1)), expected(4, [1, 1]));
  assert.equal(second.isKept, [false]);
  const third = engineOn(folder);
  assert.equal(await step(third.engine, -9, host(1, 1)), expected(-9, [1, 1]));
  assert.equal(third.isKept, [true]);
  const infinite = await newFolder();
  await step(engineOn(infinite).engine, Infinity, host(1, 1));
  const [name = ""] = (await readdir(infinite, { recursive: true })).filter((path) => path.endsWith("calls.json"));
  assert.match(await readFile(join(infinite, name), "utf8"), '"numbers":["Infinity"]');
});

test("another scope has recordings of its own", async () => {
  const folder = await newFolder();
  await step(engineOn(folder).engine, 1, host(1, 1));
  const other = engineOn(folder, "another model");
  await step(other.engine, 1, host(1, 1));
  assert.equal(other.isKept, [false]);
});

test("a file that can not be read is recorded again, and a folder that can not be created is no error", async () => {
  for (const kind of ["calls.json", "graph.json"]) {
    const folder = await newFolder();
    await step(engineOn(folder).engine, 1, host(1, 1));
    const [name = ""] = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith(kind));
    await writeFile(join(folder, name), "{");
    const next = engineOn(folder);
    assert.equal(await step(next.engine, 1, host(2, 2)), expected(1, [2, 2]));
    assert.equal(next.isKept, [false], kind);
  }
  const file = join(await newFolder(), "file");
  await writeFile(file, "");
  assert.equal(await step(engineOn(join(file, "below")).engine, 1, host(2, 2)), expected(1, [2, 2]));
});

test.run();
