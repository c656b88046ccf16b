/** Installs PyTorch for the engine `torch`: into a virtual environment of its own, with the system's Python and pip. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { makeEnvironment } from "../python-environment.ts";
import { installedTorch } from "./install-folder.ts";

/** Where PyTorch publishes builds without CUDA. pip skips it where it can not be reached. */
const CPU_BUILDS = "https://download.pytorch.org/whl/cpu";

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
  try {
    mkdirSync(dirname(folder), { recursive: true });
  } catch (error) {
    return { problem: (error as Error).message };
  }
  onStep(`installing PyTorch${isCpu ? " without CUDA (some hundred MB)" : " (some GB with CUDA)"} into ${folder}`);
  const index = isCpu ? ["--extra-index-url", CPU_BUILDS] : [];
  const problem = await makeEnvironment(folder, [...index, "torch"]);
  return problem === null ? { folder } : { problem };
}
