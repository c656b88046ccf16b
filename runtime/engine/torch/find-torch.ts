/** Where PyTorch is on this machine. Its library is found in the folder of the Python package `torch`; Python itself is not started for it. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { systemProgram } from "../../files/system-program.ts";
import { fail } from "../../findings.ts";
import { installedTorch } from "./install-folder.ts";

/** A PyTorch that can be used. */
export interface FoundTorch {
  /** The folder of the package `torch`, absolute. */
  readonly folder: string;
  /** Such as 2.13.0 or 2.13.0+cu130. */
  readonly version: string;
  /** The version of CUDA that it was built for; null for a build without. */
  readonly cuda: string | null;
}

/** Versions with all functions that are called: from 2.10 on, within the major version. */
const [MAJOR, LEAST_MINOR] = [2, 10];

/** What is said where nothing is found; a test of the message needs no PyTorch. */
export const nothingFound =
  "PyTorch is not found; `ltxc install torch` fetches it, and `runtime.torch` names where it is";

/** There is no PyTorch that can be used. The message says why, for the user. */
export class TorchMissing extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The PyTorch to use: the one in the folder that is named, or else the first one that can be used of the active environment, of Python on
 * PATH, and of `ltxc install torch`.
 * @param named `runtime.torch`: a package folder, or an environment that it lies in; null if nothing is named
 * @throws TorchMissing
 */
export async function findTorch(named: string | null, env: Environment = process.env): Promise<FoundTorch> {
  if (process.platform !== "linux")
    throw new TorchMissing(`the engine torch is offered on Linux only, this is ${process.platform}`);
  if (named !== null) return usable(ownPackage(packageIn(named) ?? refuse(named)));
  const reasons: string[] = [];
  for await (const folder of candidates(env)) {
    try {
      return usable(folder);
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new TorchMissing(reasons.length === 0 ? nothingFound : reasons.join("; "));
}

/**
 * Looks for PyTorch and its version, and loads nothing of it.
 * @param named `runtime.torch`, null if nothing is named
 * Rejects with the reason if there is none.
 * @throws FindingsError LTX7050 if there is no usable PyTorch in the folder that is named
 */
export async function lookForTorch(named: string | null): Promise<FoundTorch> {
  try {
    return await findTorch(named);
  } catch (error) {
    if (named === null) throw error;
    const help =
      "name the folder of the Python package `torch`, or the environment that it is installed in; without the setting it is looked for";
    return fail("LTX7050", `\`runtime.torch\` can not be used: ${(error as Error).message}`, help, [
      "runtime",
      "torch",
    ]);
  }
}

function refuse(named: string): never {
  throw new TorchMissing(
    existsSync(named)
      ? `there is no PyTorch in ${named}: the folder holds neither the package \`torch\` nor an environment with it`
      : `there is no ${named}`,
  );
}

/**
 * The folder, if it belongs to this user or to root. Its library is a program that runs, and the setting may come with a project of
 * somebody else; an environment that is active was chosen by the user.
 */
function ownPackage(folder: string): string {
  const me = process.geteuid?.() ?? 0;
  const { uid } = statSync(libraryIn(folder));
  if (uid === me || uid === 0) return folder;
  throw new TorchMissing(
    `${folder} belongs to another user (uid ${uid}); to use it, activate its environment and remove the setting`,
  );
}

async function* candidates(env: Environment): AsyncGenerator<string> {
  for (const name of ["VIRTUAL_ENV", "CONDA_PREFIX"]) {
    const folder = env[name];
    const found = folder === undefined || folder === "" ? null : packageIn(folder);
    if (found !== null) yield found;
  }
  for (const python of ["python3", "python"]) {
    const found = await packageOfPython(python, env);
    if (found !== null) yield found;
  }
  const own = packageIn(installedTorch(env));
  if (own !== null) yield own;
}

/** The package in a folder: the folder itself, one in it, or one of the environment that it, or the Python it is, belongs to. */
function packageIn(given: string): string | null {
  const named = resolve(given);
  const isFile = statSync(named, { throwIfNoEntry: false })?.isFile() === true;
  // An environment has its Python in `bin`.
  const folder = isFile ? dirname(dirname(named)) : named;
  const inside = [folder, join(folder, "torch"), ...sitePackages(folder).map((site) => join(site, "torch"))];
  return inside.find((path) => existsSync(join(path, "version.py")) && existsSync(libraryIn(path))) ?? null;
}

const libraryIn = (folder: string): string => join(folder, "lib", "libtorch_cpu.so");

/** The folders for packages in a Python environment. */
function sitePackages(folder: string): string[] {
  return ["lib", "lib64"].flatMap((name) => {
    const versions = namesIn(join(folder, name)).filter((version) => version.startsWith("python3"));
    return versions.flatMap((version) =>
      ["site-packages", "dist-packages"].map((packages) => join(folder, name, version, packages)),
    );
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Finds the package as `import torch` would, without importing it. */
const question = `
import importlib.util
spec = importlib.util.find_spec("torch")
print(spec.origin if spec and spec.origin else "")
`;
/** How long Python may take for an answer, in milliseconds. */
const PATIENCE = 20_000;

/** Asks a Python where its package is; null if there is no such program, or no package. */
async function packageOfPython(name: string, env: Environment): Promise<string | null> {
  const python = systemProgram(name, env["PATH"] ?? "");
  if (python === null) return null;
  return new Promise((done) => {
    const asked = spawn(python, ["-c", question], {
      // Python looks for packages where it is started, too: in this folder there are none.
      cwd: "/",
      env: env as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "ignore"],
      timeout: PATIENCE,
    });
    let said = "";
    asked.stdout.on("data", (text: Buffer) => (said += text.toString()));
    asked.on("error", () => done(null));
    asked.on("close", () => done(said.trim() === "" ? null : packageIn(dirname(said.trim()))));
  });
}

/** Whether the engine can use a version of PyTorch, such as 2.13.0+cpu. */
export function isUsableVersion(version: string): boolean {
  const [, major = "", minor = ""] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) === MAJOR && Number(minor) >= LEAST_MINOR;
}

/** The package with its version. Throws, with the reason, if it can not be used. */
function usable(folder: string): FoundTorch {
  const text = readFileSync(join(folder, "version.py"), "utf8");
  const version = /^__version__ = '([^']*)'/m.exec(text)?.[1] ?? "";
  if (!isUsableVersion(version))
    throw new TorchMissing(
      `PyTorch ${version} in ${folder} can not be used: it takes ${MAJOR}.${LEAST_MINOR} or later, before ${MAJOR + 1}`,
    );
  const cuda = /^cuda\b[^=]*= '([^']*)'/m.exec(text)?.[1] ?? null;
  return { folder, version, cuda };
}
