/** Starts the official trainer with a compiled strategy, and follows it. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import type { Io } from "../shell/io.ts";
import { descendantsOf } from "./descendants.ts";
import { environmentWith, type Installation } from "./installation.ts";

interface Launch {
  readonly installation: Installation;
  readonly processes: number;
  /** The compiled strategy. */
  readonly module: string;
  /** The run config that it reads, and the folder at which that one's relative paths start. */
  readonly config: string;
  readonly folder: string;
  /** Where the trainer's own output goes, and where the module writes a line for each step. */
  readonly log: string;
  readonly progress: string;
  /** Variables of its environment besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Gets the number of the process that was started. */
  readonly onStarted?: (pid: number) => Promise<void>;
}

/** A step that is done, as the module tells it; `rate` is null where the trainer does not show it. */
export interface StepDone {
  readonly step: number;
  readonly losses: Readonly<Record<string, number>>;
  readonly samples: number;
  readonly rate: number | null;
  /** When it was done, in seconds. */
  readonly time: number;
}

/** How to start `processes` of a module: with Accelerate where it is installed, otherwise as PyTorch does. */
function commandOf({ installation, processes, module, config }: Launch): readonly string[] {
  const { python, hasAccelerate, gpus } = installation;
  const own = [module, config, "--disable-progress-bars"];
  // Without GPUs, Accelerate starts a single process whatever it is asked for.
  if (hasAccelerate && (gpus > 0 || processes === 1)) {
    return [python, "-m", "accelerate.commands.launch", "--num_processes", String(processes), ...own];
  }
  if (processes === 1) return [python, ...own];
  return [python, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", String(processes), ...own];
}

/** How often the progress is looked at, in milliseconds. */
const LOOK = 200;

/**
 * Runs it to its end, and gives its exit code; `onStep` gets each step that is done, in order.
 * @param isStopped whether it was asked to end. All processes are told so then; the next interrupt kills them.
 */
export async function follow(
  io: Pick<Io, "env" | "onInterrupt">,
  launch: Launch,
  onStep: (step: StepDone) => void,
  isStopped: () => boolean,
): Promise<number> {
  const child = start(io, launch);
  const ended = new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => done(code ?? 1));
  });
  const look = progressReader(launch.progress, onStep);
  let off: (() => void) | null = null;
  const timer = setInterval(() => {
    look();
    if (!isStopped() || off !== null) return;
    signalAll(child, "SIGINT");
    off = io.onInterrupt(() => signalAll(child, "SIGKILL"));
  }, LOOK);
  try {
    const started = child.pid === undefined ? undefined : launch.onStarted?.(child.pid);
    const [code] = await Promise.all([ended, started]);
    return code;
  } finally {
    clearInterval(timer);
    (off as (() => void) | null)?.();
    look();
  }
}

/** Windows has no groups of processes that signals could go to. */
const hasGroups = process.platform !== "win32";

/**
 * In a group of its own: a launcher and its processes are then told together, whatever the launcher passes on. Nothing is ever written to
 * their stdin: it ends when this process does, however that is, and then they end as well.
 */
function start(io: Pick<Io, "env">, launch: Launch): ChildProcess {
  const [program = "", ...args] = commandOf(launch);
  const { installation, folder, log, progress } = launch;
  const ours = { LTXC_FOLDER: folder, LTXC_PROGRESS: progress, LTXC_HOLDS_STDIN: "1" };
  const usual = { ...environmentWith(io.env, installation.paths), ...ours };
  const env: Record<string, string> = { ...usual, ...launch.env };
  if (installation.gpus === 0) Object.assign(env, { ACCELERATE_USE_CPU: "true" });
  const output = openSync(log, "a");
  const child = spawn(program, args, { env, stdio: ["pipe", output, output], detached: hasGroups });
  closeSync(output);
  return child;
}

/** Launchers put their processes into sessions of their own, where a signal to their group does not arrive, and pass on all but SIGKILL. */
function signalAll(child: ChildProcess, signal: "SIGINT" | "SIGKILL"): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  const others = signal === "SIGKILL" ? descendantsOf(child.pid) : [];
  for (const pid of [hasGroups ? -child.pid : child.pid, ...others]) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended just now.
    }
  }
}

/** Hands on the lines that have been added to a file since the last look. */
function progressReader(path: string, onStep: (step: StepDone) => void): () => void {
  let read = 0;
  return () => {
    if (!existsSync(path)) return;
    const text = readFileSync(path, "utf8");
    const end = text.lastIndexOf("\n") + 1;
    for (const line of text.slice(read, end).split("\n")) if (line !== "") onStep(JSON.parse(line) as StepDone);
    read = Math.max(read, end);
  };
}
