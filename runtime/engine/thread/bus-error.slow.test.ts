import { spawn } from "node:child_process";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../testing/temporary-folders.ts";

const test = suite("bus errors while a graph runs");
const folder = temporaryFolders(test, "bus-error");

/** Seconds of matrix products, and then a sum over numbers that are mapped from the file `path`. */
const program = (path: string, numbers: number): string => `
  import { writeSync } from "node:fs";
  const { startOnnxDevice } = await import(${JSON.stringify(new URL("../onnx/device.ts", import.meta.url).href)});
  const { createOnnxEngine } = await import(${JSON.stringify(new URL("../onnx/engine.ts", import.meta.url).href)});
  const { loadTfjsAlone } = await import(${JSON.stringify(new URL("../load-tfjs.ts", import.meta.url).href)});
  const device = await startOnnxDevice();
  createOnnxEngine(await loadTfjsAlone(), device);
  const value = (name, shape) => ({ name, shape, dtype: "float32" });
  const path = ${JSON.stringify(path)};
  const size = 2000;
  const products = Array.from({ length: 12 }, (_, i) => ({
    op: "MatMul", inputs: [i === 0 ? "x" : "h" + i, "x"], outputs: [value("h" + (i + 1), [size, size])], attributes: {},
  }));
  const graph = {
    inputs: [value("x", [size, size])],
    initializers: [{ ...value("w", [${numbers}]), bytes: { path, offset: 0, length: ${4 * numbers} } }],
    nodes: [
      ...products,
      { op: "ReduceSum", inputs: ["h12"], outputs: [value("s", [])], attributes: { keepdims: 0 } },
      { op: "Add", inputs: ["w", "s"], outputs: [value("q", [${numbers}])], attributes: {} },
      { op: "ReduceMax", inputs: ["q"], outputs: [value("y", [])], attributes: { keepdims: 0 } },
    ],
    outputs: ["y"],
  };
  const session = device.open(graph, { onOpened: () => writeSync(1, "opened"), onPlaced() {} });
  const x = { shape: [size, size], dtype: "float32", data: new Float32Array(size * size) };
  const [y] = device.run(session, [x], 1);
  await device.read(y);`;

test("a file that is cut off while a graph reads it ends the process with words", async () => {
  if (process.platform !== "linux") return;
  const path = join(await folder(), "weights.bin");
  const bytes = 2 ** 26;
  await writeFile(path, Buffer.alloc(bytes, 1));
  const args = ["--import", "tsx", "--input-type=module", "-e", program(path, bytes / 4)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let err = "";
  child.stderr.on("data", (part: Buffer) => (err += part.toString()));
  // The graph is being run, or will be at once.
  child.stdout.once("data", () => setTimeout(() => void truncate(path, 5000), 200));
  const signal = await new Promise((resolve) => child.on("close", (_, ended) => resolve(ended)));
  assert.is(signal, "SIGBUS", err);
  assert.match(err, `error LTX7043: ${path} was changed while it was in use`);
});

test.run();
