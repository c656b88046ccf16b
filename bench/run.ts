/**
 * Measures what a user waits for; `npm run bench -- --help` says how.
 * Commands that are compared run in turns, so that a busy machine slows them alike; ratios are of medians.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const ltxc = join(root, "dist/ltxc.mjs");
const esbuild = join(root, "node_modules/.bin/esbuild");
const rounds = 21;

interface Command {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

/** Wall time of one cold process, ms. Throws where it fails: a failing command is no measurement. */
function time({ name, program, args }: Command, cwd: string): number {
  const start = process.hrtime.bigint();
  const done = spawnSync(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const end = process.hrtime.bigint();
  if (done.status !== 0) throw new Error(`${name} failed:\n${done.stderr?.toString() ?? done.error?.message}`);
  return Number(end - start) / 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

interface Aim {
  readonly against: string;
  readonly atMost: number;
}

/** Runs the commands in turns and prints medians, and ratios to the first; the first round only warms the disk cache. */
function compare(title: string, commands: readonly Command[], aim: Aim, cwd: string): void {
  const times = commands.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    commands.forEach((command, i) => round > 0 && times[i]?.push(time(command, cwd)));
  }
  const medians = times.map(median);
  console.log(`\n${title}, ${rounds} runs each, interleaved`);
  commands.forEach(({ name }, i) => {
    const ratio = (medians[0] ?? Number.NaN) / (medians[i] ?? Number.NaN);
    const note = name === aim.against ? `, aim: at most ${aim.atMost}` : "";
    const against = i === 0 ? "" : `   ratio ${ratio.toFixed(2)}${note}`;
    console.log(`  ${name.padEnd(40)} ${(medians[i] ?? 0).toFixed(1).padStart(8)} ms${against}`);
  });
}

const node = (name: string, ...args: readonly string[]): Command => ({ name, program: process.execPath, args });

function startUp(folder: string): void {
  const commands = [node("ltxc --help", ltxc, "--help"), node("node -e 0", "-e", "0")];
  compare("Start-up", commands, { against: "node -e 0", atMost: 2 }, folder);
}

/** esbuild's own command is a native program where npm could install it so; its JavaScript interface starts in Node, as ltxc does. */
function coldCompile(folder: string): void {
  time(node("ltxc init", ltxc, "init"), folder);
  const compile = node("ltxc compile inpainting.strategy", ltxc, "compile", "inpainting.strategy");
  time(compile, folder);
  const options = {
    entryPoints: ["build/inpainting.ts"],
    bundle: true,
    format: "esm",
    sourcemap: true,
    outfile: "out.mjs",
  };
  const script = `require(${JSON.stringify(join(root, "node_modules/esbuild"))}).build(${JSON.stringify(options)})`;
  const args = [
    "build/inpainting.ts",
    "--bundle",
    "--format=esm",
    "--sourcemap",
    "--outfile=out.mjs",
    "--log-level=error",
  ];
  const native = { name: "esbuild --bundle (native program)", program: esbuild, args };
  const commands = [compile, native, node("esbuild.build() in Node", "-e", script), node("node -e 0", "-e", "0")];
  compare("Cold compile", commands, { against: native.name, atMost: 3 }, folder);
}

/** A bench of its own file, in a process of its own. */
function script(file: string, ...args: readonly string[]): void {
  const done = spawnSync(process.execPath, ["--expose-gc", "--import", "tsx", join(root, "bench", file), ...args], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (done.status !== 0) throw new Error(`bench/${file} failed`);
}

/** Of a value such as `real,onnx+torch-bf16,2`. */
const partsOf = (value: string): readonly string[] => value.split(",").filter((part) => part !== "");

const benches: Readonly<Record<string, (folder: string, value: string) => void>> = {
  "start-up": startUp,
  compile: coldCompile,
  "compile-many": () => script("compile.ts"),
  reading: () => script("reading.ts"),
  waiting: () => script("waiting.ts"),
  discovery: () => script("discovery.ts"),
  lsp: (_, strokes) => script("lsp.ts", ...partsOf(strokes)),
  kill: (_, runsAndEngine) => script("kill.ts", ...partsOf(runsAndEngine)),
  pairs: (_, pairs) => script("pairs.ts", pairs),
  hangup: (_, runs) => script("hangup.ts", runs),
  "full-disk": () => script("full-disk.ts"),
  memory: (_, stepsAndEngine) => script("memory.ts", ...partsOf(stepsAndEngine)),
  plan: (_, engine) => script("plan.ts", ...partsOf(engine)),
  "plan-memory": (_, words) => script("plan-memory.ts", ...partsOf(words)),
  pytorch: (_, sizeAndMore) => script("pytorch.ts", ...partsOf(sizeAndMore)),
  "video-vae": (_, enginesAndMore) => script("video-vae.ts", ...partsOf(enginesAndMore)),
  saving: (_, roundsAndSize) => script("saving.ts", ...partsOf(roundsAndSize)),
  precision: (_, sizeAndSteps) => script("precision.ts", ...partsOf(sizeAndSteps)),
  offload: (_, blocksAndMore) => script("offload.ts", ...partsOf(blocksAndMore)),
  quantized: (_, stepsAndMore) => script("quantized.ts", ...partsOf(stepsAndMore)),
  "little-memory": (_, blocks) => script("little-memory.ts", ...partsOf(blocks)),
  scaling: (_, engineAndMore) => script("scaling.ts", ...partsOf(engineAndMore)),
  overhead: () => script("overhead.ts"),
  "torch-calls": () => script("torch-calls.ts"),
  "demo-loss": () => script("demo-loss.ts"),
};

function usage(): string {
  return `usage: npm run bench [-- NAME[=VALUE]...], without a name all of them

NAME is one of ${Object.keys(benches).join(", ")}. With values:

kill=50, kill=10,torch          runs that are killed and go on, the engine
pairs=20                        pairs of runs at once in one folder
hangup=20                       hang-ups, and closed pipes
pytorch=real,onnx+torch-bf16,2  size, engines, rounds
precision=tiny,200,5            size, steps, seeds
video-vae=onnx+torch,2,33,128   engines, rounds, frames, side of the pictures
saving=15,256                   rounds, MiB
memory=5000,torch-blocks        steps, engine
plan=torch                      engine
offload=4,5,2                   blocks, steps, latent frames
little-memory=48                blocks
scaling=torch,8192,tokens       engine, most tokens, what alone
quantized=200,int8,small        steps, methods, projects
plan-memory=torch,int8          words of the names of settings
lsp=500                         key strokes
`;
}

function main(): void {
  const asked = process.argv.slice(2);
  if (asked.includes("--help")) return console.log(usage());
  const names = asked.length === 0 ? Object.keys(benches) : asked;
  const model = cpus()[0]?.model ?? "unknown processor";
  console.log(
    `node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} x ${model}, ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
  );
  for (const each of names) {
    const [name = "", value = ""] = each.split("=");
    const bench = benches[name];
    if (bench === undefined) throw new Error(`there is no bench ${name}; there are ${Object.keys(benches).join(", ")}`);
    const folder = mkdtempSync(join(tmpdir(), "ltxc-bench-"));
    try {
      bench(folder, value);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

main();
