/**
 * `@tensorflow/tfjs-node-gpu` brings an addon for Node that is built for TensorFlow 2.9 and CUDA 11.2. Its source also fits the library
 * in TensorFlow's own Python package, so it is built against that, in a folder of the user's.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { makeEnvironment } from "../python-environment.ts";
import { runProgram } from "../run-program.ts";
import { addonIn, tensorflowFolder, tensorflowPackage } from "./folder.ts";
import { tryTensorflow, type TriedTensorflow } from "./try.ts";

/** What it was tried with: the packages from npm (tfjs in the version that is used here), and the one from pip. */
const [TFJS, HEADERS, TENSORFLOW] = ["4.22.0", "1.9.0", "2.21.*"];

interface InstallOptions {
  /** Whether there is an NVIDIA GPU, for which TensorFlow needs CUDA's libraries as well. */
  readonly hasGpu: boolean;
  /** Told what is being done. */
  say(text: string): void;
}

/** Downloads, builds and tries, unless it works already; resolves to what works, or to the reason and what to do. */
export async function installTensorflow({ hasGpu, say }: InstallOptions): Promise<TriedTensorflow> {
  const own = await tryTensorflow(null);
  if (own.problem === null) return own;
  const here = `${process.platform}/${process.arch}`;
  if (here !== "linux/x64") return failed(`TensorFlow's library can be built upon on linux/x64 only, this is ${here}`);
  const folder = tensorflowFolder();
  const built = await tryTensorflow(folder);
  if (built.problem === null && (built.isGpu || !hasGpu)) return built;
  const problem = await build(folder, { hasGpu, say });
  if (problem !== null) return failed(problem);
  say("trying it …");
  return tryTensorflow(folder);
}

const failed = (problem: string): TriedTensorflow => ({ problem, isGpu: false, version: "", isOwn: false });

/** Null, or what went wrong. */
async function build(folder: string, { hasGpu, say }: InstallOptions): Promise<string | null> {
  const missing = ["g++", "python3", "npm"].filter((name) => !isOnPath(name));
  if (missing.length > 0)
    return `it needs ${missing.join(", ")}: on Debian and Ubuntu, \`apt install g++ python3-venv\` and npm, which comes with Node.js`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  say(`fetching ${tensorflowPackage} from npm …`);
  const packages = [`${tensorflowPackage}@${TFJS}`, `node-api-headers@${HEADERS}`];
  const npm = await runProgram("npm", [
    "install",
    "--prefix",
    folder,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    ...packages,
  ]);
  if (npm !== null) return `npm could not fetch it: ${npm}`;
  const library = libraryIn(process.env["VIRTUAL_ENV"]) ?? (await installLibrary(folder, { hasGpu, say }));
  if ("problem" in library) return library.problem;
  say("building the addon …");
  const built = await compile(folder, library.at);
  return built === null ? null : `g++ could not build the addon: ${built}`;
}

type Library = { readonly at: string } | { readonly problem: string };

/** TensorFlow's package in a Python environment; null if it has none. */
function libraryIn(environment: string | undefined): { readonly at: string } | null {
  const lib = join(environment ?? "", "lib");
  if (environment === undefined || !existsSync(lib)) return null;
  const found = readdirSync(lib)
    .map((python) => join(lib, python, "site-packages", "tensorflow"))
    .find((at) => existsSync(join(at, "libtensorflow_cc.so.2")));
  return found === undefined ? null : { at: found };
}

async function installLibrary(folder: string, { hasGpu, say }: InstallOptions): Promise<Library> {
  const python = join(folder, "python");
  const known = libraryIn(python);
  if (known !== null && (!hasGpu || cudaLibraries(dirname(known.at)).length > 0)) return known;
  const name = hasGpu ? `tensorflow[and-cuda]==${TENSORFLOW}` : `tensorflow-cpu==${TENSORFLOW}`;
  say(`fetching ${name} with pip into ${python} (${hasGpu ? "some gigabytes" : "some hundred MB"}) …`);
  const problem = await makeEnvironment(python, [name]);
  if (problem !== null) return { problem };
  return libraryIn(python) ?? { problem: `${name} has no libtensorflow_cc.so.2` };
}

/** Node's interface for addons is the same in all versions, so its headers may be any. */
async function compile(folder: string, library: string): Promise<string | null> {
  const source = join(folder, "node_modules", tensorflowPackage, "binding");
  const addon = addonIn(folder);
  mkdirSync(dirname(addon), { recursive: true });
  const cuda = cudaLibraries(dirname(library));
  return runProgram("g++", [
    ..."-shared -fPIC -O2 -std=c++17 -w -DNAPI_VERSION=8".split(" "),
    ...[join(folder, "node_modules", "node-api-headers", "include"), join(library, "include")].map(
      (path) => `-I${path}`,
    ),
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(source, name)),
    "-o",
    addon,
    ...[library, ...cuda.map(({ at }) => at)].flatMap((at) => [`-L${at}`, `-Wl,-rpath,${at}`]),
    "-l:libtensorflow_cc.so.2",
    "-l:libtensorflow_framework.so.2",
    "-Wl,--no-as-needed",
    ...cuda.map(({ name }) => `-l:${name}`),
  ]);
}

/**
 * CUDA's libraries as pip brings them. TensorFlow opens them by name, and finds those that the addon has loaded already.
 * @param packages the folder with Python's packages
 */
function cudaLibraries(packages: string): { readonly at: string; readonly name: string }[] {
  const root = join(packages, "nvidia");
  const folders = existsSync(root) ? readdirSync(root).map((name) => join(root, name, "lib")) : [];
  return folders
    .filter((at) => existsSync(at))
    .flatMap((at) =>
      readdirSync(at)
        .filter((name) => /^lib(cudart|cublas|cublasLt|cufft|cusolver|cusparse|cudnn|nccl)\.so\.\d+$/.test(name))
        .map((name) => ({ at, name })),
    );
}

function isOnPath(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}
