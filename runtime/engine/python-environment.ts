/** Virtual environments of Python in the user's folder for data, with what an engine needs of pip. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

/** An index that can not be reached is given up after seconds, not after minutes, unless the user's own settings say otherwise. */
const pipSettings = { PIP_RETRIES: "1", PIP_TIMEOUT: "20", PIP_DISABLE_PIP_VERSION_CHECK: "1" };

/**
 * Makes an environment in `folder`, in place of what is there, and installs into it.
 * @param wanted arguments of `pip install`
 * @returns null, or why it did not work, in words for the user; then nothing is left, since a part would be taken for the whole later
 */
export async function makeEnvironment(folder: string, wanted: readonly string[]): Promise<string | null> {
  const problem = await install(folder, wanted);
  if (problem !== null) rmSync(folder, { recursive: true, force: true });
  return problem;
}

async function install(folder: string, wanted: readonly string[]): Promise<string | null> {
  const made = await runProgram("python3", ["-m", "venv", "--clear", folder]);
  if (made !== null) return `python3 could not make a virtual environment: ${made}`;
  const python = join(folder, "bin", "python");
  const pip = ["-m", "pip", "install", "--quiet", ...wanted];
  const fetched = await runProgram(python, pip, { ...pipSettings, ...process.env });
  return fetched === null ? null : `pip could not fetch ${wanted.at(-1)}: ${fetched}`;
}
