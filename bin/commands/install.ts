import { relative } from "node:path";
import {
  cudaPlatform,
  fetchCuda,
  installedTorch,
  installTensorflow,
  installTorch,
  lookForTorch,
  openEngine,
  tryCuda,
} from "../../runtime/index.ts";
import { inspectMachine } from "../shell/machine.ts";
import { exitCode } from "../shell/exit.ts";
import { say, sayJson, type Session } from "../shell/session.ts";

/** What can be installed in addition to what npm brings. */
export type Installable = "torch" | "tfjs-node-gpu" | "cuda";

interface InstallOptions {
  /** Of PyTorch and TensorFlow, the build without CUDA. */
  readonly cpu?: boolean;
}

/** What came of it. */
interface Outcome {
  /** Null if it works. */
  readonly problem: string | null;
  /** In words for the user. */
  readonly works: string;
}

/** `ltxc install`: fetches what npm does not bring, then tries it. Exit code 1 if it cannot be fetched or used. */
export async function install(session: Session, what: Installable, { cpu = false }: InstallOptions): Promise<number> {
  const { problem, works } = await installers[what](session, cpu);
  if (session.json) sayJson(session, { installed: what, works: problem === null, reason: problem ?? works });
  else if (problem === null) session.io.out(`${works}\n`);
  else session.io.err(`${problem}\n`);
  return problem === null ? exitCode.ok : exitCode.findings;
}

const installers: Readonly<Record<Installable, (session: Session, isCpu: boolean) => Promise<Outcome>>> = {
  torch: installTorchHere,
  "tfjs-node-gpu": installTensorflowHere,
  cuda: installCuda,
};

/** What ONNX Runtime needs to compute on an NVIDIA GPU, into ONNX Runtime's package. */
async function installCuda(session: Session, isCpu: boolean): Promise<Outcome> {
  const works = "CUDA works: `runtime.engine: auto` uses it from now on";
  if (isCpu)
    return {
      works,
      problem: "`--cpu` goes with `ltxc install torch` and `ltxc install tfjs-node-gpu`: CUDA is for NVIDIA GPUs",
    };
  const here = `${process.platform}/${process.arch}`;
  if (here !== cudaPlatform)
    return { works, problem: `the CUDA provider exists for ${cudaPlatform} only, this is ${here}` };
  say(session, "fetching the CUDA provider of ONNX Runtime from nuget.org (some hundred MB) …");
  const failure = await fetchCuda();
  if (failure !== null) return { works, problem: `it could not be fetched: ${failure}` };
  const reason = await tryCuda();
  return { works, problem: reason === null ? null : `it is installed, but cannot be used yet: ${reason}` };
}

/** PyTorch, into a virtual environment in the user's folder for data. */
async function installTorchHere(session: Session, isCpu: boolean): Promise<Outcome> {
  if (process.platform !== "linux")
    return { works: "", problem: `the engine torch is offered on Linux only, this is ${process.platform}` };
  const there = await torchThere(isCpu);
  if (there !== null) return { works: `the engine torch works: ${there}; nothing is to be done`, problem: null };
  const made = await installTorch({ isCpu, onStep: (text) => say(session, `${text} …`) });
  if ("problem" in made) return { works: "", problem: `PyTorch could not be installed: ${made.problem}` };
  try {
    const { reason } = await openEngine("torch", { torch: made.folder, provider: isCpu ? "cpu" : "auto" });
    return { works: `the engine torch works: ${reason.replace(", as asked for", "")}`, problem: null };
  } catch (error) {
    return {
      works: "",
      problem: `PyTorch is installed in ${made.folder}, but cannot be used: ${(error as Error).message}`,
    };
  }
}

/**
 * The PyTorch of this machine's Python, in words, if it works for what is asked: a run takes it before one that is installed here. Null if
 * there is none, if it is what was installed here, or if it has no CUDA and there is an NVIDIA GPU to use.
 */
async function torchThere(isCpu: boolean): Promise<string | null> {
  try {
    const { folder, cuda } = await lookForTorch(null);
    const isOwn = !relative(installedTorch(), folder).startsWith("..");
    if (isOwn || (cuda === null && !isCpu && (await inspectMachine()).gpus.length > 0)) return null;
    const { reason } = await openEngine("torch", { torch: folder, provider: isCpu || cuda === null ? "cpu" : "auto" });
    return `${reason.replace(", as asked for", "")}, in ${folder}`;
  } catch {
    return null;
  }
}

/** TensorFlow for the engine tfjs-node-gpu, where its package from npm does not work by itself. */
async function installTensorflowHere(session: Session, isCpu: boolean): Promise<Outcome> {
  const hasGpu = !isCpu && (await inspectMachine()).gpus.length > 0;
  const { problem, isGpu, version, isOwn } = await installTensorflow({ hasGpu, say: (text) => say(session, text) });
  const device = isGpu ? "an NVIDIA GPU" : "the CPU";
  const done = isOwn ? "as npm has installed it: nothing is to be done" : "built here";
  const note = isGpu ? "" : "; `runtime.engine: auto` takes it on a GPU only";
  return { problem, works: `the engine tfjs-node-gpu works: TensorFlow ${version} on ${device}, ${done}${note}` };
}
