import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lockFolder, type FolderLock } from "../../../runtime/run-folder/lock.ts";
import { replace, type BrokenInput } from "./broken-input.ts";

const output = (path: string) => replace("train.yaml", /^output_dir: .*$/m, `output_dir: ${path}`);

const made =
  (...steps: readonly ((cwd: string) => Promise<unknown>)[]) =>
  async (cwd: string) => {
    for (const step of steps) await step(cwd);
  };

const folder = (path: string) => (cwd: string) => mkdir(join(cwd, path), { recursive: true });
const file = (path: string) => (cwd: string) => writeFile(join(cwd, path), "");
const link = (path: string, to: string) => (cwd: string) => symlink(to, join(cwd, path));

/** Whatever of an output folder can be wrong. */
export const brokenFolders: readonly BrokenInput[] = [
  { name: "a file as output folder", arrange: output("train.yaml") },
  { name: "an output folder below a file", arrange: output("train.yaml/outputs") },
  { name: "an output folder where nothing can be made", arrange: output("/proc/ltxc-outputs") },
  { name: "a placeholder that is none", arrange: output("'outputs/{moment}'") },
  {
    name: "the work of a finished run",
    isMild: true,
    arrange: (cwd) => cp(join(cwd, "trained"), join(cwd, "outputs"), { recursive: true }),
  },
  { name: "a file in the place of checkpoints", arrange: made(folder("outputs"), file("outputs/checkpoints")) },
  { name: "a link out of the output folder", arrange: made(folder("outputs"), link("outputs/checkpoints", "/tmp")) },
  {
    name: "metrics that lead elsewhere",
    arrange: made(folder("outputs"), link("outputs/metrics.jsonl", "/tmp/elsewhere")),
  },
  { name: "a folder in the place of the metrics", arrange: folder("outputs/metrics.jsonl") },
  { name: "a folder in the place of the saved config", arrange: folder("outputs/training_config.yaml/x") },
  { name: "a file in the place of tensorboard's", arrange: made(folder("outputs"), file("outputs/tensorboard")) },
  { name: "a link to nothing as output folder", arrange: link("outputs", "nowhere/at/all") },
  { name: "a link in a circle", arrange: made(link("outputs", "outputs2"), link("outputs2", "outputs")) },
  { name: "a folder in the place of the lock", arrange: folder("outputs/run.lock"), isMild: true },
  { name: "another run in the folder", arrange: lockOutputs, after: unlockOutputs, isMild: true },
];

let lock: FolderLock | null = null;

async function lockOutputs(cwd: string): Promise<void> {
  lock = await lockFolder(join(cwd, "outputs"));
}

async function unlockOutputs(): Promise<void> {
  await lock?.release();
}
