/**
 * Starts runs in pairs, both at once in one folder: a new one, one whose last run was killed, and one that is resumed, by turns. One of
 * the two trains to its end, the other refuses and names it, and nothing is lost. The first argument is how many pairs: 20 if left away.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { project } from "../bin/testing/testing.ts";
import { readTensorFile } from "../runtime/checkpoints/tensor-file.ts";

/** So many that the slower of two starts while the other trains. */
const steps = 150;
const interval = 50;
const pairs = Number(process.argv[2] || 20);
const ltxc = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));
const settings = [
  `checkpoints.interval=${interval}`,
  "checkpoints.keep_last_n=0",
  "checkpoints.save_training_state=full",
];

interface Ended {
  readonly pid: number;
  readonly code: number | null;
  readonly err: string;
}

/** Runs `ltxc run` to its end, or until it has printed so many lines, and then kills it. */
async function run(cwd: string, more: readonly string[], killAfter = Infinity): Promise<Ended> {
  const args = [ltxc, "run", "--json", ...settings.flatMap((text) => ["--set", text]), ...more];
  const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let [lines, text] = [0, ""];
  child.stderr.on("data", (part: Buffer) => (text += part.toString()));
  child.stdout.on("data", (part: Buffer) => {
    text += part.toString();
    lines += part.toString().split("\n").length - 1;
    if (lines >= killAfter) child.kill("SIGKILL");
  });
  const code = await new Promise<number | null>((done) => child.on("close", done));
  return { pid: child.pid ?? 0, code, err: text };
}

type Kind = "new" | "killed" | "resumed";
const kinds: readonly Kind[] = ["new", "killed", "resumed"];

/** Puts the folder into the state from which the pair starts; returns the options of both. */
async function prepare(cwd: string, kind: Kind): Promise<readonly string[]> {
  if (kind === "new") return [];
  // One or two of the three checkpoints are there then.
  await run(cwd, [], kind === "killed" ? interval + 10 : 2 * interval + 10);
  const saved = (await readdir(join(cwd, "outputs/checkpoints"))).some((name) => name.endsWith(".safetensors"));
  return [saved && kind === "resumed" ? "--resume" : "--overwrite"];
}

/** What went wrong with a pair; empty if nothing did. */
async function faultsOf(cwd: string, ended: readonly Ended[], wanted: Buffer): Promise<readonly string[]> {
  const [winner, loser] = ended.toSorted((a, b) => Number(a.code !== 0) - Number(b.code !== 0));
  if (winner?.code !== 0 || loser === undefined) return [`none trained:\n${winner?.err}`];
  const faults: string[] = [];
  if (loser.code !== 1 || !loser.err.includes("LTX6340"))
    faults.push(`the other ended with ${loser.code}:\n${loser.err}`);
  if (!loser.err.includes(`process ${winner.pid} on`)) faults.push("the other does not name the one that trains");
  const names = (await readdir(join(cwd, "outputs/checkpoints"))).filter((name) => name.endsWith(".safetensors"));
  if (names.length !== steps / interval) faults.push(`${names.length} checkpoints in place of ${steps / interval}`);
  for (const name of names) await readTensorFile(join(cwd, "outputs/checkpoints", name));
  if (!(await lora(cwd)).equals(wanted)) faults.push("other weights than those of a run that was alone");
  const left = (await readdir(join(cwd, "outputs"))).filter((name) => name.startsWith("run.lock"));
  if (left.length > 0) faults.push(`left behind: ${left.join(", ")}`);
  return faults;
}

const lora = (cwd: string): Promise<Buffer> =>
  readFile(join(cwd, `outputs/checkpoints/lora_weights_step_${String(steps).padStart(5, "0")}.safetensors`));

const original = await project({ steps, interval: "null" });
const parent = await mkdtemp(join(tmpdir(), "ltxc-pairs-"));
try {
  const alone = join(parent, "alone");
  await cp(original, alone, { recursive: true });
  const { code, err } = await run(alone, []);
  if (code !== 0) throw new Error(err);
  const wanted = await lora(alone);
  let right = 0;
  for (let i = 0; i < pairs; i++) {
    const cwd = join(parent, String(i));
    await cp(original, cwd, { recursive: true });
    const kind = kinds[i % kinds.length] ?? "new";
    const options = await prepare(cwd, kind);
    const faults = await faultsOf(cwd, await Promise.all([run(cwd, options), run(cwd, options)]), wanted);
    right += Number(faults.length === 0);
    for (const fault of faults) console.log(`  pair ${i} (${kind}): ${fault}`);
    await rm(cwd, { recursive: true });
  }
  console.log(`\n${pairs} pairs of runs started at once in one folder`);
  console.log(
    `  ${right} in which one trained to the same bytes as alone, the other refused and named it, and nothing was lost`,
  );
  if (right < pairs) process.exitCode = 1;
} finally {
  await rm(parent, { recursive: true, force: true });
  await rm(original, { recursive: true, force: true });
}
