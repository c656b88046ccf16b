import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../findings.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { parseHolder, standingOf, thisProcess, type Holder } from "./holder.ts";
import { lockFolder, lockName } from "./lock.ts";
import { takeLock } from "./lock-file.ts";
import { giveSignsOfLife } from "./sign-of-life.ts";

const test = suite("lock of a run's folder");
const newFolder = temporaryFolders(test, "lock");

/** Of a process that has ended: no process has so high a number. */
const dead: Partial<Holder> = { pid: 2 ** 30 };
/** Of a container on this machine, in which the numbers of processes mean others. */
const inContainer: Partial<Holder> = { namespace: "pid:[1]" };
const onOtherHost: Partial<Holder> = { host: "gpu7", boot: "another", namespace: "pid:[4026531836]" };

/** A folder with the lock of another holder, whose last sign of life is so old. */
async function lockedBy(holder: Partial<Holder>, seconds = 0): Promise<string> {
  const folder = await newFolder();
  const path = join(folder, lockName);
  await writeFile(path, JSON.stringify({ ...thisProcess(), ...holder }));
  const then = Date.now() / 1000 - seconds;
  await utimes(path, then, then);
  return folder;
}

/** What a refused lock says; null for one that is had, and given back. */
async function refusal(folder: string): Promise<string | null> {
  try {
    await (await lockFolder(folder)).release();
    return null;
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings
      .map(({ code, path, message, help }) => `${code} ${path.join(".")} ${message}; ${help}`)
      .join();
  }
}

test("a folder is had by one only, until it is released; nothing is left", async () => {
  const folder = join(await newFolder(), "a/outputs");
  const lock = await lockFolder(folder);
  const said = (await refusal(folder)) ?? "";
  assert.match(said, `LTX6340 output_dir ${folder} is in use by another run: process ${process.pid} on `);
  assert.match(said, "`ltxc run --new`");
  assert.not.match(said, "delete");
  await lock.release();
  await lock.release();
  assert.not(existsSync(join(folder, "..")));
  assert.is(await refusal(folder), null);
});

test("folders that were made for the lock stay when something was written into them", async () => {
  const folder = join(await newFolder(), "outputs");
  const lock = await lockFolder(folder);
  await writeFile(join(folder, "metrics.jsonl"), "");
  await lock.release();
  assert.equal(await readdir(folder), ["metrics.jsonl"]);
});

