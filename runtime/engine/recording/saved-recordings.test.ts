import { spawnSync } from "node:child_process";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Tensor } from "../../contract.ts";
import { bitFlips } from "../../testing/byte-edits.ts";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import type { Engine } from "../engine.ts";
import { loadTfjsAlone } from "../load-tfjs.ts";
import { startOnnxDevice } from "../onnx/device.ts";
import { createOnnxEngine } from "../onnx/engine.ts";
import { sealed, unsealed } from "./recording-file.ts";
import { openSavedRecordings } from "./saved-recordings.ts";

const test = suite("saved recordings");
const newFolder = temporaryFolders(test, "ltxc-recordings");
const device = await startOnnxDevice();

const host = (...values: number[]): HostTensor => ({
  shape: [values.length],
  dtype: "float32",
  data: Float32Array.from(values),
});

const tf = await loadTfjsAlone();

/** An engine as a new process has it; `isKept` tells of each recording whether an earlier process had saved it, `notes` what was noted. */
function engineOn(folder: string, scope = "model"): { engine: Engine; isKept: boolean[]; notes: string[] } {
  const engine = createOnnxEngine(tf, device, { folder });
  const [isKept, notes]: [boolean[], string[]] = [[], []];
  engine.watch?.((event) => {
    if (event.type === "recorded") isKept.push(event.isKept);
    if (event.type === "note") notes.push(event.message);
  });
  engine.remember?.(scope);
  return { engine, isKept, notes };
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
  const [name = ""] = (await readdir(infinite, { recursive: true })).filter((path) =>
    path.endsWith(".calls.recording"),
  );
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
  for (const kind of [".calls.recording", ".graph.recording"]) {
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

/** A folder with one recording, and the paths of its two files. */
async function recorded() {
  const folder = await newFolder();
  await step(engineOn(folder).engine, 1, host(1, 1));
  const names = (await readdir(folder, { recursive: true })).map((name) => join(folder, name));
  const [calls = "", graph = ""] = [".calls.recording", ".graph.recording"].map((kind) =>
    names.find((name) => name.endsWith(kind)),
  );
  return { folder, calls, graph };
}

/** The next run is right and records anew, and its note says why. */
async function expectAnew(folder: string, why: RegExp): Promise<void> {
  const next = engineOn(folder);
  assert.equal(await step(next.engine, 1, host(2, 2)), expected(1, [2, 2]));
  assert.equal(next.isKept, [false], String(why));
  assert.match(next.notes.join("\n"), why);
}

test("no single bit of a recording can change without being noticed", async () => {
  const { folder, calls, graph } = await recorded();
  const { scope } = (unsealed(await readFile(calls)) ?? { value: {} }).value as { readonly scope: string };
  const open = () => {
    const { all } = openSavedRecordings(folder, scope, () => {});
    return all.map((saved) => saved.graph()).filter((found) => found !== null);
  };
  assert.is(open().length, 1);
  for (const path of [calls, graph]) {
    const whole = await readFile(path);
    for (const flipped of bitFlips(whole, 200)) {
      await writeFile(path, flipped);
      assert.equal(open(), [], path);
    }
    await writeFile(path, whole);
  }
  await writeFile(graph, (await readFile(graph)).subarray(0, -1));
  await expectAnew(folder, /\.graph\.recording is damaged; what it holds is recorded anew/);
});

test("what is sound by itself and belongs to another place, graph or run is recorded anew", async () => {
  type Changed = Record<string, unknown>;
  const change = async (path: string, edit: (value: Changed) => unknown) => {
    const value = unsealed(await readFile(path))?.value as Changed;
    edit(value);
    const { text, checksum } = sealed(value);
    await writeFile(path, text);
    return checksum;
  };
  const other = await recorded();
  await change(other.graph, (graph) => (graph["outputs"] = []));
  await expectAnew(other.folder, /does not belong to the calls next to it/);
  const edits: readonly ((graph: {
    initializers: unknown[];
    outputs: string[];
    nodes: Changed[];
    inputs: Changed[];
  }) => unknown)[] = [
    ({ initializers }) =>
      initializers.push({
        name: "w",
        shape: [1],
        dtype: "float32",
        bytes: { path: "/etc/passwd", offset: 0, length: 4 },
      }),
    ({ outputs }) => outputs.pop(),
    ({ inputs }) => inputs.pop(),
    ({ nodes }) => (nodes[0] = {}),
    ({ nodes }) => nodes.unshift(nodes.pop() ?? {}),
  ];
  for (const edit of edits) {
    const { folder, calls, graph } = await recorded();
    const checksum = await change(graph, edit as never);
    await change(calls, (value) => (value["graph"] = checksum));
    await expectAnew(folder, /does not (fit this model|belong to the calls)/);
  }
  for (const edit of [
    (value: Changed) => (value["scope"] = "another"),
    (value: Changed) => (value["calls"] = []),
    (value: Changed) => (value["recording"] = null),
    (value: Changed) => ((value["recording"] as Changed)["hasGradient"] = []),
    (value: Changed) => ((value["recording"] as Changed)["inputs"] = [{ kind: "tensor", index: 9 }]),
    (value: Changed) => ((value["calls"] as Changed[])[1] = { key: "add", shape: [1e9], dtype: "float32" }),
  ]) {
    const { folder, calls } = await recorded();
    await change(calls, edit);
    await expectAnew(folder, /is not what its place says|does not fit this model/);
  }
});

test("what others can have written is neither used nor deleted nor written to, and no link is followed", async () => {
  const loose = await recorded();
  await chmod(loose.calls, 0o666);
  await expectAnew(loose.folder, /\.calls\.recording can be written by other users/);
  const open = await recorded();
  await chmod(open.folder, 0o777);
  await expectAnew(open.folder, /saved recordings are not used: .* can be written by other users/);
  const linked = await recorded();
  await rename(linked.calls, `${linked.folder}/elsewhere`);
  await symlink(`${linked.folder}/elsewhere`, linked.calls);
  await expectAnew(linked.folder, /\.calls\.recording cannot be read \(ELOOP\)/);
  const piped = await recorded();
  await rm(piped.calls);
  assert.is(spawnSync("mkfifo", [piped.calls]).status, 0);
  await expectAnew(piped.folder, /\.calls\.recording is not a file/);
  const folderOfLink = await newFolder();
  await symlink((await recorded()).folder, join(folderOfLink, "link"));
  await expectAnew(join(folderOfLink, "link"), /link is a link, and not itself a folder/);
  if (process.getuid?.() !== 0) return;
  const foreign = await recorded();
  await chown(foreign.graph, 12345, 12345);
  await expectAnew(foreign.folder, /\.graph\.recording belongs to another user/);
  const theirs = await newFolder();
  await chown(theirs, 12345, 12345);
  await expectAnew(theirs, /belongs to another user/);
  assert.equal(await readdir(theirs), []);
});

test("recordings are for their user alone, and a place where no folder can be made ends at once", async () => {
  const { folder, calls, graph } = await recorded();
  for (const path of [calls, graph]) assert.is((await stat(path)).mode & 0o777, 0o600);
  await mkdir(join(folder, "more"));
  for (const place of ["/proc/ltxc/cache", "/dev/null", `${calls}/below`]) {
    const next = engineOn(place);
    assert.equal(await step(next.engine, 1, host(2, 2)), expected(1, [2, 2]), place);
  }
});

test.run();
