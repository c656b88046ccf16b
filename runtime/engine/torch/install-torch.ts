/** Installs PyTorch for the engine `torch`: into a virtual environment of its own, with the system's Python and pip. */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { installedTorch } from "./install-folder.ts";

/** Where PyTorch publishes builds without CUDA. pip skips it where it can not be reached. */
const CPU_BUILDS = "https://download.pytorch.org/whl/cpu";

/** An index that can not be reached is given up after seconds, not after minutes. */
const pipOptions = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"];

interface Installing {
  /** A build without CUDA, a tenth of the size. */
  readonly isCpu: boolean;
  /** Told what is done next, in words for the user. */
  onStep(text: string): void;
}

/**
 * Installs PyTorch in place of what was installed so before. Resolves to the folder, or to why it did not work, in words for the user;
 * then nothing is left.
 */
export async function installTorch({ isCpu, onStep }: Installing): Promise<{ folder: string } | { problem: string }> {
  const folder = installedTorch();
  const python = join(folder, "bin", "python");
  try {
    mkdirSync(dirname(folder), { recursive: true });
    onStep(`making a virtual environment in ${folder}`);
    await run("python3", ["-m", "venv", "--clear", folder]);
    onStep(`installing PyTorch${isCpu ? " without CUDA (some hundred MB)" : " (some GB with CUDA)"}`);
    const index = isCpu ? ["--extra-index-url", CPU_BUILDS] : [];
    await run(python, ["-m", "pip", "install", ...pipOptions, ...index, "torch"]);
    return { folder };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    return { problem: (error as Error).message };
  }
}

/** Rejects with what the program said last. */
function run(program: string, args: readonly string[]): Promise<void> {
  const name = `\`${program} ${args.slice(0, 3).join(" ")}\``;
  return new Promise((resolve, reject) => {
    const started = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [started.stdout, started.stderr])
      stream.on("data", (text: Buffer) => (said += text.toString()));
    started.on("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(error.code === "ENOENT" ? `there is no \`${program}\` here` : error.message)),
    );
    started.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${name} failed: ${reasonIn(said)}`))));
  });
}

/** pip's errors say so; venv's are several sentences. */
function reasonIn(said: string): string {
  const lines = said.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  const errors = lines.filter((line) => line.startsWith("ERROR:"));
  return (errors.length > 0 ? errors : lines).slice(-3).join(" ") || "it said nothing";
}