test("the lock of a process that is gone is taken over, also where its number was given to another one", async () => {
  assert.is(await refusal(await lockedBy(dead)), null);
  assert.is(await refusal(await lockedBy({ started: "1" })), null);
  // The child ends, and its parent never asks how.
  const parent = spawn("sh", ["-c", "(sleep 0.2) & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  const [text] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(text.toString());
  while (!/\) Z /.test(await readFile(`/proc/${pid}/stat`, "utf8"))) await sleep(10);
  assert.is(await refusal(await lockedBy({ pid, started: null })), null);
  assert.match(
    (await refusal(await lockedBy({ pid: parent.pid ?? 0, started: null }))) ?? "",
    `process ${parent.pid} on`,
  );
  parent.kill();
});

test("a process that a run has left behind keeps its folder, and is named with how to end it", async () => {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const pid = child.pid ?? 0;
  const folder = await newFolder();
  const lock = await lockFolder(folder);
  await lock.share(pid);
  const text = await readFile(join(folder, lockName), "utf8");
  assert.equal(parseHolder(text)?.child?.pid, pid);
  assert.match((await refusal(folder)) ?? "", `in use by another run: process ${process.pid} on`);
  await lock.release();
  assert.equal(await readdir(folder), []);
  await writeFile(join(folder, lockName), JSON.stringify({ ...parseHolder(text), ...dead }));
  const said = (await refusal(folder)) ?? "";
  assert.match(
    said,
    `${folder} is in use: process ${pid} still trains there, though the run that started it has ended`,
  );
  assert.match(said, `end it with \`kill -- -${pid}\``);
  child.kill();
  await once(child, "exit");
  assert.is(await refusal(folder), null);
});

test("after a restart of the machine, and from other hosts and containers, the last sign of life decides", async () => {
  for (const holder of [{ boot: "the one before" }, inContainer, onOtherHost, { ...inContainer, ...dead }]) {
    assert.match((await refusal(await lockedBy(holder, 60))) ?? "", "if that run is sure to have ended, delete");
    assert.is(await refusal(await lockedBy(holder, 300)), null, JSON.stringify(holder));
  }
});

test("where the system tells neither boot nor namespace, a number without a process is enough", () => {
  const bare = { ...thisProcess(), boot: null, namespace: null, started: null };
  assert.is(standingOf({ ...bare, ...dead }, 10, bare), "ended");
  assert.is(standingOf({ ...bare, ...dead, host: "gpu7" }, 10, bare), "unseen");
  assert.is(standingOf(bare, 10, bare), "unseen");
  assert.is(standingOf(bare, 300, bare), "ended");
  assert.is(standingOf(thisProcess(), 300, thisProcess()), "running");
});

test("a lock that was being written when the machine stopped is taken over, one that is being written is not", async () => {
  const folder = await newFolder();
  const path = join(folder, lockName);
  await writeFile(path, "");
  assert.match((await refusal(folder)) ?? "", "was not written by ltxc");
  await utimes(path, 1000, 1000);
  assert.is(await refusal(folder), null);
});

test("what is no file is not touched", async () => {
  const folder = await newFolder();
  await mkdir(join(folder, lockName));
  await utimes(join(folder, lockName), 1000, 1000);
  assert.match((await refusal(folder)) ?? "", "was not written by ltxc");
  const linked = await newFolder();
  await symlink(join(folder, "nowhere"), join(linked, lockName));
  assert.match((await refusal(linked)) ?? "", "was not written by ltxc");
  assert.equal(await readdir(folder), [lockName]);
});

test("what a lock says may be long or of another form", async () => {
  const said = (await refusal(await lockedBy({ ...onOtherHost, host: "a".repeat(1000) }))) ?? "";
  assert.match(said, `on ${"a".repeat(200)}…, since`);
  assert.is(parseHolder('{"pid": -1}'), null);
  assert.is(parseHolder(JSON.stringify({ ...thisProcess(), pid: 99_999_999_999 })), null);
  assert.ok(parseHolder(JSON.stringify(thisProcess())) !== null);
  assert.is(parseHolder("null"), null);
});

test("of many that take over the same lock at once exactly one has it, also after a takeover that was cut short", async () => {
  for (let round = 0; round < 5; round++) {
    const folder = await lockedBy(dead);
    const path = join(folder, lockName);
    const stale = parseHolder(await readFile(path, "utf8"));
    // A process that died when it was about to remove the lock.
    if (round > 2) await writeFile(`${path}.${stale?.token}`, JSON.stringify({ ...thisProcess(), ...dead }));
    const all = await Promise.all(Array.from({ length: 20 }, () => takeLock(path)));
    const taken = all.flatMap((result) => ("taken" in result ? [result.taken] : []));
    assert.is(taken.length, 1);
    assert.is(await readFile(path, "utf8"), taken[0]?.text);
    await taken[0]?.handle.close();
    assert.equal(await readdir(folder), [lockName]);
  }
});

test("signs of life date the lock anew, and never touch another's", async () => {
  const folder = await newFolder();
  const path = join(folder, lockName);
  const result = await takeLock(path);
  if (!("taken" in result)) return assert.unreachable();
  const callOff = giveSignsOfLife(result.taken, 0.01);
  await utimes(path, 1000, 1000);
  const isFresh = async () => parseHolder(await readFile(path, "utf8")) !== null && (await age(path)) < 1000;
  while (!(await isFresh())) await sleep(10);
  await callOff();
  await result.taken.handle.close();
});

const age = async (path: string) => {
  return Date.now() / 1000 - (await stat(path)).mtimeMs / 1000;
};

test.run();
