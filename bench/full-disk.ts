/**
 * Trains onto a disk of 20 MB until it is full in the middle of a checkpoint (aim: every file in place can be read, the message names
 * the file and what it needs, and after some space was freed the run goes on to the weights of one that had space enough). Linux, as
 * root: it mounts a tmpfs.
 */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { project } from "../bin/testing/testing.ts";
import { readTensorFile } from "../runtime/checkpoints/tensor-file.ts";

const steps = 30;
const ltxc = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));
const last = `lora_weights_step_${String(steps).padStart(5, "0")}.safetensors`;
const settings = [
  "lora.rank=64",
  "lora.alpha=64",
  "checkpoints.interval=1",
  "checkpoints.keep_last_n=-1",
  "checkpoints.save_training_state=full",
];

function run(folder: string, output: string, ...more: readonly string[]) {
  const set = [...settings, `output_dir=${output}`].flatMap((text) => ["--set", text]);
  const args = [ltxc, "run", "--json", ...set, ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  return { code: status, text: stdout + stderr };
}

function expect(isSo: boolean, what: string): void {
  console.log(`  ${isSo ? "yes" : "NO "}  ${what}`);
  if (!isSo) process.exitCode = 1;
}

async function fillDisk(folder: string, disk: string, wanted: Buffer): Promise<void> {
  const full = run(folder, disk);
  const checkpoints = join(disk, "checkpoints");
  const names = (await readdir(checkpoints)).toSorted();
  const message = /no space left for \S+: it needs [\d,]+ bytes, [\d,]+ are free/.exec(full.text)?.[0];
  expect(
    full.code === 1 && message !== undefined,
    `the run ends with exit code 1 and says: ${message ?? full.text.slice(-500)}`,
  );
  expect(!names.some((name) => name.endsWith(".tmp")), "nothing is left of the file that did not fit");
  for (const name of names) await readTensorFile(join(checkpoints, name));
  expect(names.length > 2, `${names.length} files of earlier checkpoints are in place and can be read`);
  const weights = names.filter((name) => name.startsWith("lora_weights"));
  const newest = /\d+/.exec(weights.at(-1) ?? "")?.[0] ?? "";
  for (const name of names.filter((name) => !name.includes(newest))) await rm(join(checkpoints, name));
  const resumed = run(folder, disk, "--resume", "--set", "checkpoints.keep_last_n=2");
  expect(resumed.code === 0, `resumed from step ${Number(newest)} after older checkpoints were deleted, it ends`);
  const found = await readFile(join(checkpoints, last)).catch(() => null);
  expect(found?.equals(wanted) === true, "its weights are those of a run on a large disk, byte for byte");
}

const folder = await project({ steps });
const disk = await mkdtemp(join(tmpdir(), "ltxc-disk-"));
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=20m", "tmpfs", disk], { encoding: "utf8" });
try {
  if (mounted.status !== 0) {
    console.log(`\nFull disk: skipped, no disk can be mounted: ${mounted.stderr ?? mounted.error?.message}`);
  } else {
    console.log("\nA disk of 20 MB that fills up while checkpoints are saved");
    const large = join(folder, "large");
    await mkdir(large);
    const alone = run(folder, large);
    if (alone.code !== 0) throw new Error(alone.text);
    await fillDisk(folder, disk, await readFile(join(large, "checkpoints", last)));
  }
} finally {
  if (mounted.status === 0) spawnSync("umount", [disk]);
  await rm(disk, { recursive: true });
  await rm(folder, { recursive: true });
}
