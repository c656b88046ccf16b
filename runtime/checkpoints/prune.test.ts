import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { writeSafetensors } from "../files/safetensors/index.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { headsPath, statePath, weightsPath } from "./checkpoint-files.ts";
import { deleteOlder, isBest } from "./prune.ts";

const test = suite("keep_last_n");
const folder = temporaryFolders(test, "prune");

/** A checkpoint of a run with its state and heads; without `run`, as the official trainer writes one. */
async function save(root: string, step: number, run: string | null, loss?: number): Promise<string> {
  const path = weightsPath(root, step);
  const evaluated = loss === undefined ? {} : { "ltxc.evaluation_loss": String(loss) };
  await writeSafetensors(path, [], run === null ? {} : { "ltxc.run": run, ...evaluated });
  for (const other of [statePath(path), headsPath(path)]) await writeFile(other ?? "", "");
  return path;
}

const there = (paths: readonly string[]) => paths.map(existsSync);

test("only the last checkpoints of a run stay, with their states and heads, and the newest always", async () => {
  const root = await folder();
  const paths: string[] = [];
  for (const step of [1, 2, 3]) {
    paths.push(await save(root, step, "mine"));
    for (let twice = 0; twice < 2; twice++) await deleteOlder(paths.at(-1) ?? "", { last: 1, best: false }, "mine");
  }
  const all = [paths, paths.map((path) => statePath(path) ?? ""), paths.map((path) => headsPath(path) ?? "")];
  assert.equal(all.map(there), Array(3).fill([false, false, true]));
});

test("what is left of a checkpoint that was not deleted to its end is deleted the next time", async () => {
  const root = await folder();
  const [old, newest] = [await save(root, 1, "mine"), await save(root, 2, "mine")];
  const state = statePath(old) ?? "";
  // A folder in its place can not be deleted.
  await rm(state);
  await mkdir(state);
  await deleteOlder(newest, { last: 1, best: false }, "mine").then(
    () => assert.unreachable(),
    () => {},
  );
  assert.equal(there([old, newest]), [true, true]);
  await rm(state, { recursive: true });
  await writeFile(state, "");
  await deleteOlder(newest, { last: 1, best: false }, "mine");
  assert.equal(there([old, state, headsPath(old) ?? "", newest]), [false, false, false, true]);
});

test("checkpoints of earlier processes count, by step and not by time", async () => {
  const root = await folder();
  const [later, latest, newest] = [
    await save(root, 60, "mine"),
    await save(root, 70, "mine"),
    await save(root, 50, "mine"),
  ];
  await deleteOlder(newest, { last: 2, best: false }, "mine");
  assert.equal(there([later, latest, newest]), [false, true, true]);
});

test("checkpoints of other runs, of the official trainer, and broken files stay", async () => {
  const root = await folder();
  const others = [await save(root, 1, "another"), await save(root, 2, null)];
  const broken = weightsPath(root, 3);
  await writeFile(broken, "cut off");
  const own = [await save(root, 4, "mine"), await save(root, 5, "mine")];
  await deleteOlder(own[1] ?? "", { last: 1, best: false }, "mine");
  assert.equal(there([...others, broken, ...own]), [true, true, true, false, true]);
});

test("the best by evaluation stays besides the last ones, if that is asked for", async () => {
  const root = await folder();
  const losses = [3, 1, 2, undefined, 4];
  const paths = await Promise.all(losses.map((loss, i) => save(root, i + 1, "mine", loss)));
  await save(root, 9, "another", 0.1);
  assert.is(await isBest(root, "mine", 1), false);
  assert.is(await isBest(root, "mine", 0.9), true);
  assert.is(await isBest(root, "new", 100), true);
  await deleteOlder(paths[4] ?? "", { last: 2, best: true }, "mine");
  assert.equal(there(paths), [false, true, false, true, true]);
  await deleteOlder(paths[4] ?? "", { last: 2, best: false }, "mine");
  assert.equal(there(paths), [false, false, false, true, true]);
});

test("0 and -1 keep everything", async () => {
  const root = await folder();
  for (const keep of [0, -1]) {
    const paths: string[] = [];
    for (const step of [1, 2, 3]) {
      paths.push(await save(join(root, String(keep)), step, "mine"));
      await deleteOlder(paths.at(-1) ?? "", { last: keep, best: false }, "mine");
    }
    assert.equal(there(paths), [true, true, true]);
  }
});

test.run();
