/**
 * Where the project's own tests find a Python with PyTorch. What users need of Python is elsewhere: `ltxc` itself works without.
 *
 *   node --import tsx scripts/python-environment.ts            prints the paths, or exits with 1 and the reason why there is none
 *   node --import tsx scripts/python-environment.ts --install  makes one first, if there is none with a recent PyTorch
 *
 * Looked for are, in this order: `LTXC_PYTHON`, a virtual environment in the user's cache folder, and the system's own Python.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isUsableVersion } from "../runtime/engine/torch/find-torch.ts";
import { cacheFolder } from "../runtime/engine/recording/cache-folder.ts";

interface Python {
  /** Path of the interpreter. */
  readonly path: string;
  /** Version of its PyTorch, for example `2.13.0+cpu`. */
  readonly torch: string;
}

/** Every Python with PyTorch and PyYAML of this machine, or why there is none. If `LTXC_PYTHON` is set, only that one. */
export function findPythons(): { readonly pythons: readonly Python[]; readonly reason: string } {
  const asked = process.env["LTXC_PYTHON"];
  const places = asked === undefined ? [environmentPython(), SYSTEM_PYTHON].filter(existsSync) : [asked];
  const looked = places.map((path) => ({ path, ...lookInto(path) }));
  const pythons = looked.flatMap(({ path, torch }) => (torch === null ? [] : [{ path, torch }]));
  const reasons = looked.map(({ path, reason }) => `${path}: ${reason}`);
  const wanted = "set LTXC_PYTHON to a Python with torch and pyyaml";
  return { pythons, reason: [...reasons, wanted].join("; ") };
}

/** Debian installs its packages for this interpreter alone, not for another `python3` of PATH. */
const SYSTEM_PYTHON = "/usr/bin/python3";

function environmentFolder(): string {
  const cache = cacheFolder();
  if (cache === null) throw new Error("this user has no cache folder");
  return join(cache, "ltxc", "test-python");
}

const environmentPython = (): string =>
  join(environmentFolder(), process.platform === "win32" ? "Scripts/python.exe" : "bin/python");

/** Asks for the packages without loading them: that takes seconds. */
const question = `
import importlib.util as find, os, re
folder = (find.find_spec("torch").submodule_search_locations or [""])[0] if find.find_spec("torch") else ""
version = os.path.join(folder, "version.py")
text = open(version).read() if folder and os.path.exists(version) else ""
print((re.search(r"__version__ = '(.*)'", text) or ["", ""])[1] if find.find_spec("yaml") else "")
`;

function lookInto(path: string): { readonly torch: string | null; readonly reason: string } {
  const { status, stdout, error } = spawnSync(path, ["-c", question], { encoding: "utf8", timeout: 60_000 });
  if (status !== 0) return { torch: null, reason: error?.message ?? `ends with exit code ${status}` };
  const torch = stdout.trim();
  return torch === "" ? { torch: null, reason: "has no torch, or no pyyaml" } : { torch, reason: "" };
}

const packages = ["torch", "numpy", "pydantic", "pyyaml"];

/** Makes an environment with pip, or, where that fails and there is no Python yet, takes Debian's packages; returns what went wrong. */
function install(hasOther: boolean): readonly string[] {
  const withPip = [
    ["python3", "-m", "venv", environmentFolder()],
    [environmentPython(), "-m", "pip", "install", "--quiet", "--retries", "0", ...packages],
  ];
  const first = runAll(withPip);
  if (first === null) return [];
  if (hasOther) return [first];
  const second = runAll([
    ["apt-get", "update", "-qq"],
    ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "python3-torch", "python3-yaml"],
  ]);
  return second === null ? [] : [first, second];
}

/** The first command that fails and its last line; null if none does. */
function runAll(commands: readonly (readonly string[])[]): string | null {
  for (const [program = "", ...args] of commands) {
    // A download that takes longer would hold up everything else.
    const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 600_000 });
    if (status !== 0) return `${program} ${args.join(" ")}: ${error?.message ?? stderr.trim().split("\n").at(-1)}`;
  }
  return null;
}

function main(): number {
  const before = findPythons().pythons;
  const wantsInstall = process.argv.includes("--install") && !before.some(({ torch }) => isUsableVersion(torch));
  const failures = wantsInstall ? install(before.length > 0) : [];
  const { pythons, reason } = findPythons();
  for (const failure of failures) console.error(failure);
  if (pythons.length === 0) console.error(`no Python with PyTorch: ${reason}`);
  // Debian's may be too old for the engine torch, and is enough for compiled Python.
  const use = (torch: string) => (isUsableVersion(torch) ? ", for the engine torch, too" : "");
  for (const { path, torch } of pythons) console.log(`${path} (torch ${torch}${use(torch)})`);
  return pythons.length === 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
